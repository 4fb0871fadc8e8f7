"""/v1/dry-runs: try out what would become of a package. Nothing that is sent here is counted."""

from dataclasses import fields
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from gateway.flow.dryruns import DryRuns
from gateway.flow.shown import DryRunSchema
from gateway.records import DryRun, Scope
from gateway.web.authorisation import Guard, principal
from gateway.web.journal import note
from gateway.web.reports import report_answer
from gateway.web.schemas import (
    DryRunAcknowledgementSchema,
    DryRunListSchema,
    PageQuerySchema,
    ProblemSchema,
)
from gateway.web.strict import Routes
from gateway.web.upload import UPLOAD, delivery

FIELDS = fields(DryRun)


def dry_runs_blueprint(guard: Guard, *, dry_runs: DryRuns) -> Routes:
    """The routes of those who try out."""
    routes = Routes(
        "dry-runs", __name__, url_prefix="/v1/dry-runs", description="Try out; nothing is counted."
    )

    @routes.route("", methods=["POST"])
    @routes.doc(**UPLOAD)
    @routes.response(201, DryRunAcknowledgementSchema, description="Received, to be checked.")
    @routes.alt_response(200, schema=DryRunAcknowledgementSchema, description="Tried out before.")
    @routes.alt_response(400, schema=ProblemSchema, description="Cut short or altered on the way.")
    @guard.needs(Scope.SUBMIT)
    def create() -> Any:
        """Try out a package: judged as if it were sent, and never stored or counted."""
        acknowledgement = dry_runs.receive(delivery(request), by=principal())
        dry_run = acknowledgement.dry_run
        note(dry_run=str(dry_run.id), bytes=dry_run.size)
        shown = {field.name: getattr(dry_run, field.name) for field in FIELDS}
        location = url_for("dry-runs.show", dry_run_id=dry_run.id)
        status = 200 if acknowledgement.repeated else 201
        return {**shown, "repeated": acknowledgement.repeated}, status, {"Location": location}

    @routes.route("", methods=["GET"])
    @routes.arguments(PageQuerySchema, location="query")
    @routes.response(200, DryRunListSchema)
    @guard.needs(Scope.SUBMISSIONS)
    def index(query: dict[str, Any]) -> Any:
        """The agency's dry runs of the last 30 days, newest first."""
        found = dry_runs.list(by=principal(), before=query["before"], limit=query["limit"])
        last = found[-1].received_at if len(found) == query["limit"] else None
        return {"dry_runs": found, "next_before": last}

    @routes.route("/<uuid:dry_run_id>", methods=["GET"])
    @routes.response(200, DryRunSchema)
    @routes.alt_response(404, schema=ProblemSchema, description="Absent, or another agency's.")
    @guard.needs(Scope.SUBMISSIONS)
    def show(dry_run_id: UUID) -> DryRun:
        """One dry run."""
        return dry_runs.find(dry_run_id, by=principal())

    @routes.route("/<uuid:dry_run_id>/report", methods=["GET"])
    @routes.response(
        200, description="Findings without values, as JSON or, if asked, as text, HTML or CSV."
    )
    @guard.needs(Scope.SUBMISSIONS)
    def report(dry_run_id: UUID) -> Response:
        """What would have been found: where, which rule, how to mend it; never the values."""
        found = dry_runs.report(dry_run_id, by=principal())
        return report_answer(request, found.report or {})

    @routes.route("/<uuid:dry_run_id>/report.pgp", methods=["GET"])
    @routes.response(200, description="The full report, encrypted to the agency.")
    @guard.needs(Scope.SUBMISSIONS)
    def full_report(dry_run_id: UUID) -> Response:
        """The report with values, encrypted to the certificate that signed the package."""
        blocks = dry_runs.full_report(dry_run_id, by=principal())
        return Response(blocks, content_type="application/pgp-encrypted")

    return routes
