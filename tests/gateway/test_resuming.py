"""Clients of tus 1.0 over lines that break and gateways that are killed; ours is one of them."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import Thread
from time import sleep

import pytest

from gateway.client import LARGE, GatewayClient, Upload
from tests.gateway.breaking import breaking
from tests.gateway.processes import Processes
from tests.gateway.stand import COUNCIL, Sender, Stand, octets

MIB = 1 << 20
BREAKS = [3 * MIB, 700, 9 * MIB + 17, 500, 2 * MIB]
PEERS = Path(__file__).with_name("peers")
TUSJS = PEERS / "tusjs"

Send = Callable[[str, str, Path], str]
"""Sends a file with a token to a gateway; returns the path of the submission."""


@pytest.fixture(scope="module")
def sender(stand: Stand) -> Sender:
    """An agency in good standing."""
    return stand.sender(COUNCIL)


@pytest.fixture
def message(tmp_path: Path) -> Path:
    """What the gateway takes for a message until a worker opens it."""
    path = tmp_path / "message.pgp"
    path.write_bytes(octets(LARGE + 12345))
    return path


def ours(url: str, token: str, file: Path) -> str:
    client = GatewayClient(url, token, sleep=lambda seconds: sleep(min(seconds, 4.0)))
    submission = client.submit(Upload.of(file))
    client.close()
    return f"/v1/submissions/{submission['id']}"


def tuspy(url: str, token: str, file: Path) -> str:
    return done([sys.executable, str(PEERS / "tuspy_peer.py"), f"{url}/v1/uploads", token, file])


def tusjs(chunk: str) -> Send:
    peer = TUSJS / "peer.mjs"
    return lambda url, token, file: done(["node", peer, f"{url}/v1/uploads", token, file, chunk])


def done(command: list[str | Path]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (TUSJS / "node_modules").exists(),
    reason="tus-js-client is not installed (.ci/tools does it)",
)
CLIENTS = [
    pytest.param(ours, id="gateway submit"),
    pytest.param(tuspy, id="tuspy"),
    pytest.param(tusjs("all"), id="tus-js-client", marks=needs_node),
    pytest.param(tusjs(str(5 * MIB)), id="tus-js-client in pieces", marks=needs_node),
]


def same(stand: Stand, sender: Sender, path: str, file: Path) -> bool:
    """Whether the submission has the file's octets, as far as a SHA-256 tells."""
    shown = stand.get(path, sender).get_json()
    return (shown["sha256"], shown["channel"]) == (sha256(file.read_bytes()).hexdigest(), "tus")


@pytest.mark.parametrize("send", CLIENTS)
def test_over_a_line_that_holds(
    stand: Stand, web: Processes, sender: Sender, message: Path, send: Send
) -> None:
    assert same(stand, sender, send(web.url, sender.token, message), message)


@pytest.mark.parametrize("send", CLIENTS)
def test_over_a_line_that_breaks(
    stand: Stand, web: Processes, sender: Sender, message: Path, send: Send
) -> None:
    # The first request begins the upload; what breaks are the pieces.
    with breaking(web.port, [1 << 30, *BREAKS]) as line:
        assert same(stand, sender, send(line.url, sender.token, message), message)


@pytest.mark.parametrize("send", CLIENTS)
def test_while_the_gateway_is_killed(
    stand: Stand, web: Processes, sender: Sender, message: Path, send: Send
) -> None:
    found: list[str] = []
    sending = Thread(target=lambda: found.append(send(web.url, sender.token, message)))
    sending.start()
    for _ in range(3):
        sleep(0.15)
        web.kill("web")
        web.await_ready()
    sending.join(timeout=120)
    assert found
    assert same(stand, sender, found[0], message)


def test_a_package_of_many_mib_is_judged_like_any_other(
    stand: Stand, web: Processes, sender: Sender, tmp_path: Path
) -> None:
    """curl alone is enough: begin, send, break off, ask, go on."""
    package, url = tmp_path / "package.pgp", f"{web.url}/v1/uploads"
    package.write_bytes(sender.message(3))
    size = package.stat().st_size
    common = ["curl", "-sS", "-i", "-H", "Tus-Resumable: 1.0.0"]
    common += ["-H", f"Authorization: Bearer {sender.token}"]
    begun = _headers([*common, "-X", "POST", "-H", f"Upload-Length: {size}", url])
    where = web.url + begun["location"]
    piece = [*common, "-X", "PATCH", "-H", "Content-Type: application/offset+octet-stream"]
    data = package.read_bytes()
    (tmp_path / "first").write_bytes(data[:1000])
    _headers([*piece, "-H", "Upload-Offset: 0", "--data-binary", f"@{tmp_path}/first", where])
    at = int(_headers([*common, "--head", where])["upload-offset"])
    assert at == 1000
    (tmp_path / "rest").write_bytes(data[at:])
    ended = _headers(
        [*piece, "-H", f"Upload-Offset: {at}", "--data-binary", f"@{tmp_path}/rest", where]
    )
    shown = stand.get(ended["content-location"], sender).get_json()
    assert shown["sha256"] == sha256(data).hexdigest()


def _headers(command: list[str]) -> dict[str, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.partition(": ") for line in done.stdout.splitlines() if ": " in line]
    return {name.lower(): value.strip() for name, _, value in lines}
