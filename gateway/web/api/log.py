"""/v1/log: what the audit log publishes.

Checkpoint, hash tiles and proofs are open to everyone: hashes tell nothing, and a log that hides
its roots cannot be witnessed. Entries name agencies and times and are for auditors.
"""

from typing import Any

from flask import Response

from gateway.flow.proofs import LogReading
from gateway.records import Scope
from gateway.web.authorisation import Guard, principal
from gateway.web.schemas import ConsistencyQuerySchema, InclusionQuerySchema, ProofSchema
from gateway.web.strict import Routes

FOREVER = "public, max-age=31536000, immutable"


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


def _tile(body: bytes, *, cache: str) -> Response:
    response = Response(body, content_type="application/octet-stream")
    response.headers["Cache-Control"] = cache
    return response
