"""One audit entry for each act, written into the transaction of the act itself.

Which number of its agency an entry has is settled at the end of that transaction (`store.entries`).

People and network addresses enter the log only as keyed pseudonyms: HMAC-SHA-256 under a key that
is kept outside the database and the log, so that the mapping can be destroyed (UK GDPR article 17)
without touching a leaf.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import digest
from uuid import UUID

from sqlalchemy.orm import Session

from audit.actions import Action
from audit.entry import ActorType, AuthMethod, Entry, ObjectType, Outcome, Reason
from gateway.records import Principal, Role, Submission
from gateway.store.entries import add_entry

ACTOR_TYPES = {
    Role.SUBMITTER: ActorType.AGENCY,
    Role.AGENCY_ADMIN: ActorType.AGENCY,
    Role.AUDITOR: ActorType.AUDITOR,
    Role.ANALYST: ActorType.ANALYST,
    Role.ADMINISTRATOR: ActorType.ADMINISTRATOR,
    None: ActorType.SYSTEM,
}


@dataclass(frozen=True, slots=True)
class What:
    """What an entry is about; everything here is an identifier or a code, never free text."""

    outcome: Outcome = Outcome.SUCCESS
    agency: str | None = None
    object_type: ObjectType | None = None
    object_id: str | None = None
    object_sha256: str | None = None
    error_code: str | None = None
    reason_code: Reason | None = None
    standard: str | None = None


class AuditTrail:
    """Turns an act into an entry on its way into the outbox."""

    def __init__(
        self,
        *,
        pseudonym_key: bytes,
        software: str,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._key = pseudonym_key
        self._software = software
        self._clock = clock
        self._random = random_bytes

    def new_event_id(self) -> UUID:
        """An id for an entry that other rows must name before it is written."""
        return uuid7(self._clock(), self._random(10))

    def record(
        self,
        session: Session,
        action: Action,
        by: Principal,
        what: What,
        *,
        event_id: UUID | None = None,
    ) -> UUID:
        """Write the one entry of this act; return its event id."""
        return add_entry(session, self._entry(event_id or self.new_event_id(), action, by, what))

    def about(
        self,
        session: Session,
        action: Action,
        by: Principal,
        submission: Submission,
        *,
        event_id: UUID | None = None,
        outcome: Outcome = Outcome.SUCCESS,
        object_sha256: str | None = None,
        error_code: str | None = None,
        standard: str | None = None,
    ) -> UUID:
        """The entry of an act on a submission, carrying the SHA-256 of its ciphertext."""
        what = What(
            outcome=outcome,
            agency=submission.agency_id,
            object_type=ObjectType.SUBMISSION,
            object_id=str(submission.id),
            object_sha256=object_sha256 or submission.sha256,
            error_code=error_code,
            standard=standard,
        )
        return self.record(session, action, by, what, event_id=event_id)

    def pseudonym(self, subject: str) -> str:
        """How the log names a person."""
        return self._pseudonym("actor", subject)

    def _entry(self, event_id: UUID, action: Action, by: Principal, what: What) -> Entry:
        now = self._clock()
        return Entry(
            event_id=str(event_id),
            time=now.replace(microsecond=now.microsecond // 1000 * 1000),
            action=action,
            outcome=what.outcome,
            actor=self._pseudonym("actor", by.subject),
            actor_type=ACTOR_TYPES[by.role],
            auth_method=AuthMethod(by.auth_method),
            source=None if by.source is None else self._pseudonym("source", by.source),
            agency=what.agency,
            object_type=what.object_type,
            object_id=what.object_id,
            object_sha256=what.object_sha256,
            error_code=what.error_code,
            reason_code=what.reason_code,
            request_id=by.request_id,
            standard=what.standard,
            software=self._software,
        )

    def _pseudonym(self, kind: str, value: str) -> str:
        return digest(self._key, f"{kind}\n{value}".encode(), sha256).hex()[:32]


def uuid7(now: datetime, randomness: bytes) -> UUID:
    """A version 7 UUID (RFC 9562 section 5.7): 48 bits of milliseconds, then 74 random bits."""
    milliseconds = int(now.timestamp() * 1000)
    value = milliseconds << 80 | int.from_bytes(randomness[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
