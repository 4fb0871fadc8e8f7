"""Receiving: nothing is acknowledged before it is durable, and everything durable is audited.

The ciphertext goes to object storage first (hashed on the way, checked by the store), then ONE
transaction writes the submission, its audit entry and its job. A crash in between leaves an orphan
object, never a submission without its entry or an entry without its submission.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from audit.actions import Action
from audit.entry import Outcome
from gateway.errors import Conflict, NotFound, RequestRefused
from gateway.flow.body import MeasuredBody, too_large
from gateway.flow.trail import AuditTrail, What
from gateway.records import Acknowledgement, Channel, Principal, State, Submission
from gateway.store.database import Database
from gateway.store.jobs import JobQueue
from gateway.store.objects import Bucket, ObjectStore, Readable, Stored, quarantine_key
from gateway.store.submissions import (
    add_submission,
    find_by_bytes,
    find_submission,
    use_idempotency_key,
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An upload as announced by its sender; without a length it must carry a digest."""

    body: Readable
    length: int | None
    channel: Channel
    digests: dict[str, bytes]
    idempotency_key: str | None = None
    replaces: UUID | None = None


class Intake:
    """Turns a delivery into an acknowledged submission."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        jobs: JobQueue,
        trail: AuditTrail,
        *,
        clock: Callable[[], datetime],
        max_bytes: int,
    ) -> None:
        self._database = database
        self._objects = objects
        self._jobs = jobs
        self._trail = trail
        self._clock = clock
        self._max_bytes = max_bytes

    def receive(self, delivery: Delivery, *, by: Principal) -> Acknowledgement:
        """Store, record, then acknowledge; a refusal leaves one audit entry and nothing else."""
        submission_id = uuid4()
        key = quarantine_key(by.agency, submission_id)
        try:
            self._admit(delivery, by)
            stored = self._store(delivery, key)
        except RequestRefused as refusal:
            self._refuse(by, refusal.code)
            raise
        try:
            acknowledgement = self._record(delivery, stored, submission_id, by)
        except RequestRefused as refusal:
            self._objects.delete(Bucket.QUARANTINE, key)
            self._refuse(by, refusal.code)
            raise
        if acknowledgement.repeated:
            self._objects.delete(Bucket.QUARANTINE, key)
        return acknowledgement

    def _admit(self, delivery: Delivery, by: Principal) -> None:
        if delivery.length is not None and delivery.length > self._max_bytes:
            raise too_large(self._max_bytes)
        if delivery.replaces is not None:
            self._replaceable(delivery.replaces, by)

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

    def _store(self, delivery: Delivery, key: str) -> Stored:
        body = MeasuredBody(delivery.body, frozenset(delivery.digests), max_bytes=self._max_bytes)
        stored = self._objects.put(Bucket.QUARANTINE, key, body)
        try:
            _complete(delivery, stored, body)
        except RequestRefused:
            self._objects.delete(Bucket.QUARANTINE, key)
            raise
        return stored

    def _record(
        self, delivery: Delivery, stored: Stored, submission_id: UUID, by: Principal
    ) -> Acknowledgement:
        event_id = self._trail.new_event_id()
        with self._database.transaction() as session:
            added = add_submission(
                session,
                submission_id=submission_id,
                agency_id=by.agency,
                channel=delivery.channel,
                sha256=stored.sha256,
                size=stored.size,
                event_id=event_id,
                must_replace=delivery.replaces,
                now=self._clock(),
            )
            submission = added or _known(session, by.agency, stored.sha256)
            if delivery.idempotency_key is not None:
                self._bind(session, delivery.idempotency_key, submission)
            if added is None:
                return Acknowledgement(submission=submission, repeated=True)
            self._trail.about(
                session, Action.SUBMISSION_RECEIVED, by, submission, event_id=event_id
            )
            self._jobs.process(session, submission.id)
        return Acknowledgement(submission=submission, repeated=False)

    def _bind(self, session: Session, key: str, submission: Submission) -> None:
        # Hashed, since it is the sender's own text and may be made of anything.
        hashed = sha256(key.encode()).hexdigest()
        bound = use_idempotency_key(
            session, submission.agency_id, hashed, submission.id, now=self._clock()
        )
        if bound != submission.id:
            raise Conflict(
                "idempotency-key-reused",
                "This Idempotency-Key was used before for another body.",
                "Use a new key for each package; repeat a key only with the same bytes.",
            )

    def _refuse(self, by: Principal, code: str) -> None:
        with self._database.transaction() as session:
            what = What(outcome=Outcome.REFUSED, agency=by.agency, error_code=code)
            self._trail.record(session, Action.SUBMISSION_REFUSED, by, what)


def _known(session: Session, agency_id: str, sha256: str) -> Submission:
    submission = find_by_bytes(session, agency_id, sha256)
    if submission is None:
        raise LookupError("a unique constraint refused bytes that nobody holds")
    return submission


def _complete(delivery: Delivery, stored: Stored, body: MeasuredBody) -> None:
    """Raise unless what arrived is what was announced, to the byte."""
    if stored.size == 0:
        raise RequestRefused("empty-body", "The upload is empty.", "Send the encrypted package.")
    if delivery.length is not None and stored.size != delivery.length:
        raise _cut_short(delivery.length, stored.size)
    for algorithm, expected in delivery.digests.items():
        if not compare_digest(body.digest(algorithm), expected):
            raise _wrong_digest(algorithm)


def _cut_short(expected: int, actual: int) -> RequestRefused:
    return RequestRefused(
        "body-incomplete",
        f"The upload was announced as {expected} bytes but {actual} arrived.",
        "Send it again; the connection was probably cut.",
    )


def _wrong_digest(algorithm: str) -> RequestRefused:
    return RequestRefused(
        "digest-mismatch",
        f"The {algorithm} digest of what arrived is not the one you announced.",
        "Send it again; the bytes changed on the way or the digest is of another file.",
    )
