"""The process that holds the log's key, and how the sequencer asks it.

A Unix socket and nothing else: it knows no database and no network. One question a connection, as
JSON: `{"base": 3, "leaves": ["<leaf hash, base 64>", …]}`, then the end of sending. The answer is
`{"note": "<signed checkpoint>"}`, `{"owed": <another batch>}` or `{"refused": "<why>"}`. Whoever
may open the socket can have the log grow, and can have nothing else signed (`audit.signing`).
"""

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from socketserver import BaseRequestHandler, UnixStreamServer
from typing import Any

from audit.errors import AuditError, LogDoesNotFit
from audit.keyring import LogKeys
from audit.signing import Batch, Owed, SignedEdge
from gateway.errors import ServiceFailed

SECONDS = 10
MOST_OCTETS = 1 << 20


class SignerServer(UnixStreamServer):
    """Answers one question after another."""

    request_queue_size = 16

    def __init__(self, address: Path, edge: SignedEdge) -> None:
        """Takes the place of a socket that an earlier process left."""
        self.edge = edge
        with suppress(FileNotFoundError):
            address.unlink()
        super().__init__(str(address), _Answer)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is nothing to tell of: who asked asks again."""
        del request, client_address


class _Answer(BaseRequestHandler):
    server: SignerServer

    def handle(self) -> None:
        self.request.settimeout(SECONDS)
        self.request.sendall(json.dumps(self._answer(_received(self.request))).encode())

    def _answer(self, data: bytes) -> Mapping[str, Any]:
        try:
            return {"note": self.server.edge.sign(Batch.from_dict(json.loads(data))).decode()}
        except Owed as owed:
            return {"owed": owed.batch.to_dict()}
        except AuditError as refused:
            return {"refused": str(refused)}
        except (ValueError, KeyError, TypeError, RecursionError):
            return {"refused": "the question is no batch of leaf hashes"}


class RemoteSigner:
    """`audit.signing.TreeSigner`, asked of the process that holds the key."""

    def __init__(self, address: Path, keys: LogKeys) -> None:
        self._address = address
        self.keys = keys

    def sign(self, batch: Batch) -> bytes:
        """Return the signed checkpoint; raises Owed, LogDoesNotFit, or ServiceFailed."""
        try:
            answer = json.loads(self._asked(json.dumps(batch.to_dict()).encode()))
            if "owed" in answer:
                raise Owed(Batch.from_dict(answer["owed"]))
            if "refused" in answer:
                raise LogDoesNotFit(str(answer["refused"]))
            return str(answer["note"]).encode()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ServiceFailed(
                "signer-unavailable",
                "The process that signs the log does not answer.",
                "Start it, and see its journal; submissions go on, receipts wait.",
                detail=type(error).__name__,
            ) from error

    def _asked(self, question: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(SECONDS)
            connection.connect(str(self._address))
            connection.sendall(question)
            connection.shutdown(socket.SHUT_WR)
            return _received(connection)


def _received(connection: socket.socket) -> bytes:
    """All that the other side sends."""
    data = bytearray()
    while piece := connection.recv(1 << 16):
        data += piece
        if len(data) > MOST_OCTETS:
            raise ValueError("larger than any question or answer")
    return bytes(data)
