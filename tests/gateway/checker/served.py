"""The real web process with the built page, as `gateway web` serves it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from gateway.web.checker.site import Site, SiteRefused
from tests.crypto.peers.programs import missing
from tests.gateway.processes import free_port

BUILT = Path(__file__).parents[3] / ".checker"


@dataclass(frozen=True)
class Served:
    """A running web process."""

    url: str
    log: Path
    process: "subprocess.Popen[bytes]"

    def requests(self) -> int:
        """How many requests it has answered."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{"]
        return sum(line.get("event") == "request" for line in lines)

    def settled(self) -> int:
        """How many requests it has answered, once it has answered none for a second."""
        seen = -1
        while seen != (seen := self.requests()):
            time.sleep(1)
        return seen

    def stop(self) -> None:
        """End it; nothing listens at its address any more."""
        self.process.terminate()
        self.process.wait(timeout=30)


def require_built() -> Path:
    """The folder of the page. Without it a build fails; elsewhere the tests say why they skip."""
    try:
        Site.read(BUILT)
    except SiteRefused as refused:
        missing(f"the page is not built or not of this code ({refused}): make checker, with npm")
    return BUILT


@contextmanager
def serving(environ: Mapping[str, str], folder: Path, checker: Path | None) -> Iterator[Served]:
    """`gateway web` on loopback."""
    port = free_port()
    log = folder / f"web-{port}.log"
    variables = {**os.environ, **environ}
    variables.pop("CHECKER_FOLDER", None)
    if checker is not None:
        variables["CHECKER_FOLDER"] = str(checker)
    command = [sys.executable, "-m", "gateway", "web", "--bind", f"127.0.0.1:{port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--threads", "8"], env=variables, stdout=output, stderr=output
        )
    running = Served(f"http://127.0.0.1:{port}", log, process)
    try:
        _await(running)
        yield running
    finally:
        running.stop()


def _await(running: Served) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if requests.get(f"{running.url}/healthz", timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.05)
    raise TimeoutError(running.log.read_text())
