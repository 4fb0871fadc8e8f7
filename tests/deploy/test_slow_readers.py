"""Who takes answers by the octet, through nginx as shipped, from a gunicorn with four threads."""

import os
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from stat import S_ISREG

import pytest

from tests.deploy.nginx import NAMES, Nginx
from tests.gateway.paced import ABSORBED

REPORT = b"/v1/submissions/7d3c5a52-8d0e-4c7e-9a57-0c1f5a1f1d51/report.pgp"
PAGE = b"/check/pyodide.asm.wasm"
LARGE = 16 << 20
NEVER, SOON = 3600.0, 3.0


@contextmanager
def running(folder: Path, seconds: float) -> Iterator[Nginx]:
    """nginx before a gunicorn that gives a piece so many seconds."""
    prepared = Nginx.prepare(folder)
    _keep_little_on_the_line(folder / "gateway.conf")
    command = [sys.executable, "-m", "tests.gateway.paced", f"unix:{prepared.upstream}"]

    def answers() -> bool:
        return b" 200 " in prepared.talk(request(b"/healthz", 5)).split(b"\r\n")[0]

    with prepared.before([*command, str(seconds)], answers=answers):
        yield prepared


def _keep_little_on_the_line(configuration: Path) -> None:
    """As where a client is far away: on loopback the kernel takes some 2 MB off nginx's hands."""
    text, first = configuration.read_text(), " ssl default_server;"
    assert text.count(first) == 1
    configuration.write_text(text.replace(first, " ssl default_server sndbuf=4096;"))


def request(path: bytes, octets: int) -> bytes:
    host = NAMES[0].encode()
    return b"GET %s?octets=%d HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (
        path,
        octets,
        host,
    )


@contextmanager
def slow_readers(
    nginx: Nginx, path: bytes, octets: int = LARGE, *, count: int = 6
) -> Iterator[list[ssl.SSLSocket]]:
    """Some who have asked for much, have room for little, and have taken an octet."""
    with ExitStack() as lines:
        slow = []
        for _ in range(count):
            plain = socket.socket()
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.settimeout(20)
            plain.connect(("127.0.0.1", nginx.https))
            context = ssl.create_default_context(cafile=str(nginx.folder / "gateway.crt"))
            line = context.wrap_socket(plain, server_hostname=NAMES[0])
            lines.enter_context(closing(line))
            line.sendall(request(path, octets))
            slow.append(line)
        for line in slow[:4]:
            assert line.recv(1) == b"H"
        time.sleep(0.5)
        yield slow


def served_within(nginx: Nginx, seconds: float) -> bool:
    with nginx.line() as line:
        line.settimeout(seconds)
        line.sendall(request(b"/v1/certificate", 5))
        try:
            return b" 200 " in line.recv(4096)
        except TimeoutError:
            return False


def on_disk(nginx: Nginx) -> int:
    """Octets of the files that nginx has or holds open; what it spools to has no name any more."""
    found = [path.stat() for path in nginx.folder.rglob("*")]
    for held in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if os.readlink(held).startswith(f"{nginx.folder}/"):
                found.append(held.stat())
    files = {(each.st_dev, each.st_ino): each.st_blocks for each in found if S_ISREG(each.st_mode)}
    return sum(files.values()) * 512


def test_a_page_for_everyone_is_on_disk_once_and_no_thread_is_held(tmp_path: Path) -> None:
    """However many take it by the octet, whatever they add to its address, and from the start."""
    with running(tmp_path, NEVER) as nginx, slow_readers(nginx, PAGE, count=30):
        assert served_within(nginx, 5)
        with slow_readers(nginx, PAGE.replace(b"a", b"%61"), LARGE + 1, count=10):
            assert served_within(nginx, 5)
            assert on_disk(nginx) < LARGE + (1 << 20)


def test_what_is_an_agencys_is_on_no_disk_and_holds_a_thread_until_its_time_is_over(
    tmp_path: Path,
) -> None:
    with running(tmp_path, SOON) as nginx, slow_readers(nginx, REPORT) as slow:
        assert not served_within(nginx, 0.5)
        assert on_disk(nginx) < 1 << 20
        assert served_within(nginx, 15)
        taken = 0
        while block := slow[0].recv(1 << 16):
            taken += len(block)
        assert taken < LARGE


@pytest.mark.parametrize("octets", [1 << 10, ABSORBED])
def test_what_is_small_holds_nobody_up(tmp_path: Path, octets: int) -> None:
    """What the sockets and nginx's own memory take, the gateway is done with at once."""
    with running(tmp_path, NEVER) as nginx, slow_readers(nginx, REPORT, octets):
        assert served_within(nginx, 5)
