"""A line on loopback that breaks: passes bytes on to a server until so many have gone there."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread


@dataclass
class Relay:
    """Where it listens, where each connection breaks, and how many bytes have gone to the server.

    `breaks` has one number for each connection that is to break, in order; later ones last.
    """

    server_port: int
    breaks: list[int]
    sent: int = 0
    connections: int = 0
    port: int = 0

    def accept(self, listener: socket.socket) -> None:
        """Serve one connection after the other, until the listener is closed."""
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                self.connections += 1
                most = self.breaks.pop(0) if self.breaks else None
                far = socket.create_connection(("127.0.0.1", self.server_port), timeout=30)
                back = Thread(target=self._pump, args=(far, near), daemon=True)
                back.start()
                self._there(near, far, most)
                for each in (near, far):
                    with suppress(OSError):
                        each.shutdown(socket.SHUT_RDWR)
                back.join(timeout=10)
                near.close()
                far.close()

    def _there(self, near: socket.socket, far: socket.socket, most: int | None) -> None:
        passed = 0
        with suppress(OSError):
            while (block := near.recv(1 << 15)) and (most is None or passed < most):
                far.sendall(block)
                passed += len(block)
                self.sent += len(block)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while block := source.recv(1 << 15):
                sink.sendall(block)
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def relay(server_port: int, *breaks: int) -> Iterator[Relay]:
    """A relay to a port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = Relay(server_port, list(breaks), port=listener.getsockname()[1])
        thread = Thread(target=line.accept, args=(listener,), daemon=True)
        thread.start()
        try:
            yield line
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=10)
