"""/v1/submissions: send, look, withdraw, replace. An agency sees its own and nothing else."""

from dataclasses import fields
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from gateway.flow.intake import Intake
from gateway.flow.proofs import LogReading
from gateway.flow.shown import SubmissionSchema
from gateway.flow.submissions import Submissions
from gateway.records import Scope, Submission
from gateway.web.authorisation import Guard, principal
from gateway.web.journal import note
from gateway.web.reports import report_answer
from gateway.web.schemas import (
    AcknowledgementSchema,
    ProblemSchema,
    ShownSubmissionSchema,
    SubmissionListSchema,
    SubmissionQuerySchema,
)
from gateway.web.strict import Routes
from gateway.web.upload import UPLOAD, delivery

FIELDS = fields(Submission)


def submissions_blueprint(
    guard: Guard, *, intake: Intake, submissions: Submissions, proofs: LogReading
) -> Routes:
    """The routes of the senders."""
    routes = Routes(
        "submissions", __name__, url_prefix="/v1/submissions", description="Send and follow up."
    )

    def accept(replaces: UUID | None) -> Any:
        acknowledgement = intake.receive(delivery(request, replaces=replaces), by=principal())
        submission = acknowledgement.submission
        note(submission=str(submission.id), bytes=submission.size)
        location = url_for("submissions.show", submission_id=submission.id)
        promise = proofs.promise(acknowledgement.entry or submissions.place(submission).entry)
        answer = {**_members(submission), "repeated": acknowledgement.repeated, "promise": promise}
        return answer, 200 if acknowledgement.repeated else 201, {"Location": location}

    @routes.route("", methods=["POST"])
    @routes.doc(**UPLOAD)
    @routes.response(201, AcknowledgementSchema, description="Received, and durable from now on.")
    @routes.alt_response(200, schema=AcknowledgementSchema, description="Received before.")
    @routes.alt_response(400, schema=ProblemSchema, description="Cut short or altered on the way.")
    @guard.needs(Scope.SUBMIT)
    def create() -> Any:
        """Send a package."""
        return accept(None)

    @routes.route("/<uuid:submission_id>/replacement", methods=["POST"])
    @routes.doc(**UPLOAD)
    @routes.response(201, AcknowledgementSchema, description="Received, and durable from now on.")
    @routes.alt_response(409, schema=ProblemSchema, description="Not in a state to be replaced.")
    @guard.needs(Scope.SUBMIT)
    def replace(submission_id: UUID) -> Any:
        """Send a package that replaces an accepted one; its manifest must name it too."""
        return accept(submission_id)

    @routes.route("", methods=["GET"])
    @routes.arguments(SubmissionQuerySchema, location="query")
    @routes.response(200, SubmissionListSchema)
    @guard.needs(Scope.SUBMISSIONS)
    def index(query: dict[str, Any]) -> Any:
        """The agency's submissions, newest first."""
        found = submissions.list(by=principal(), **query)
        last = found[-1].received_at if len(found) == query["limit"] else None
        return {"submissions": found, "next_before": last}

    @routes.route("/<uuid:submission_id>", methods=["GET"])
    @routes.response(200, ShownSubmissionSchema)
    @routes.alt_response(404, schema=ProblemSchema, description="Absent, or another agency's.")
    @guard.needs(Scope.SUBMISSIONS)
    def show(submission_id: UUID) -> dict[str, Any]:
        """One submission."""
        found = submissions.find(submission_id, by=principal())
        return {**_members(found), "notice": submissions.notice(found)}

    @routes.route("/<uuid:submission_id>/report", methods=["GET"])
    @routes.response(
        200, description="Findings without values, as JSON or, if asked, as text, HTML or CSV."
    )
    @guard.needs(Scope.SUBMISSIONS)
    def report(submission_id: UUID) -> Response:
        """What was found: where, which rule, how to mend it; never the values."""
        found = submissions.report(submission_id, by=principal())
        return report_answer(request, found.report or {})

    @routes.route("/<uuid:submission_id>/report.pgp", methods=["GET"])
    @routes.response(200, description="The full report, encrypted to the agency.")
    @guard.needs(Scope.SUBMISSIONS)
    def full_report(submission_id: UUID) -> Response:
        """The report with values, encrypted to the certificate that signed the package.

        There is none where no finding quotes a value: `report` then says everything.
        """
        blocks = submissions.full_report(submission_id, by=principal())
        return Response(blocks, content_type="application/pgp-encrypted")

    @routes.route("/<uuid:submission_id>/promise", methods=["GET"])
    @routes.response(200, description="A signed note, to be verified offline.")
    @guard.needs(Scope.SUBMISSIONS)
    def promise(submission_id: UUID) -> Response:
        """The log's promise to hold the entry of this submission, before its receipt is there."""
        _, place = submissions.receipt(submission_id, by=principal())
        return Response(proofs.promise(place.entry), content_type="text/plain; charset=utf-8")

    @routes.route("/<uuid:submission_id>/receipt", methods=["GET"])
    @routes.response(200, description="A C2SP tlog-proof, to be verified offline.")
    @guard.needs(Scope.SUBMISSIONS)
    def receipt(submission_id: UUID) -> Response:
        """The proof that the submission was received, when, and with which bytes."""
        _, place = submissions.receipt(submission_id, by=principal())
        return Response(proofs.receipt(place), content_type="text/plain; charset=utf-8")

    @routes.route("/<uuid:submission_id>/withdrawal", methods=["POST"])
    @routes.response(200, SubmissionSchema)
    @routes.alt_response(409, schema=ProblemSchema, description="Not in a state to be withdrawn.")
    @guard.needs(Scope.SUBMIT)
    def withdraw(submission_id: UUID) -> Submission:
        """Withdraw a submission; it will not be part of any later release."""
        return submissions.withdraw(submission_id, by=principal())

    return routes


def _members(submission: Submission) -> dict[str, Any]:
    return {field.name: getattr(submission, field.name) for field in FIELDS}
