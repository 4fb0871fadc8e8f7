"""The words of the gateway as values: states and their legal moves, roles, principals, submissions.

Plain frozen data, shared by every layer above; it knows no database and no web.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID


class State(StrEnum):
    """Where a submission is. Rejected is the agency's to mend, failed is ours."""

    RECEIVED = "received"
    OPENED = "opened"
    VALIDATED = "validated"
    STORED = "stored"
    RELEASED = "released"
    REJECTED = "rejected"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    DESTROYED = "destroyed"


MOVES: MappingProxyType[State, frozenset[State]] = MappingProxyType(
    {
        State.RECEIVED: frozenset(
            {State.OPENED, State.REJECTED, State.FAILED, State.WITHDRAWN},
        ),
        State.OPENED: frozenset({State.VALIDATED, State.REJECTED, State.FAILED}),
        State.VALIDATED: frozenset({State.STORED, State.FAILED}),
        State.STORED: frozenset({State.RELEASED, State.WITHDRAWN, State.DESTROYED}),
        State.RELEASED: frozenset({State.WITHDRAWN, State.DESTROYED}),
        State.REJECTED: frozenset({State.DESTROYED}),
        State.FAILED: frozenset({State.RECEIVED, State.WITHDRAWN, State.DESTROYED}),
        State.WITHDRAWN: frozenset({State.DESTROYED}),
        State.DESTROYED: frozenset(),
    }
)
"""The one table of legal moves; a move that is not here does not happen."""

SETTLED = frozenset(
    {State.STORED, State.RELEASED, State.REJECTED, State.FAILED, State.WITHDRAWN, State.DESTROYED}
)
"""States in which the gateway owes the sender nothing more."""


class DryRunState(StrEnum):
    """Where a dry run is: it leaves `received` once, for one of the others, and stays there.

    Checked is what would have been stored. Rejected and failed are those of a submission.
    """

    RECEIVED = "received"
    CHECKED = "checked"
    REJECTED = "rejected"
    FAILED = "failed"


class Channel(StrEnum):
    """The door a submission came through."""

    HTTPS = "https"
    TUS = "tus"
    SFTP = "sftp"


class Role(StrEnum):
    """What a token's holder is. No role can both administer and read data."""

    SUBMITTER = "submitter"
    AGENCY_ADMIN = "agency-admin"
    AUDITOR = "auditor"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"


class Scope(StrEnum):
    """One thing a token may do; a token never holds a scope outside its role."""

    SUBMIT = "submissions:write"
    SUBMISSIONS = "submissions:read"
    LOG = "log:read"
    RELEASE_REQUEST = "releases:request"
    RELEASE_APPROVE = "releases:approve"
    RELEASE_READ = "releases:read"
    ADMINISTER = "agencies:write"


SCOPES: MappingProxyType[Role, frozenset[Scope]] = MappingProxyType(
    {
        Role.SUBMITTER: frozenset({Scope.SUBMIT, Scope.SUBMISSIONS}),
        Role.AGENCY_ADMIN: frozenset({Scope.SUBMISSIONS}),
        Role.AUDITOR: frozenset({Scope.LOG}),
        Role.ANALYST: frozenset({Scope.RELEASE_REQUEST, Scope.RELEASE_APPROVE, Scope.RELEASE_READ}),
        Role.ADMINISTRATOR: frozenset({Scope.ADMINISTER}),
    }
)

AGENCY_ROLES = frozenset({Role.SUBMITTER, Role.AGENCY_ADMIN})
"""Roles that belong to one agency and see nothing of any other."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is acting: proven by a token, or the system itself."""

    subject: str
    role: Role | None
    scopes: frozenset[Scope]
    agency_id: str | None = None
    auth_method: str = "token"
    source: str | None = None
    request_id: str | None = None

    @property
    def agency(self) -> str:
        """The agency of an agency role; a caller that asks for it has checked the scope."""
        if self.agency_id is None:
            raise ValueError("this principal belongs to no agency")
        return self.agency_id


SYSTEM = Principal(subject="system", role=None, scopes=frozenset(), auth_method="system")


class Received(Protocol):
    """What is known of an upload before it is opened, be it a submission or a dry run."""

    @property
    def id(self) -> UUID:
        """The gateway's id of it."""

    @property
    def agency_id(self) -> str:
        """Whose token it came with."""

    @property
    def received_at(self) -> datetime:
        """When it was durable."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One upload of one package, as the database holds it."""

    id: UUID
    agency_id: str
    channel: Channel
    state: State
    sha256: str
    size: int
    received_at: datetime
    settled_at: datetime | None
    event_id: UUID
    package_id: UUID | None
    submission_type: str | None
    period_start: date | None
    period_end: date | None
    standard: str | None
    error_code: str | None
    report: dict[str, Any] | None
    report_key: str | None
    sealed_key: str | None
    sealed_sha256: str | None
    sealed_size: int | None
    records: int | None
    must_replace: UUID | None
    superseded_by: UUID | None
    signer: str | None
    signing_key: str | None
    recipient_key: str | None
    vault_keys: list[str] | None


@dataclass(frozen=True, slots=True)
class GivenUpMail:
    """A mail about a submission that could not be sent, and why."""

    id: UUID
    agency_id: str
    error_code: str
    given_up_at: datetime


@dataclass(frozen=True, slots=True)
class DryRun:
    """One upload that is judged and not counted: nothing that counts can refer to it."""

    id: UUID
    agency_id: str
    state: DryRunState
    sha256: str
    size: int
    received_at: datetime
    expires_at: datetime
    settled_at: datetime | None
    event_id: UUID
    package_id: UUID | None
    submission_type: str | None
    period_start: date | None
    period_end: date | None
    standard: str | None
    records: int | None
    error_code: str | None
    report: dict[str, Any] | None
    report_key: str | None
    signer: str | None
    signing_key: str | None
    recipient_key: str | None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a sender holds the moment the upload is durable.

    `entry` is the audit entry that says so, where it was written just now.
    """

    submission: Submission
    repeated: bool
    entry: bytes | None = None


@dataclass(frozen=True, slots=True)
class DryRunAcknowledgement:
    """What a sender holds the moment a dry run is durable."""

    dry_run: DryRun
    repeated: bool


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a submission goes back to its agency: a stable code and two sentences.

    `cause` is the exact code for the audit log, where the answer to the sender is kept uniform.
    """

    code: str
    message: str
    mend: str
    cause: str


class ReleaseState(StrEnum):
    """A release is asked for by one person and decided by another."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Release:
    """A named set of sealed submissions handed to Commissioner staff."""

    id: UUID
    name: str
    purpose: str
    state: ReleaseState
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    items: int
    manifest: bytes | None
    signature: str | None


@dataclass(frozen=True, slots=True)
class EnrolledAgency:
    """An agency of the register that may send."""

    agency_id: str
    name: str
    agency_type: str
    area: str
    active: bool
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class KeptCertificate:
    """A certificate as it is kept; `revoked` says that an administrator revoked it here."""

    fingerprint: str
    agency_id: str
    data: bytes
    revoked: bool


@dataclass(frozen=True, slots=True)
class KeyUse:
    """Which keys a submission or dry run had to do with, and nothing of what is in it."""

    id: UUID
    kind: str
    agency_id: str
    received_at: datetime
    state: str
    signer: str | None
    signing_key: str | None
    recipient_key: str | None
    vault_keys: tuple[str, ...]
    has_report: bool
