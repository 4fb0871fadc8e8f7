"""/v1/releases: Commissioner staff ask for, decide on and fetch sealed submissions."""

from typing import Any
from uuid import UUID

from flask import Response

from gateway.flow.release import Releases, Selection
from gateway.flow.retrieve import Retrieval
from gateway.records import Release, Scope
from gateway.web.authorisation import Guard, principal
from gateway.web.schemas import (
    DecisionSchema,
    ManifestSchema,
    ProblemSchema,
    ReleaseListSchema,
    ReleaseRequestSchema,
    ReleaseSchema,
)
from gateway.web.strict import Routes


def releases_blueprint(guard: Guard, *, releases: Releases, retrieval: Retrieval) -> Routes:
    """The routes of the analysts."""
    routes = Routes(
        "releases", __name__, url_prefix="/v1/releases", description="Hand over sealed data."
    )

    @routes.route("", methods=["POST"])
    @routes.arguments(ReleaseRequestSchema)
    @routes.response(201, ReleaseSchema)
    @routes.alt_response(
        409, schema=ProblemSchema, description="Name taken, or nothing to release."
    )
    @guard.needs(Scope.RELEASE_REQUEST)
    def create(body: dict[str, Any]) -> Release:
        """Ask for a release; the set of submissions is fixed now."""
        return releases.request(
            body["name"],
            purpose=body["purpose"],
            selection=Selection(body["period_start"], body["period_end"]),
            by=principal(),
        )

    @routes.route("", methods=["GET"])
    @routes.response(200, ReleaseListSchema)
    @guard.needs(Scope.RELEASE_READ)
    def index() -> Any:
        """All releases."""
        return {"releases": releases.list()}

    @routes.route("/<uuid:release_id>", methods=["GET"])
    @routes.response(200, ReleaseSchema)
    @guard.needs(Scope.RELEASE_READ)
    def show(release_id: UUID) -> Release:
        """One release."""
        return releases.find(release_id)

    @routes.route("/<uuid:release_id>/decision", methods=["POST"])
    @routes.arguments(DecisionSchema)
    @routes.response(200, ReleaseSchema)
    @routes.alt_response(409, schema=ProblemSchema, description="Decided, or the same person.")
    @guard.needs(Scope.RELEASE_APPROVE)
    def decide(body: dict[str, Any], release_id: UUID) -> Release:
        """Approve or refuse; not by the person who asked."""
        if body["decision"] == "refuse":
            return releases.refuse(release_id, by=principal())
        return releases.approve(release_id, by=principal())

    @routes.route("/<uuid:release_id>/manifest", methods=["GET"])
    @routes.response(200, ManifestSchema)
    @guard.needs(Scope.RELEASE_READ)
    def manifest(release_id: UUID) -> Any:
        """What was handed over: objects, hashes, counts and log proofs, signed by the gateway."""
        release = releases.manifest(release_id)
        return {"manifest": (release.manifest or b"").decode(), "signature": release.signature}

    @routes.route("/<uuid:release_id>/objects/<uuid:submission_id>", methods=["GET"])
    @routes.response(200, description="The sealed object, as OpenPGP.")
    @guard.needs(Scope.RELEASE_READ)
    def fetch(release_id: UUID, submission_id: UUID) -> Response:
        """A sealed object; the reading is in the log before the first byte."""
        submission, blocks = retrieval.open(release_id, submission_id, by=principal())
        response = Response(blocks, content_type="application/pgp-encrypted")
        response.content_length = submission.sealed_size or 0
        return response

    return routes
