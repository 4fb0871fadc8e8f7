"""A real HTTP server that answers as a test tells it, for what a good gateway never does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass(frozen=True)
class Answer:
    """One answer; `cut` closes the connection after that many bytes of the body."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


DROPPED = Answer(status=0)
"""No answer at all: the connection is closed."""


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Scripted:
    """The server: its address, what it still has to answer, and what it was asked."""

    url: str
    answers: list[Answer]
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def scripted(*answers: Answer) -> Iterator[Scripted]:
    """Serve these answers, one a request; the last one again and again."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    script = Scripted(f"http://127.0.0.1:{server.server_port}", list(answers))
    server.script = script  # type: ignore[attr-defined]  # the handler knows its server only
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A client that keeps its connection open must not keep the server's thread.
    timeout = 2

    def do_GET(self) -> None:
        script: Scripted = self.server.script  # type: ignore[attr-defined]
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        script.asked.append(Asked(self.command, self.path, dict(self.headers), body))
        answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
        self.close_connection = True
        if answer is DROPPED:
            return
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body[: answer.cut])

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
