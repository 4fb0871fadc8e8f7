"""/v1/log: what the audit log publishes.

Checkpoints, hash tiles, proofs and timestamps are open to everyone: hashes tell nothing, and a log
that hides its roots cannot be witnessed. Entries name agencies and times and are for auditors.
"""

from collections.abc import Sequence
from typing import Any

from flask import Response

from gateway.flow.proofs import LogReading
from gateway.records import Scope
from gateway.store.stamps import StampPlace
from gateway.web.authorisation import Guard, principal
from gateway.web.schemas import (
    ConsistencyQuerySchema,
    InclusionQuerySchema,
    ProofSchema,
    TimestampListSchema,
    TimestampQuerySchema,
)
from gateway.web.strict import Routes

FOREVER = "public, max-age=31536000, immutable"
SIZE = f"<int(max={10**18 - 1}):size>"
"""A size as it stands in a path: at most 18 digits, as in a checkpoint."""


def log_blueprint(guard: Guard, *, proofs: LogReading, verifier: str) -> Routes:
    """The routes of auditors and witnesses."""
    routes = Routes("log", __name__, url_prefix="/v1/log", description="Verify the audit log.")

    @routes.route("/checkpoint", methods=["GET"])
    @routes.response(200, description="The newest signed checkpoint (C2SP tlog-checkpoint).")
    def checkpoint() -> Response:
        """The newest signed checkpoint."""
        return _text(proofs.checkpoint(), cache="no-cache")

    @routes.route("/key", methods=["GET"])
    @routes.response(200, description="The log's verifier key (C2SP signed-note).")
    def key() -> Response:
        """The log's public key; compare it with one you got by another way."""
        return _text(verifier.encode() + b"\n", cache="no-cache")

    @routes.route("/tile/entries/<path:rest>", methods=["GET"])
    @routes.response(200, description="Entries (C2SP tlog-tiles).")
    @guard.needs(Scope.LOG)
    def entries(rest: str) -> Response:
        """The entries themselves."""
        return _tile(proofs.entries(f"tile/entries/{rest}", by=principal()), cache="private")

    @routes.route("/tile/<int:level>/<path:rest>", methods=["GET"])
    @routes.response(200, description="Hashes (C2SP tlog-tiles).")
    def tile(level: int, rest: str) -> Response:
        """Hashes of the tree."""
        return _tile(proofs.tile(f"tile/{level}/{rest}"), cache=FOREVER)

    @routes.route(f"/checkpoint/{SIZE}", methods=["GET"])
    @routes.response(200, description="A checkpoint that was stamped, in the very octets.")
    def stamped(size: int) -> Response:
        """The checkpoint of a size that timestamps are over."""
        return _text(proofs.stamped(size), cache=FOREVER)

    @routes.route("/timestamps", methods=["GET"])
    @routes.arguments(TimestampQuerySchema, location="query")
    @routes.response(200, TimestampListSchema)
    def timestamps(query: dict[str, Any]) -> Any:
        """Which timestamps there are, the oldest first."""
        return _stamps(proofs.stamps(after=query["after"]))

    @routes.route(f"/timestamps/{SIZE}/<authority>", methods=["GET"])
    @routes.response(200, description="What the authority answered (RFC 3161).")
    def timestamp(size: int, authority: str) -> Response:
        """A timestamp over the checkpoint of a size."""
        token = proofs.timestamp(size, authority)
        return _octets(token, kind="application/timestamp-reply", cache=FOREVER)

    @routes.route("/proofs/inclusion", methods=["GET"])
    @routes.arguments(InclusionQuerySchema, location="query")
    @routes.response(200, ProofSchema)
    def inclusion(query: dict[str, Any]) -> Any:
        """That a leaf is in the log."""
        return _proof(*proofs.inclusion(query["index"]))

    @routes.route("/proofs/consistency", methods=["GET"])
    @routes.arguments(ConsistencyQuerySchema, location="query")
    @routes.response(200, ProofSchema)
    def consistency(query: dict[str, Any]) -> Any:
        """That a later tree only adds to an earlier one."""
        return _proof(*proofs.consistency(query["first"], query["second"]))

    return routes


def _proof(hashes: list[bytes], checkpoint: bytes) -> dict[str, Any]:
    return {"proof": [node.hex() for node in hashes], "checkpoint": checkpoint.decode()}


def _text(body: bytes, *, cache: str) -> Response:
    response = Response(body, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = cache
    return response


def _stamps(found: Sequence[StampPlace]) -> dict[str, Any]:
    listed = [
        {
            "size": each.size,
            "authority": each.authority,
            "received_at": each.received_at,
            "path": f"/v1/log/timestamps/{each.size}/{each.authority}",
        }
        for each in found
    ]
    return {"timestamps": listed, "next_after": found[-1].size if found else None}


def _tile(body: bytes, *, cache: str) -> Response:
    return _octets(body, kind="application/octet-stream", cache=cache)


def _octets(body: bytes, *, kind: str, cache: str) -> Response:
    response = Response(body, content_type=kind)
    response.headers["Cache-Control"] = cache
    return response
