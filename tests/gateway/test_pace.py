"""Bodies and answers that hardly move, against a real gunicorn whose pieces have two seconds."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from gateway.web.pace import PIECE, End, Pace, Paced, at_end
from tests.gateway.processes import free_port

SECONDS = 2.0
CLOSE = b"Connection: close"


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


def asked(port: int, octets: int, *headers: bytes) -> socket.socket:
    """A request for so many octets, by a client that has room for few."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(20)
    line.connect(("127.0.0.1", port))
    head = [b"GET /x?octets=%d HTTP/1.1" % octets, b"Host: x", *headers]
    line.sendall(b"\r\n".join([*head, b"", b""]))
    return line


def body_of(line: socket.socket, octets: int) -> int:
    """How many octets of a body of so many came, until the line ended."""
    data = b""
    with suppress(OSError):
        while (block := line.recv(1 << 16)) and not data.endswith(b"\r\n\r\n" + bytes(octets)):
            data += block
    return len(data.partition(b"\r\n\r\n")[2])


def test_who_takes_an_answer_by_the_octet_is_ended_and_the_rest_are_served(port: int) -> None:
    octets = 16 << 20
    slow = [asked(port, octets) for _ in range(4)]
    began = time.monotonic()
    with closing(asked(port, 5, CLOSE)) as line:
        for each in slow:
            assert each.recv(1) == b"H"
        assert body_of(line, 5) == 5
    assert SECONDS <= time.monotonic() - began < 15
    for line in slow:
        with line:
            assert body_of(line, octets) < octets


def test_who_takes_an_answer_in_pace_may_take_longer_than_a_piece_has(port: int) -> None:
    octets, taken = 8 << 20, 0
    with closing(asked(port, octets, CLOSE)) as line:
        began = time.monotonic()
        while block := line.recv(1 << 18):
            taken += len(block)
            time.sleep(max(0.0, began + 3 * SECONDS * taken / octets - time.monotonic()))
        assert time.monotonic() - began > SECONDS
    assert taken > octets


def test_who_was_answered_and_closes_nothing_keeps_nobody_out(port: int) -> None:
    """Twenty of them; gunicorn's own loop would wait two seconds for each."""
    lines = [asked(port, 5, CLOSE) for _ in range(20)]
    began = time.monotonic()
    with closing(asked(port, 5, CLOSE)) as line:
        assert body_of(line, 5) == 5
    assert time.monotonic() - began < 12
    for line in lines:
        with line:
            assert body_of(line, 5) == 5


class Line:
    """What gunicorn does with an application, on a line between two sockets."""

    def __init__(self, blocks: Iterable[bytes], pace: Pace) -> None:
        self.near, self.far = socket.socketpair()
        self.ends: list[End] = []

        def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            del start
            at_end(environ, self.ends.append)
            return blocks

        environ: dict[str, Any] = {"gunicorn.socket": self.near, "wsgi.input": BytesIO()}
        self.answer: Any = Paced(app, pace)(environ, lambda *_: lambda _: None)

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.answer.close()
        self.near.close()
        self.far.close()


def test_an_answer_is_cut_into_pieces_and_ends_when_it_is_closed() -> None:
    with Line([bytes(2 * PIECE + 1), b"", b"x"], Pace(clock=time.monotonic)) as line:
        assert [len(each) for each in line.answer] == [PIECE, PIECE, 1, 1]
        assert line.ends == []
        line.answer.close()
        assert line.ends == [End.WHOLE]


def test_how_an_answer_ended_is_told() -> None:
    def fails() -> Iterator[bytes]:
        yield b"x"
        raise ZeroDivisionError

    now = 0.0
    pace = Pace(seconds=1.0, clock=lambda: now)
    with Line([b"x", b"y"], pace) as gone, Line([b"x", b"y"], pace) as slow:
        next(gone.answer)
        gone.answer.close()
        next(slow.answer)
        now = 5.0
        pace.end_the_slow()
        with pytest.raises(BrokenPipeError):
            slow.near.sendall(b"x")
        slow.answer.close()
        assert (gone.ends, slow.ends) == ([End.GONE], [End.SLOW])
    with Line(fails(), pace) as broken:
        with pytest.raises(ZeroDivisionError):
            list(broken.answer)
        broken.answer.close()
        assert broken.ends == [End.BROKEN]


def _fails(_: End) -> None:
    raise BrokenPipeError


@pytest.mark.parametrize("begins", [True, False])
def test_a_step_that_fails_keeps_no_other_from_being_taken(begins: bool) -> None:
    """As where the journal's reader is gone: an agency would miss its share until a restart."""
    taken: list[str] = []

    def app(environ: dict[str, Any], _: Any) -> Iterable[bytes]:
        at_end(environ, lambda _: taken.append("first"))
        at_end(environ, _fails)
        at_end(environ, _fails)
        at_end(environ, lambda _: taken.append("last"))
        if begins:
            return [b"x"]
        raise ZeroDivisionError

    def answered(line: socket.socket) -> None:
        environ: dict[str, Any] = {"gunicorn.socket": line, "wsgi.input": BytesIO()}
        answer: Any = Paced(app, Pace(clock=time.monotonic))(environ, lambda *_: lambda _: None)
        answer.close()

    near, far = socket.socketpair()
    with near, far, pytest.raises(BrokenPipeError):
        answered(near)
    assert taken == ["first", "last"]


def connections(port: int) -> int:
    """How many the worker believes to have, this one among them."""
    with closing(asked_for(port, b"/connections")) as line:
        return int(answer(line))


def asked_for(port: int, path: bytes) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=20)
    line.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path)
    return line


def test_an_answer_that_breaks_off_is_counted_out_once(port: int) -> None:
    """Otherwise the worker takes more connections than it may, and leaves some when it stops."""
    for _ in range(5):
        with closing(asked_for(port, b"/breaks")) as line:
            assert answer(line).startswith("5\r\nbegun")
    deadline = time.monotonic() + 20
    while (found := connections(port)) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert found == 1


def test_the_time_that_the_gateway_takes_is_not_its_readers() -> None:
    now = 0.0
    pace = Pace(seconds=1.0, clock=lambda: now)

    def slowly_made() -> Iterator[bytes]:
        nonlocal now
        yield b"x"
        now += 5.0
        pace.end_the_slow()
        yield b"y"

    with Line(slowly_made(), pace) as line:
        for piece in line.answer:
            line.near.sendall(piece)
        line.answer.close()
        assert line.far.recv(10) == b"xy"
        assert line.ends == [End.WHOLE]


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
