"""Bodies that hardly move, against a real gunicorn whose pieces have two seconds."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from gateway.web.pace import PIECE, Pace
from tests.gateway.processes import free_port

SECONDS = 2.0


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where it listens; it answers four requests at once."""
    port = free_port()
    command = [sys.executable, "-m", "tests.gateway.paced", f"127.0.0.1:{port}", str(SECONDS)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:
        _await(port)
        yield port
        process.terminate()


def _await(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline
        time.sleep(0.1)


def begun(port: int, length: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=20)
    line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
    line.sendall(b"Content-Length: %d\r\n\r\n" % length)
    return line


def answer(line: socket.socket) -> str:
    data = b""
    with suppress(OSError):
        while block := line.recv(4096):
            data += block
    return data.partition(b"\r\n\r\n")[2].decode()


def test_who_sends_an_octet_now_and_then_is_ended_and_the_rest_are_served(port: int) -> None:
    slow = [begun(port, 1 << 20) for _ in range(4)]
    began, ended = time.monotonic(), 0
    while len(slow) > ended and time.monotonic() - began < 15:
        ended = 0
        for line in slow:
            try:
                line.sendall(b"x")
                line.settimeout(0.01)
                ended += line.recv(4096) is not None
            except TimeoutError:
                continue
            except OSError:
                ended += 1
        time.sleep(0.2)
    assert ended == len(slow)
    assert time.monotonic() - began >= SECONDS
    for line in slow:
        line.close()
    with closing(begun(port, 5)) as line:
        line.sendall(b"hello")
        assert answer(line) == "5\n"


def test_who_keeps_the_pace_may_take_longer_than_a_piece_has(port: int) -> None:
    """A body of six pieces over more time than any one of them has."""
    with closing(begun(port, 6 * PIECE)) as line:
        began = time.monotonic()
        for _ in range(12):
            line.sendall(b"x" * (PIECE // 2))
            time.sleep(SECONDS / 6)
        assert answer(line) == f"{6 * PIECE}\n"
        assert time.monotonic() - began > SECONDS


def test_what_had_come_before_is_read(port: int) -> None:
    """A whole piece, and then nothing: an early end, as of a line that broke."""
    with closing(begun(port, 3 * PIECE)) as line:
        line.sendall(b"x" * PIECE)
        assert answer(line) == f"{PIECE}\n"


def test_a_line_is_shut_only_while_somebody_reads_from_it() -> None:
    now = 0.0
    pace = Pace(seconds=1.0, clock=lambda: now)
    near, far = socket.socketpair()
    with near, far:
        with pace.reading(near):
            pass
        now = 5.0
        pace.end_the_slow()
        far.sendall(b"x")
        assert near.recv(1) == b"x"
        with pace.reading(near):
            now = 7.0
            pace.end_the_slow()
        assert near.recv(1) == b""
