"""`gateway witness`: cosign the log of a gateway, for whoever wants it to be believed.

A witness needs a key, the log's key, a folder and an address that the gateway reaches. It sees
sizes and hashes, and no entry. Behind a proxy that ends TLS, or as it is: what it answers is public
and signed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from threading import BoundedSemaphore
from time import monotonic
from typing import Any

import click

from audit.cosignature import Cosigner
from audit.errors import EvidenceRefused, KeyRefused
from audit.keyring import LogKeys
from audit.witness import MOST_REQUEST_BYTES, AddCheckpoint, NotCosigned, Witness
from gateway.cli.files import read_private_text, write_new, write_secret
from gateway.cli.logsources import read_log_keys
from gateway.cli.nouns import Noun
from gateway.cli.options import EXISTING, json_option
from gateway.cli.output import print_facts, print_json, say

PATH = "/add-checkpoint"
MOST_AT_ONCE = 32
SECONDS = 10


@click.group(cls=Noun)
def witness() -> None:
    """Witness a log: cosign what provably only grew."""


@witness.command()
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="here",
    help="The folder for the key.",
)
@json_option
def key(name: str, *, out: Path, as_json: bool) -> None:
    """Make the key of a witness called NAME, such as witness.charity.example."""
    cosigner = Cosigner.generate(name)
    out.mkdir(parents=True, exist_ok=True)
    write_secret(out / "witness.skey", f"{cosigner.skey()}\n".encode())
    write_new(out / "witness.vkey", f"{cosigner.key.vkey}\n".encode())
    facts = {"key": str(out / "witness.skey"), "public": cosigner.key.vkey}
    print_json(facts) if as_json else print_facts(facts)


@witness.command()
@click.option("--key", "key_file", type=EXISTING, required=True, help="witness.skey.")
@click.option(
    "--log-key", "log_keys", multiple=True, required=True, help="A log's key, or a file with it."
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="A folder for what was cosigned last. Keep it: without it forks go unnoticed.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True)
def serve(*, key_file: Path, log_keys: tuple[str, ...], state: Path, host: str, port: int) -> None:
    """Answer gateways that ask for a cosignature (C2SP tlog-witness), until stopped."""
    cosigner = Cosigner.from_skey(read_private_text(key_file).strip())
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    witnessing = Witness(cosigner, _logs(log_keys), state)
    with _Server((host, port), witnessing) as server:
        say(f"Witnessing at http://{host}:{server.server_port}{PATH} as {cosigner.key.vkey}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("Stopped.")


def _logs(given: tuple[str, ...]) -> Mapping[str, LogKeys]:
    logs: dict[str, LogKeys] = {}
    for each in given:
        keys = read_log_keys(each)
        origin = keys.keys[0].name
        if origin in logs:
            raise KeyRefused(f"the log {origin} is given twice")
        logs[origin] = keys
    return logs


class _Server(ThreadingHTTPServer):
    """So many requests at once, each for so many seconds, and no more."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witnessing: Witness) -> None:
        self.witnessing = witnessing
        self._room = BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(address, _Answer)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, if there is room; otherwise the connection ends."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Give the room back, however it ends."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is nothing to tell of; what it held may be anything."""
        del request, client_address


class _Answer(BaseHTTPRequestHandler):
    """One request a connection."""

    server: _Server
    connection: socket
    timeout = SECONDS
    server_version = "witness"
    sys_version = ""

    def do_POST(self) -> None:
        """Cosign, or say why not."""
        if self.path != PATH:
            self._end(HTTPStatus.NOT_FOUND, "there is nothing here\n")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            self._end(HTTPStatus.LENGTH_REQUIRED, "a length is needed\n")
            return
        if int(length) > MOST_REQUEST_BYTES:
            self._end(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too large\n")
            return
        try:
            body = self._body(int(length))
            request = AddCheckpoint.from_bytes(body)
            line = self.server.witnessing.add_checkpoint(request, now=datetime.now(UTC))
        except NotCosigned as refused:
            if refused.size is None:
                self._end(HTTPStatus(refused.status), f"{refused}\n")
            else:
                self._end(HTTPStatus.CONFLICT, f"{refused.size}\n", kind="text/x.tlog.size")
        except EvidenceRefused as refused:
            self._end(HTTPStatus.BAD_REQUEST, f"{refused}\n")
        else:
            self._end(HTTPStatus.OK, line)

    def _body(self, length: int) -> bytes:
        """All of it, within so many seconds however slowly it drips."""
        body, deadline = bytearray(), monotonic() + SECONDS
        while len(body) < length and monotonic() < deadline:
            piece = self.rfile.read1(length - len(body))
            if not piece:
                break
            body += piece
        if len(body) < length:
            raise EvidenceRefused("the request is cut short")
        return bytes(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of who asks."""

    def _end(self, status: HTTPStatus, text: str, *, kind: str = "text/plain") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind == "text/plain" else kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True
