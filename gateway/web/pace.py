"""Ends bodies that hardly move, each of which holds a thread for as long as it comes.

nginx ends a body of which nothing comes for twenty seconds. One octet every nineteen it lets pass,
and so a few connections could hold every thread for days. Here a piece of 64 KiB has a minute: when
that is over, the receiving half of the connection is shut, and whoever reads sees an early end, as
of any connection that broke. What had arrived of an upload in pieces is kept.
"""

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread, get_ident
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PIECE = 64 << 10
PIECE_SECONDS = 60.0
LOOK_SECONDS = 1.0


class Pace:
    """The connections of one process from which somebody reads now; any thread may use it."""

    def __init__(self, *, seconds: float = PIECE_SECONDS, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._reading: dict[int, tuple[float, socket.socket]] = {}

    def keep(self) -> None:
        """Look after them from now on, beside everything else."""
        Thread(target=self._keep, name="pace", daemon=True).start()

    @contextmanager
    def reading(self, line: socket.socket) -> Iterator[None]:
        """Around the reading of one piece."""
        with self._lock:
            self._reading[get_ident()] = (self._clock(), line)
        try:
            yield
        finally:
            # From here on the connection may be another request's: it is not shut any more.
            with self._lock:
                del self._reading[get_ident()]

    def end_the_slow(self) -> None:
        """Shut every connection whose piece is overdue."""
        with self._lock:
            for began, line in self._reading.values():
                if self._clock() - began > self._seconds:
                    with suppress(OSError):
                        line.shutdown(socket.SHUT_RD)

    def _keep(self) -> None:
        pause = Event()
        while not pause.wait(LOOK_SECONDS):
            self.end_the_slow()


class Paced:
    """A WSGI application whose bodies must keep the pace."""

    def __init__(self, app: "WSGIApplication", pace: Pace) -> None:
        self._app = app
        self._pace = pace

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        line = environ.get("gunicorn.socket")
        if line is not None:
            environ["wsgi.input"] = _Body(environ["wsgi.input"], line, self._pace)
        return self._app(environ, start_response)


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
