"""A line that breaks: between a sender and the gateway, after as many octets as it is told."""

import socket
import struct
from contextlib import suppress
from threading import Lock, Thread

BLOCK = 1 << 14


class Line:
    """Carries connections to a port of this machine.

    Where it is cut the sender sees a reset. The gateway sees a connection that ends in good order
    and too early, which is what is easier to take for the end of a message.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = Lock()
        self._left: int | None = None
        self._silent = False
        self._thread = Thread(target=self._serve, daemon=True)
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0

    def cut_after(self, octets: int) -> None:
        """Cut it, once, when so many more octets have gone to the gateway."""
        with self._lock:
            self._left = octets

    def cut_answer(self) -> None:
        """Cut it, once, before the next octet that comes from the gateway."""
        with self._lock:
            self._silent = True

    def __enter__(self) -> "Line":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                sender, _ = self._listener.accept()
                Thread(target=self._carry, args=(sender,), daemon=True).start()

    def _carry(self, sender: socket.socket) -> None:
        try:
            gateway = socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            sender.close()
            return
        back = Thread(target=self._bring, args=(gateway, sender), daemon=True)
        back.start()
        with sender, gateway:
            self._take(sender, gateway)
            back.join()

    def _take(self, sender: socket.socket, gateway: socket.socket) -> None:
        with suppress(OSError):
            while data := sender.recv(BLOCK):
                allowed, ends = self._allowed(len(data))
                gateway.sendall(data[:allowed])
                if ends:
                    _reset(sender)
                    break
        with suppress(OSError):
            gateway.shutdown(socket.SHUT_WR)

    def _bring(self, gateway: socket.socket, sender: socket.socket) -> None:
        with suppress(OSError):
            while data := gateway.recv(BLOCK):
                if self._swallows():
                    _reset(sender)
                    gateway.shutdown(socket.SHUT_RDWR)
                    return
                sender.sendall(data)
        with suppress(OSError):
            sender.shutdown(socket.SHUT_RDWR)

    def _allowed(self, count: int) -> tuple[int, bool]:
        """How many octets may still go, and whether that was the last of them."""
        with self._lock:
            if self._left is None:
                return count, False
            allowed = min(count, self._left)
            self._left -= allowed
            if self._left:
                return allowed, False
            self._left, self.cuts = None, self.cuts + 1
            return allowed, True

    def _swallows(self) -> bool:
        with self._lock:
            silent, self._silent = self._silent, False
            self.cuts += silent
            return silent


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)
