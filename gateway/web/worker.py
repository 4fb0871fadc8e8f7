"""gunicorn's worker of many threads, whose loop waits for nobody.

Having answered, gunicorn waits up to two seconds for a client to close its end, and does so in the
loop that lets everybody else in: one client in two seconds that asks for `Connection: close` and
then closes nothing kept all others out. Here the thread that answered waits, and not for as long.

Where an answer broke off after its head, gunicorn's thread closes the connection and its loop does
so once more, fails, and counts the connection out twice. Here the loop finds nothing to close.
"""

import socket
from contextlib import suppress
from time import monotonic
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

LEAVE_SECONDS = 1.0
MOST_DRAINED = 64 << 10
_CLOSED = -1


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Takes leave of a client before the loop closes the connection."""

    def handle(self, conn: Any) -> Any:
        """Answer a request; False where the connection ends with it."""
        stays = super().handle(conn)
        if conn.sock.fileno() == _CLOSED:
            conn.close = _close_no_more
        elif stays is False:
            _take_leave(conn.sock)
        return stays


def _close_no_more(*, graceful: bool = False) -> None:
    """In place of a connection's `close`: the thread that answered has closed it."""
    del graceful


def _take_leave(line: socket.socket) -> None:
    """Say that nothing more comes, and hear the client out, so that it gets what was said last."""
    with suppress(OSError):
        line.shutdown(socket.SHUT_WR)
        until, drained = monotonic() + LEAVE_SECONDS, 0
        with suppress(TimeoutError):
            while drained < MOST_DRAINED and (left := until - monotonic()) > 0:
                line.settimeout(left)
                block = line.recv(4096)
                if not block:
                    break
                drained += len(block)
        # Whoever closes it now need not wait.
        line.shutdown(socket.SHUT_RD)
