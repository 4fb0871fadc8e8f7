"""A real HTTP server of static files, as a mirror of the log: any web server would do."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any


@dataclass
class Mirror:
    """Its address, every path that it was asked for with the token that came along, and how many
    at once."""

    url: str = ""
    delay: float = 0.0
    answering: int = 0
    most_at_once: int = 0
    lock: Lock = field(default_factory=Lock)
    asked: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)


@contextmanager
def mirrored(folder: Path, *, delay: float = 0.0) -> Iterator[Mirror]:
    """Serve a folder; each answer comes after `delay` seconds."""
    mirror = Mirror(delay=delay)
    handler = partial(_Handler, mirror=mirror, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    mirror.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield mirror
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 2

    def __init__(self, *arguments: Any, mirror: Mirror, **named: Any) -> None:
        self._mirror = mirror
        super().__init__(*arguments, **named)

    def do_GET(self) -> None:
        self._mirror.asked.append(self.path)
        self._mirror.tokens.append(self.headers.get("Authorization"))
        with self._mirror.lock:
            self._mirror.answering += 1
            self._mirror.most_at_once = max(self._mirror.most_at_once, self._mirror.answering)
        time.sleep(self._mirror.delay)
        with self._mirror.lock:
            self._mirror.answering -= 1
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
