"""A line that breaks: a proxy on loopback that cuts connections after so many octets."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread


class Breaking:
    """Forwards to a port; each connection ends once the next of `after` octets went through it.

    After the last of them connections hold.
    """

    def __init__(self, port: int, after: list[int]) -> None:
        self._target = port
        self._after = list(after)
        self.broken = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            most = self._after.pop(0) if self._after else None
            Thread(target=self._serve, args=(line, most), daemon=True).start()

    def _serve(self, line: socket.socket, most: int | None) -> None:
        with line, socket.create_connection(("127.0.0.1", self._target)) as far:
            back = Thread(target=_copy, args=(far, line, None), daemon=True)
            back.start()
            if _copy(line, far, most):
                self.broken += 1
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                far.shutdown(socket.SHUT_WR)
            back.join(timeout=30)


def _copy(source: socket.socket, target: socket.socket, most: int | None) -> bool:
    """Copy until the end, or until so many octets went; tell whether it was cut."""
    left = most
    with suppress(OSError):
        while block := source.recv(65536 if left is None else min(65536, left)):
            target.sendall(block)
            if left is not None:
                left -= len(block)
                if left == 0:
                    return True
    return False


@contextmanager
def breaking(port: int, after: list[int]) -> Iterator[Breaking]:
    """A line that breaks, for a while."""
    line = Breaking(port, after)
    try:
        yield line
    finally:
        line.close()
