"""What an agency is shown of a submission and of a dry run, whichever channel it asks over."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import Schema, fields

from gateway.records import Channel, DryRun, DryRunState, State, Submission


class SubmissionSchema(Schema):
    """A submission as its agency sees it."""

    id = fields.UUID(metadata={"description": "The gateway's id of this upload."})
    state = fields.Enum(State, by_value=True)
    channel = fields.Enum(Channel, by_value=True)
    received_at = fields.AwareDateTime()
    settled_at = fields.AwareDateTime(allow_none=True)
    sha256 = fields.String(metadata={"description": "SHA-256 of the ciphertext as received."})
    size = fields.Integer(metadata={"description": "Bytes of ciphertext."})
    package_id = fields.UUID(
        allow_none=True, metadata={"description": "submission_id of the package's manifest."}
    )
    submission_type = fields.String(allow_none=True)
    period_start = fields.Date(allow_none=True)
    period_end = fields.Date(allow_none=True)
    standard = fields.String(allow_none=True)
    verdict = fields.String(
        attribute="report.verdict",
        metadata={"description": "accepted, accepted-in-part or rejected, once it is judged."},
    )
    records = fields.Integer(allow_none=True, metadata={"description": "Records accepted."})
    error_code = fields.String(allow_none=True)
    superseded_by = fields.UUID(allow_none=True)


class DryRunSchema(Schema):
    """A dry run as its agency sees it."""

    id = fields.UUID(metadata={"description": "The gateway's id of this dry run."})
    state = fields.Enum(
        DryRunState,
        by_value=True,
        metadata={"description": "`checked`: as a submission it would have been stored."},
    )
    received_at = fields.AwareDateTime()
    settled_at = fields.AwareDateTime(allow_none=True)
    expires_at = fields.AwareDateTime(
        metadata={"description": "When it is removed, with its reports."}
    )
    sha256 = fields.String(metadata={"description": "SHA-256 of the ciphertext as received."})
    size = fields.Integer(metadata={"description": "Bytes of ciphertext."})
    package_id = fields.UUID(
        allow_none=True, metadata={"description": "submission_id of the manifest; still unused."}
    )
    submission_type = fields.String(allow_none=True)
    period_start = fields.Date(allow_none=True)
    period_end = fields.Date(allow_none=True)
    standard = fields.String(allow_none=True)
    records = fields.Integer(
        allow_none=True, metadata={"description": "Records that would have been accepted."}
    )
    error_code = fields.String(allow_none=True)


def status_text(submissions: Sequence[Submission], dry_runs: Sequence[DryRun]) -> str:
    """Both as one JSON document, each in the form of the API."""
    shown = {
        "submissions": SubmissionSchema(many=True).dump(submissions),
        "dry_runs": DryRunSchema(many=True).dump(dry_runs),
    }
    return document_text(shown)


def document_text(document: Mapping[str, Any]) -> str:
    """A JSON document as it is handed out in a file."""
    return json.dumps(document, indent=2, sort_keys=True) + "\n"
