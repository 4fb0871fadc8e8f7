"""The clients of docs/agencies/tus.md, as the page has them, against the real web process."""

import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.crypto.peers.programs import missing, require
from tests.docs.pages import DOCS
from tests.gateway.breaking import breaking
from tests.gateway.processes import Processes
from tests.gateway.stand import POLICE, Sender, Stand, octets

PAGE = (DOCS / "agencies" / "tus.md").read_text()
TUSJS = Path(__file__).with_name("peers") / "tusjs" / "node_modules"
SIZE = (9 << 20) + 7


@pytest.fixture(scope="module")
def sender(stand: Stand) -> Sender:
    """An agency in good standing."""
    return stand.sender(POLICE)


@pytest.fixture
def desk(sender: Sender, tmp_path: Path) -> Path:
    """A folder with the token and what is to be sent."""
    (tmp_path / "token").write_text(f"{sender.token}\n")
    (tmp_path / "return.pgp").write_bytes(octets(SIZE))
    return tmp_path


def block(language: str, number: int = 0) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found[number])


def ran(desk: Path, url: str, program: str, name: str, *command: str) -> str:
    """Run what the page has, at another address; what it printed."""
    (desk / name).write_text(program.replace("https://gateway.example.org", url))
    done = subprocess.run(
        [*command, name], cwd=desk, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def arrived(stand: Stand, sender: Sender, desk: Path, path: str) -> None:
    shown = stand.get(path, sender).get_json()
    assert shown["sha256"] == sha256((desk / "return.pgp").read_bytes()).hexdigest()
    assert shown["channel"] == "tus"


def test_tuspy(stand: Stand, web: Processes, sender: Sender, desk: Path) -> None:
    path = ran(desk, web.url, block("python"), "send.py", sys.executable)
    arrived(stand, sender, desk, path)


def test_tus_js_client(stand: Stand, web: Processes, sender: Sender, desk: Path) -> None:
    node = require("node", "nodejs")
    if not TUSJS.exists():
        missing("tus-js-client is not installed (.ci/tools does it)")
    (desk / "node_modules").symlink_to(TUSJS)
    path = ran(desk, web.url, block("javascript"), "send.mjs", node)
    arrived(stand, sender, desk, path)


def test_curl_over_a_line_that_breaks(
    stand: Stand, web: Processes, sender: Sender, desk: Path
) -> None:
    require("curl", "curl")
    begin, send = block("sh", 0), block("sh", 1)
    with breaking(web.port, [10_000, 10_000, 3 << 20]) as line:
        ran(desk, line.url, begin, "begin.sh", "sh")
        (desk / "send.sh").write_text(f"GATEWAY_URL={line.url}\n{send}")
        said = ""
        for _ in range(5):
            done = subprocess.run(
                ["sh", "send.sh"], cwd=desk, capture_output=True, text=True, timeout=60, check=False
            )
            said = done.stdout.strip()
            if said:
                break
        assert line.broken == 1
    arrived(stand, sender, desk, said)


def test_a_pipe_has_no_length(web: Processes, desk: Path) -> None:
    shell = shutil.which("sh")
    assert shell is not None
    (desk / "authorisation").write_text(f"Authorization: Bearer {(desk / 'token').read_text()}")
    command = (
        "cat return.pgp | curl -sS --header @authorisation --request POST --upload-file - "
        f"--header 'Content-Type: application/pgp-encrypted' {web.url}/v1/submissions"
    )
    done = subprocess.run(
        [shell, "-c", command], cwd=desk, capture_output=True, text=True, timeout=60, check=False
    )
    assert '"length-required"' in done.stdout
