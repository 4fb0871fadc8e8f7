"""The page in a real browser: Debian's Chromium, driven as a person would use it."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from tests.crypto.peers.programs import require

SECONDS = 60
NAMES = ("report", "marked")
"""How the names of files begin that the page hands over."""
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--window-size=1200,1000",
)


@contextmanager
def chromium(url: str, downloads: Path) -> Iterator["Page"]:
    """A browser of its own with the page open; what it downloads lies in a folder."""
    options = webdriver.ChromeOptions()
    options.binary_location = require("chromium", "chromium")
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    service = webdriver.ChromeService(require("chromedriver", "chromium-driver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        page = Page(driver, downloads)
        page.open(f"{url}/check/")
        yield page
    finally:
        driver.quit()


class Page:
    """The open page; every answer is awaited, and none for ever."""

    def __init__(self, driver: webdriver.Chrome, downloads: Path) -> None:
        self.driver = driver
        self._downloads = downloads

    def open(self, url: str) -> None:
        """Load the page, and wait until it needs the network no more."""
        self.driver.get(url)
        self.until(lambda: "The checker is ready" in self.status)

    @property
    def status(self) -> str:
        """The line that tells how far it is."""
        return str(self.one("#status").text)

    @property
    def answer(self) -> str:
        """Everything that the answer says."""
        return str(self.one("#answer").text)

    @property
    def title(self) -> str:
        """The verdict in a few words."""
        return str(self.one("#verdict").text)

    def one(self, selector: str) -> Any:
        """The element that a selector finds first."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def give(self, *files: Path) -> None:
        """Choose these files in place of those chosen before."""
        self._choose("#files", files)

    def say_whose(self, agency: str, period: str) -> None:
        """Choose agency and quarter."""
        self._choose("#profile", ())
        Select(self.one("#agency")).select_by_value(agency)
        Select(self.one("#period")).select_by_value(period)

    def give_profile(self, profile: Path, period: str) -> None:
        """Choose a profile in place of an agency."""
        self.run("document.querySelector('#profile').closest('details').open = true")
        self._choose("#profile", (profile,))
        Select(self.one("#period")).select_by_value(period)

    def press(self) -> None:
        """Press the button."""
        self.run("document.querySelector('#answer').hidden = true")
        self.one("#check").click()

    def check(self) -> None:
        """Press the button and wait for the answer."""
        self.press()
        self.until(lambda: self.one("#answer").is_displayed())

    def download(self, form: str) -> bytes:
        """Take the report with you."""
        before = set(self._downloads.iterdir())
        self.one(f"[data-form={form}]").click()
        self.until(lambda: bool(self._finished(before)))
        [file] = self._finished(before)
        data = file.read_bytes()
        file.unlink()
        return data

    def report(self) -> dict[str, Any]:
        """The report for programs."""
        found: dict[str, Any] = json.loads(self.download("json"))
        return found

    def run(self, script: str, *arguments: str) -> Any:
        """What a script says, that somebody got into the page; a promise of it is awaited."""
        return self.driver.execute_script(script, *arguments)

    def in_a_new_tab(self) -> None:
        """Leave the page open, and open an empty one."""
        self.driver.switch_to.new_window("tab")

    def back_to_the_first_tab(self) -> None:
        """Close this one."""
        self.driver.close()
        self.driver.switch_to.window(self.driver.window_handles[0])

    def until(self, holds: Callable[[], bool], *, seconds: float = SECONDS) -> None:
        """Wait for something that must come."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, (
                f"it did not come about; the page says {self.status}"
            )
            time.sleep(0.02)

    def _finished(self, before: set[Path]) -> list[Path]:
        fresh = set(self._downloads.iterdir()) - before
        named = [each for each in fresh if each.name.startswith(NAMES)]
        # While it is written it has another ending, and its own may stand for an empty file.
        return [each for each in named if each.suffix != ".crdownload" and each.stat().st_size]

    def _choose(self, selector: str, files: Sequence[Path]) -> None:
        field = self.one(selector)
        clear = "arguments[0].value = ''; arguments[0].dispatchEvent(new Event('change'))"
        self.driver.execute_script(clear, field)
        if files:
            field.send_keys("\n".join(map(str, files)))
