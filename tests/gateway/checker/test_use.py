"""What a person meets: what is missing, stopping, a dying worker, a dead network, files to keep."""

from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.gateway.checker.chromium import Page, chromium
from tests.gateway.checker.returns import as_files, spoiled
from tests.gateway.checker.served import Served, require_built, serving
from tests.validators import samples

PERIOD = "2026Q1"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A return with mistakes, as CSV files."""
    folder = tmp_path_factory.mktemp("files")
    made = as_files(spoiled(), "csv")
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in made]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More rows than are judged in a few seconds."""
    path = tmp_path_factory.mktemp("many") / "CASE.csv"
    header, *rows = as_files(samples.children(40), "csv")["CASE.csv"].splitlines(keepends=True)
    path.write_bytes(header + b"".join(rows) * 1_000)
    return path


def test_what_is_missing_is_said_at_the_top_and_leads_to_its_field(page: Page, web: Served) -> None:
    page.open(f"{web.url}/check/")  # whatever an earlier test chose is chosen no more
    page.press()
    faults = page.one("#faults")
    assert page.run("return document.activeElement.id") == "faults"
    assert faults.text.splitlines()[1:] == ["Choose at least one file", "Choose your agency"]
    page.one("#faults li:last-child a").click()
    assert page.run("return document.activeElement.id") == "agency"


def test_bare_files_are_checked_for_an_agency_and_the_answer_takes_the_focus(
    page: Page, files: list[Path]
) -> None:
    page.give(*files)
    page.say_whose(samples.AGENCY_ID, PERIOD)
    page.check()
    assert not page.one("#faults").is_displayed()
    assert page.run("return document.activeElement.id") == "verdict"
    assert page.title == "The gateway would accept a part of it"
    assert "CASE.csv, column sex, row 2" in page.answer
    assert "'<img src=x onerror=document.title='taken'>' is not in" in page.answer
    assert page.run("return document.images.length") == 0


def test_a_finding_explains_its_rule_and_links_to_it(page: Page, web: Served) -> None:
    assert page.one(".rule a").get_attribute("href") == f"{web.url}/standard/1.0/rules#CT-016"


def test_the_records_come_back_with_marks_and_the_report_in_three_forms(
    page: Page, files: list[Path], web: Served
) -> None:
    marked = load_workbook(BytesIO(page.download("xlsx")))
    comments = [c.coordinate for row in marked["CASE"].iter_rows() for c in row if c.comment]
    assert comments[0].endswith("2")
    html = page.download("html").decode()
    assert "&lt;img src=x" in html
    assert f"{web.url}/standard/1.0/rules#CT-016" in html
    rows = page.download("csv").decode("utf-8-sig").splitlines()
    assert rows[0].startswith("severity,rule,file")
    assert page.report()["verdict"] == "accepted-in-part"


def test_a_package_asks_for_no_facts(page: Page, tmp_path: Path) -> None:
    package = tmp_path / "return.zip"
    package.write_bytes(b"no archive")
    page.give(package)
    assert not page.one("#facts").is_displayed()
    page.check()
    assert page.title == "Not checked"
    assert "not-a-zip" in page.answer


def test_a_file_that_has_gone_is_said_so(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "CASE.csv"
    file.write_bytes(b"record_id\r\n")
    page.give(file)
    page.say_whose(samples.AGENCY_ID, PERIOD)
    file.unlink()
    page.check()
    assert "cannot be read" in page.answer


def test_the_page_stays_alive_while_it_checks_and_can_be_stopped(page: Page, many: Path) -> None:
    page.give(many)
    page.say_whose(samples.AGENCY_ID, PERIOD)
    page.press()
    page.until(lambda: "rows in" in page.one("#count").text)
    assert page.run("return 6 * 7") == 42
    page.one("#stop").click()
    page.until(lambda: page.status == "Stopped. Nothing was sent.")
    assert not page.one("#answer").is_displayed()


def test_a_worker_that_dies_is_said_so_and_begun_anew(page: Page, files: list[Path]) -> None:
    """It is asked what it cannot answer, which ends as Python does when its memory is full."""
    page.give(*files)
    page.say_whose(samples.AGENCY_ID, PERIOD)
    page.run(
        "window.kept = Worker.prototype.postMessage;"
        "Worker.prototype.postMessage = function (question) {"
        "  kept.call(this, question.ask === 'check' ? { ask: 'nothing known' } : question)"
        "}"
    )
    page.check()
    assert page.title == "Not checked"
    assert "The check broke off" in page.answer
    page.run("Worker.prototype.postMessage = kept")
    page.check()
    assert page.title == "The gateway would accept a part of it"


def test_no_request_is_made_after_the_page_has_loaded(
    page: Page, web: Served, files: list[Path]
) -> None:
    before = web.requests()
    page.give(*files)
    page.say_whose(samples.AGENCY_ID, PERIOD)
    page.check()
    page.download("html")
    assert before > 0
    assert web.requests() == before


def test_it_fits_a_telephone(page: Page, tmp_path: Path) -> None:
    [(name, data)] = as_files(spoiled(), "xlsx").items()
    workbook = tmp_path / name
    workbook.write_bytes(data)
    size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.give(workbook)
    page.say_whose(samples.AGENCY_ID, PERIOD)
    page.check()
    assert page.run("return document.documentElement.scrollWidth") <= 390
    assert page.run("return document.querySelector('.wide').scrollWidth") <= 390 - 2 * 16
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_report_fits_a_telephone_too(page: Page, files: list[Path], tmp_path: Path) -> None:
    page.give(*files)
    page.say_whose(samples.AGENCY_ID, PERIOD)
    page.check()
    report = tmp_path / "report.html"
    report.write_bytes(page.download("html"))
    page.in_a_new_tab()
    size = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.driver.get(report.as_uri())
    assert page.run("return document.documentElement.scrollWidth") <= 360
    page.back_to_the_first_tab()


def test_it_checks_and_begins_anew_with_the_gateway_gone(
    checker_environ: dict[str, str], tmp_path: Path, files: list[Path], many: Path
) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    with (
        serving(checker_environ, tmp_path, require_built()) as web,
        chromium(web.url, downloads) as page,
    ):
        web.stop()
        page.give(many)
        page.say_whose(samples.AGENCY_ID, PERIOD)
        page.press()
        page.until(lambda: page.one("#stop").is_displayed())
        page.one("#stop").click()
        page.give(*files)
        page.check()
        assert page.title == "The gateway would accept a part of it"
        assert page.report()["verdict"] == "accepted-in-part"
