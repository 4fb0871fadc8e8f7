"""Ends bodies and answers that hardly move, each of which holds a thread for as long as it takes.

nginx ends a body of which nothing comes for twenty seconds, and an answer of which nothing is taken
for thirty. One octet every nineteen it lets pass, and so a few connections could hold every thread
for days. Here a piece of 64 KiB has a minute. When that is over, of a body the receiving half of
the connection is shut, and whoever reads sees an early end, as of any connection that broke; what
had arrived of an upload in pieces is kept. Of an answer the whole connection is shut, so that its
reader cannot take a part for everything.

gunicorn sends a piece between our giving it and its asking for the next. So an answer has ended
when it is closed and not when a view returns, and here is who knows how: `at_end`.
"""

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from struct import pack
from threading import Event, Lock, Thread, get_ident
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PIECE = 64 << 10
PIECE_SECONDS = 60.0
LOOK_SECONDS = 1.0
_STEPS = "gateway.at_end"
_AT_ONCE = pack("ii", 1, 0)


class End(StrEnum):
    """How an answer ended."""

    WHOLE = "whole"
    SLOW = "too-slow"
    GONE = "client-gone"
    BROKEN = "broken-off"


Step = Callable[[End], None]


def at_end(environ: "WSGIEnvironment", step: Step) -> None:
    """Have something done once the answer has been handed to the network, or never will be.

    At once where no server looks after that.
    """
    steps: list[Step] | None = environ.get(_STEPS)
    if steps is None:
        step(End.WHOLE)
    else:
        steps.append(step)


@dataclass(frozen=True, slots=True)
class _Moving:
    """A piece on its way, and which half of its line ends with it."""

    line: socket.socket
    half: int
    began: float
    is_shut: bool = False


class Pace:
    """The connections of one process on which a piece moves now; any thread may use it."""

    def __init__(self, *, seconds: float = PIECE_SECONDS, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._moving: dict[int, _Moving] = {}

    def keep(self) -> None:
        """Look after them from now on, beside everything else."""
        Thread(target=self._keep, name="pace", daemon=True).start()

    @contextmanager
    def reading(self, line: socket.socket) -> Iterator[None]:
        """Around the reading of one piece."""
        self._begin(line, socket.SHUT_RD)
        try:
            yield
        finally:
            self.ended()

    def writing(self, line: socket.socket) -> None:
        """From now on this thread sends a piece, until `ended`."""
        self._begin(line, socket.SHUT_RDWR)

    def ended(self) -> bool:
        """This thread moves nothing any more; whether its line was shut for that."""
        # From here on the connection may be another request's: it is not shut any more.
        with self._lock:
            found = self._moving.pop(get_ident(), None)
        return found is not None and found.is_shut

    def end_the_slow(self) -> None:
        """Shut every connection whose piece is overdue."""
        with self._lock:
            for thread, piece in self._moving.items():
                if self._clock() - piece.began > self._seconds:
                    self._moving[thread] = replace(piece, is_shut=True)
                    _end(piece)

    def _begin(self, line: socket.socket, half: int) -> None:
        with self._lock:
            self._moving[get_ident()] = _Moving(line, half, self._clock())

    def _keep(self) -> None:
        pause = Event()
        while not pause.wait(LOOK_SECONDS):
            self.end_the_slow()


def _end(piece: _Moving) -> None:
    with suppress(OSError):
        if piece.half == socket.SHUT_RDWR:
            # What the kernel holds of an answer goes with the connection, not in its own time.
            piece.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        piece.line.shutdown(piece.half)


class Paced:
    """A WSGI application whose bodies and answers must keep the pace."""

    def __init__(self, app: "WSGIApplication", pace: Pace) -> None:
        self._app = app
        self._pace = pace

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        line = environ.get("gunicorn.socket")
        if line is None:
            return self._app(environ, start_response)
        environ["wsgi.input"] = _Body(environ["wsgi.input"], line, self._pace)
        steps: list[Step] = []
        environ[_STEPS] = steps
        try:
            blocks = self._app(environ, start_response)
        except BaseException:
            _finish(steps, End.BROKEN)
            raise
        return _Answer(blocks, line, self._pace, steps)


def _finish(steps: list[Step], end: End) -> None:
    """Take every step once, whatever another raises, in the order in which they were asked for.

    So an agency has its share back before the journal, whose reader may be gone, is written.
    """
    with ExitStack() as stack:
        while steps:
            stack.callback(steps.pop(), end)


class _Body:
    """What werkzeug reads of `wsgi.input`."""

    def __init__(self, body: Any, line: socket.socket, pace: Pace) -> None:
        self._body = body
        self._line = line
        self._pace = pace

    def read(self, size: int = -1, /) -> bytes:
        """At most a piece; everything where no size is given."""
        if size < 0:
            return b"".join(iter(lambda: self.read(PIECE), b""))
        with self._pace.reading(self._line):
            block: bytes = self._body.read(min(size, PIECE))
        return block


class _Answer:
    """What gunicorn sends, a piece at a time."""

    def __init__(
        self, blocks: Iterable[bytes], line: socket.socket, pace: Pace, steps: list[Step]
    ) -> None:
        self._blocks = blocks
        self._pieces = _pieces(blocks)
        self._line = line
        self._pace = pace
        self._steps = steps
        self._end = End.GONE

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next piece; the time until the call after this is the client's."""
        self._pace.ended()
        self._end = End.BROKEN
        piece = next(self._pieces, b"")
        self._end = End.GONE
        self._pace.writing(self._line)
        if not piece:
            self._end = End.WHOLE  # but for what says so, which is sent before it is closed
            raise StopIteration
        return piece

    def close(self) -> None:
        """It was sent, or is not sent any further."""
        if self._pace.ended():
            self._end = End.SLOW
        try:
            close = getattr(self._blocks, "close", None)
            if close is not None:
                close()
        finally:
            _finish(self._steps, self._end)


def _pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        for at in range(0, len(block), PIECE):
            yield block[at : at + PIECE]
