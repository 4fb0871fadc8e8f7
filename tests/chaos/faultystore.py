"""An object store that misbehaves: it stands between the gateway and the one that does not.

Requests are passed on as they came, so that their signatures hold. Which of them meets a fault is
said from outside, and may be changed while it runs.
"""

import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import urlsplit

SLOW_SECONDS = 1.5
HOPS = frozenset({"connection", "expect", "transfer-encoding", "keep-alive"})
"""Headers that are between two neighbours and no third."""


class Fault(StrEnum):
    """What can happen to a request."""

    NONE = "none"
    SLOW = "slow"
    FAILS = "500"
    BUSY = "503"
    REFUSED = "refused"
    """The connection ends before anything is read, as where nobody listens."""
    UNTOLD = "untold"
    """It is done, and the connection ends before the answer."""
    TWICE = "twice"
    """It is done twice, as by a client or a balancer that tries again; the second is answered."""


def no_fault() -> Fault:
    """How it begins."""
    return Fault.NONE


class FaultyStore:
    """The store as the gateway sees it."""

    def __init__(self, behind: str) -> None:
        self._server = _Server(("127.0.0.1", 0), _Request)
        self._server.behind = urlsplit(behind).netloc
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def met(self) -> Counter[str]:
        """How many requests met which fault since it was last asked."""
        with self._server.lock:
            met, self._server.met = self._server.met, Counter()
        return met

    def misbehave(self, choose: Callable[[], Fault]) -> None:
        """Ask `choose` at each request what is to happen to it."""
        self._server.choose = choose

    def behave(self) -> None:
        """Be an object store like any other."""
        self._server.choose = no_fault

    def __enter__(self) -> "FaultyStore":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    behind: str
    choose: Callable[[], Fault] = staticmethod(no_fault)

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.met: Counter[str] = Counter()
        self.lock = Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever went away has gone."""


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        """Read a request, and let its fault happen."""
        self.fault = Fault.NONE
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Choose the fault before the client is told to go on with its body."""
        self.fault = self.server.choose()
        if self.fault is not Fault.NONE:
            with self.server.lock:
                self.server.met[self.fault] += 1
        if self.fault is Fault.REFUSED:
            self._break_off()
            return False
        return super().parse_request()

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.fault in (Fault.FAILS, Fault.BUSY):
            self._fail(int(self.fault))
            return
        if self.fault is Fault.SLOW:
            time.sleep(SLOW_SECONDS)
        if self.fault is Fault.TWICE:
            self._ask_behind(body)
        answer, content = self._ask_behind(body)
        if self.fault is Fault.UNTOLD:
            self._break_off()
            return
        self._answer(answer, content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass

    def _ask_behind(self, body: bytes) -> tuple[HTTPResponse, bytes]:
        line = HTTPConnection(self.server.behind, timeout=60)
        try:
            line.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOPS:
                    line.putheader(name, value)
            line.endheaders(body or None)
            answer = line.getresponse()
            return answer, answer.read()
        except (OSError, HTTPException):
            self._break_off()  # the one behind is away, and so is this one
            raise
        finally:
            line.close()

    def _answer(self, answer: HTTPResponse, content: bytes) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOPS | {"content-length"}:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _fail(self, status: int) -> None:
        code = "SlowDown" if status == 503 else "InternalError"
        content = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _break_off(self) -> None:
        """End the connection with a reset, as one that breaks does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
