"""The one copy that nginx keeps of the page that checks: what is in it, and what is not."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from gzip import decompress
from pathlib import Path

import pytest

from gateway.web.checker.packing import ARCHIVE, pack_validators
from gateway.web.checker.routes import HEADERS, KEPT, WORKER_POLICY
from tests.deploy.nginx import NAMES, Nginx
from tests.deploy.page import WORKER, write_page

SCRIPT = "/check/1/worker.js"


@dataclass(frozen=True)
class Front:
    """nginx, and the gateway behind it, which can be ended."""

    nginx: Nginx
    web: "subprocess.Popen[bytes]"

    def ask(self, path: str, *headers: str, method: str = "GET") -> tuple[int, Message, bytes]:
        """Status, headers and body of an answer."""
        return ask(self.nginx, path, *headers, method=method)

    def forget(self) -> None:
        """As an operator empties the folder, under a running nginx."""
        for copy in self.nginx.folder.glob("gateway-check/*/*"):
            copy.unlink()

    def end_the_gateway(self) -> None:
        """From now on nginx has only what it kept."""
        self.web.terminate()
        self.web.wait(timeout=40)


def ask(nginx: Nginx, path: str, *headers: str, method: str = "GET") -> tuple[int, Message, bytes]:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {NAMES[0]}", "Connection: close", *headers]
    with nginx.line() as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    return int(first.split()[1]), message_from_bytes(rest), body


@contextmanager
def running(folder: Path) -> Iterator[Front]:
    nginx = Nginx.prepare(folder)
    write_page(folder / "page")
    command = [sys.executable, "-m", "tests.deploy.page", str(nginx.upstream), f"{folder}/page"]
    with nginx.before(command, answers=lambda: ask(nginx, "/check/")[0] == 200) as web:
        yield Front(nginx, web)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """Of one test, which may end the gateway."""
    with running(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Of several tests, which leave the gateway alone."""
    with running(tmp_path_factory.mktemp("front")) as made:
        yield made


def test_what_is_kept_has_the_gateways_headers(front: Front) -> None:
    """The policy that lets the worker connect nowhere above all."""
    first = front.ask(SCRIPT)
    front.end_the_gateway()
    for status, headers, body in (first, front.ask(SCRIPT)):
        assert (status, body) == (200, WORKER)
        assert headers["Content-Security-Policy"] == WORKER_POLICY
        assert headers["Cache-Control"] == KEPT
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert "max-age" in headers["Strict-Transport-Security"]
        assert HEADERS.items() <= dict(headers).items()
        assert "X-Request-Id" not in headers


def test_a_copy_is_spared_compressed_and_asked_about_without_the_gateway(front: Front) -> None:
    front.ask(SCRIPT)
    front.end_the_gateway()
    _, whole, _ = front.ask(SCRIPT)
    status, packed, body = front.ask(SCRIPT, "Accept-Encoding: gzip")
    assert (status, packed["Content-Encoding"], packed["Vary"]) == (200, "gzip", "Accept-Encoding")
    assert decompress(_joined(body)) == WORKER
    for headers in (whole, packed):
        status, _, body = front.ask(SCRIPT, f"If-None-Match: {headers['ETag']}")
        assert (status, body) == (304, b"")
    status, head, body = front.ask(SCRIPT, method="HEAD")
    assert (status, head["Content-Length"], body) == (200, str(len(WORKER)), b"")


def test_what_is_not_for_ever_is_not_kept(front: Front) -> None:
    """The page and its digests, which an upgrade changes; what there is not; what is refused."""
    paths = ["/check/", "/check/SHA256SUMS", "/check/index.html", "/check/1/none.js"]
    for path in paths:
        front.ask(path)
    front.ask("/check/1/validators.zip", "Content-Length: 0", method="POST")
    front.end_the_gateway()
    assert {front.ask(path)[0] for path in [*paths, "/check/1/validators.zip"]} == {503}


def test_who_leaves_midway_leaves_a_whole_copy(front: Front) -> None:
    path = f"/check/1/{ARCHIVE}"
    with front.nginx.line() as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: {NAMES[0]}\r\n\r\n".encode())
        assert line.recv(1) == b"H"
    front.end_the_gateway()
    status, _, body = front.ask(path)
    assert (status, body) == (200, pack_validators())


@pytest.mark.parametrize(
    ("path", "header"),
    [
        (SCRIPT, "Range: bytes=0-3"),
        (SCRIPT, 'If-None-Match: "x"'),
        (SCRIPT, "Accept-Encoding: gzip"),
        (SCRIPT, "Authorization: Bearer x"),
        (f"{SCRIPT}?x=1", "Cookie: x=1"),
        ("/check/1//worker.js", "Accept: */*"),
        ("/check/./1/worker.js", "Accept: */*"),
        ("/check/x/../1/worker.js", "Accept: */*"),
        ("/check/1%2fworker.js", "Accept: */*"),
        ("/check/1/..%2f1/worker.js", "Accept: */*"),
        ("/check/SHA256SUMS/%2e%2e/1/worker.js", "Accept: */*"),
    ],
)
def test_who_asks_first_and_strangely_changes_nothing_for_others(
    lasting: Front, path: str, header: str
) -> None:
    lasting.forget()
    lasting.ask(path, header)
    status, headers, body = lasting.ask(SCRIPT)
    assert (status, body) == (200, WORKER)
    assert headers["Content-Security-Policy"] == WORKER_POLICY
    assert "Content-Encoding" not in headers


def _joined(body: bytes) -> bytes:
    """A body without its chunks."""
    joined = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        joined, body = joined + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return joined
