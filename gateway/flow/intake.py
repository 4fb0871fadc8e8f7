"""Receiving: nothing is acknowledged before it is durable, and everything durable is audited.

The ciphertext goes to object storage first (hashed on the way, checked by the store), then ONE
transaction writes the submission, its audit entry and its job. A crash in between leaves an orphan
object, never a submission without its entry or an entry without its submission.

All channels end in `record`. What comes in one request comes through `receive`; what comes in many
is put together elsewhere, and recorded in the same way.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from audit.actions import Action
from audit.entry import Outcome
from gateway.errors import Conflict, NotFound, RequestRefused
from gateway.flow.pressure import Pressure
from gateway.flow.quarantine import Delivery, Quarantine, key_reused
from gateway.flow.trail import AuditTrail, What
from gateway.records import Acknowledgement, Channel, Principal, State, Submission
from gateway.store.database import Database
from gateway.store.entries import written_entry
from gateway.store.jobs import JobQueue
from gateway.store.objects import Stored, quarantine_key
from gateway.store.submissions import (
    add_submission,
    find_by_bytes,
    find_submission,
    use_idempotency_key,
)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A whole message in object storage, and what its sender said of it."""

    submission_id: UUID
    stored: Stored
    channel: Channel
    replaces: UUID | None = None
    hashed_key: str | None = None


class Intake:
    """Turns a delivery into an acknowledged submission."""

    def __init__(
        self,
        database: Database,
        quarantine: Quarantine,
        jobs: JobQueue,
        trail: AuditTrail,
        pressure: Pressure,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._quarantine = quarantine
        self._jobs = jobs
        self._trail = trail
        self._pressure = pressure
        self._clock = clock

    def receive(self, delivery: Delivery, *, by: Principal) -> Acknowledgement:
        """Store, record, then acknowledge; a refusal leaves one audit entry and nothing else."""
        submission_id = uuid4()
        key = quarantine_key(by.agency, submission_id)
        try:
            self.admit(delivery.length, replaces=delivery.replaces, by=by)
            with self._quarantine.hold(delivery, key) as stored:
                arrived = Arrived(
                    submission_id,
                    stored,
                    delivery.channel,
                    replaces=delivery.replaces,
                    hashed_key=delivery.hashed_key,
                )
                with self._database.transaction() as session:
                    acknowledgement = self.record(session, arrived, by=by)
                    if delivery.replaces is not None and not acknowledgement.repeated:
                        _require_not_replaced(session, delivery.replaces, by)
                if not acknowledgement.repeated:
                    entry = written_entry(session, acknowledgement.submission.event_id)
                    acknowledgement = replace(acknowledgement, entry=entry)
        except RequestRefused as refusal:
            self.refuse(refusal, by=by)
            raise
        if acknowledgement.repeated:
            self._quarantine.discard(key)
        return acknowledgement

    def admit(self, length: int | None, *, replaces: UUID | None, by: Principal) -> None:
        """Refuse before anything is read what cannot be taken, as far as it was announced."""
        self._quarantine.admit(length)
        self._pressure.admit(by)
        if replaces is not None:
            self._replaceable(replaces, by)

    def _replaceable(self, submission_id: UUID, by: Principal) -> None:
        with self._database.transaction() as session:
            earlier = find_submission(session, submission_id, agency_id=by.agency)
        if earlier is None:
            raise NotFound("submission")
        if earlier.state not in (State.STORED, State.RELEASED):
            raise Conflict(
                "not-replaceable",
                f"A submission that is {earlier.state} cannot be replaced.",
                "Only an accepted submission can be replaced; otherwise send a new one.",
            )

    def record(self, session: Session, arrived: Arrived, *, by: Principal) -> Acknowledgement:
        """Record what has arrived, with its audit entry and its job, in the caller's transaction.

        The acknowledgement is true once that transaction has ended well. Of bytes that the agency
        sent before the first submission stands, and the object is the caller's to remove.
        """
        event_id, stored = self._trail.new_event_id(), arrived.stored
        added = add_submission(
            session,
            submission_id=arrived.submission_id,
            agency_id=by.agency,
            channel=arrived.channel,
            sha256=stored.sha256,
            size=stored.size,
            event_id=event_id,
            must_replace=arrived.replaces,
            now=self._clock(),
        )
        submission = added or _known(session, by.agency, stored.sha256)
        if arrived.hashed_key is not None:
            self._bind(session, arrived.hashed_key, submission)
        if added is None:
            return Acknowledgement(submission=submission, repeated=True)
        self._trail.about(session, Action.SUBMISSION_RECEIVED, by, submission, event_id=event_id)
        self._jobs.process_new(session, submission.id)
        return Acknowledgement(submission=submission, repeated=False)

    def refuse(self, refusal: RequestRefused, *, by: Principal) -> None:
        """Tell the log that something was not taken."""
        with self._database.transaction() as session:
            what = What(outcome=Outcome.REFUSED, agency=by.agency, error_code=refusal.code)
            self._trail.record(session, Action.SUBMISSION_REFUSED, by, what)

    def _bind(self, session: Session, key: str, submission: Submission) -> None:
        bound = use_idempotency_key(
            session, submission.agency_id, key, submission.id, now=self._clock()
        )
        if bound != submission.id:
            raise key_reused()


def _require_not_replaced(session: Session, submission_id: UUID, by: Principal) -> None:
    """Asked of what is new alone: who repeats a replacement is told of it once more."""
    earlier = find_submission(session, submission_id, agency_id=by.agency)
    if earlier is not None and earlier.superseded_by is not None:
        raise Conflict(
            "not-replaceable",
            "A submission that was replaced cannot be replaced again.",
            "Replace the submission that took its place, which superseded_by names.",
        )


def _known(session: Session, agency_id: str, sha256: str) -> Submission:
    submission = find_by_bytes(session, agency_id, sha256)
    if submission is None:
        raise LookupError("a unique constraint refused bytes that nobody holds")
    return submission
