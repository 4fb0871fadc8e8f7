"""The API's answers and questions as marshmallow schemas; OpenAPI is written from them."""

from typing import Any, ClassVar

from marshmallow import EXCLUDE, RAISE, Schema, fields, validate

from gateway.flow.shown import DryRunSchema, SubmissionSchema
from gateway.records import ReleaseState


class Strict(Schema):
    """What a caller sends: an unknown key is a mistake worth telling."""

    class Meta:
        unknown = RAISE


class NoticeSchema(Schema):
    """Something to see to although the submission is in order."""

    code = fields.String()
    message = fields.String()
    mend = fields.String()


class ShownSubmissionSchema(SubmissionSchema):
    """A submission asked for by itself."""

    notice = fields.Nested(
        NoticeSchema,
        allow_none=True,
        metadata={"description": "Such as that the certificate which signed it ends soon."},
    )


class SubmissionListSchema(Schema):
    """A page of submissions, newest first."""

    submissions = fields.List(fields.Nested(SubmissionSchema))
    next_before = fields.AwareDateTime(
        allow_none=True, metadata={"description": "Pass as `before` for the next page."}
    )


class PageQuerySchema(Schema):
    """Paging."""

    class Meta:
        unknown = EXCLUDE

    before = fields.AwareDateTime(load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class SubmissionQuerySchema(PageQuerySchema):
    """Which submissions."""

    package_id = fields.UUID(
        load_default=None, metadata={"description": "Only those of this package."}
    )


class AcknowledgementSchema(SubmissionSchema):
    """The answer to an upload: it is durable now."""

    repeated = fields.Boolean(
        metadata={"description": "True if these very bytes had been received before."}
    )
    promise = fields.String(
        metadata={"description": "The log's signed promise to hold the entry of this submission."}
    )


class DryRunListSchema(Schema):
    """A page of dry runs, newest first."""

    dry_runs = fields.List(fields.Nested(DryRunSchema))
    next_before = fields.AwareDateTime(
        allow_none=True, metadata={"description": "Pass as `before` for the next page."}
    )


class DryRunAcknowledgementSchema(DryRunSchema):
    """The answer to an upload that is to be tried out."""

    repeated = fields.Boolean(
        metadata={"description": "True if these very bytes are a dry run already."}
    )


_NAME = validate.Regexp(
    r"^[a-z0-9][a-z0-9-]{2,62}\Z",
    error="Write 3 to 63 small letters, digits and hyphens, such as figures-2026q1.",
)


class ReleaseRequestSchema(Strict):
    """What an analyst asks for."""

    name = fields.String(required=True, validate=_NAME)
    purpose = fields.String(required=True, validate=validate.Length(10, 500))
    period_start = fields.Date(load_default=None)
    period_end = fields.Date(load_default=None)


class ReleaseSchema(Schema):
    """A release."""

    id = fields.UUID()
    name = fields.String()
    purpose = fields.String()
    state = fields.Enum(ReleaseState, by_value=True)
    requested_by = fields.String()
    requested_at = fields.AwareDateTime()
    decided_by = fields.String(allow_none=True)
    decided_at = fields.AwareDateTime(allow_none=True)
    items = fields.Integer()


class ReleaseListSchema(Schema):
    """All releases, newest first."""

    releases = fields.List(fields.Nested(ReleaseSchema))


class ManifestSchema(Schema):
    """The signed manifest; the signature is over the exact text of `manifest`."""

    manifest = fields.String()
    signature = fields.String()


class DecisionSchema(Strict):
    """The second person's word."""

    decision = fields.String(required=True, validate=validate.OneOf(["approve", "refuse"]))


class InclusionQuerySchema(Schema):
    """Which leaf, in which tree."""

    index = fields.Integer(required=True, strict=False, validate=validate.Range(0))


class ConsistencyQuerySchema(Schema):
    """Which two trees."""

    first = fields.Integer(required=True, validate=validate.Range(0))
    second = fields.Integer(required=True, validate=validate.Range(0))


class ProofSchema(Schema):
    """Hashes of an RFC 6962 proof, hexadecimal, in the order of the RFC."""

    proof = fields.List(fields.String())
    checkpoint = fields.String(metadata={"description": "The signed checkpoint it leads to."})


class TimestampQuerySchema(Schema):
    """Where to go on."""

    after = fields.Integer(
        load_default=0,
        strict=False,
        validate=validate.Range(0, 10**18 - 1),
        metadata={"description": "Only those over checkpoints of more entries."},
    )


class TimestampSchema(Schema):
    """A timestamp over a published checkpoint."""

    size = fields.Integer(metadata={"description": "Entries that the checkpoint covers."})
    authority = fields.String(metadata={"description": "Who stamped it, as this gateway says."})
    received_at = fields.AwareDateTime(
        metadata={"description": "By this gateway's clock; the token has the authority's."}
    )
    path = fields.String(metadata={"description": "Where the token is."})


class TimestampListSchema(Schema):
    """A page of timestamps, by size."""

    timestamps = fields.List(fields.Nested(TimestampSchema))
    next_after = fields.Integer(
        allow_none=True,
        metadata={"description": "Pass as `after` for the next page; none after an empty one."},
    )


class ProblemSchema(Schema):
    """An RFC 9457 problem."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    code = fields.String()
    mend = fields.String()
    request_id = fields.String(allow_none=True)
    errors: ClassVar[Any] = fields.Dict()
