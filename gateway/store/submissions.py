"""Submissions in the database: added once, moved only along legal moves, never overwritten."""

from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.errors import Conflict
from gateway.records import MOVES, SETTLED, Channel, State, Submission
from gateway.store.tables import IdempotencyRow, PackageRow, SubmissionRow, TransitionRow

ACCEPTED = (State.STORED, State.RELEASED)
# A submission and its first move are one statement: the busiest there is.
_ADD = text("""
WITH added AS (
    INSERT INTO submission
        (id, agency_id, channel, state, sha256, size, received_at, event_id, must_replace)
    VALUES
        (:id, :agency_id, :channel, :state, :sha256, :size, :received_at, :event_id, :must_replace)
    ON CONFLICT (agency_id, sha256) DO NOTHING
    RETURNING id, state, received_at, event_id
)
INSERT INTO submission_transition (submission_id, to_state, moved_at, event_id)
SELECT id, state, received_at, event_id FROM added
RETURNING submission_id
""")
_UNKNOWN: dict[str, Any] = dict.fromkeys(field.name for field in fields(Submission))


def add_submission(
    session: Session,
    *,
    submission_id: UUID,
    agency_id: str,
    channel: Channel,
    sha256: str,
    size: int,
    event_id: UUID,
    must_replace: UUID | None,
    now: datetime,
) -> Submission | None:
    """Record a received submission; None if the agency sent these very bytes before.

    The unique constraint decides, not a look beforehand: two uploads at once cannot both win.
    """
    given: dict[str, Any] = {
        "id": submission_id,
        "agency_id": agency_id,
        "channel": channel,
        "state": State.RECEIVED,
        "sha256": sha256,
        "size": size,
        "received_at": now,
        "event_id": event_id,
        "must_replace": must_replace,
    }
    if session.execute(_ADD, given).first() is None:
        return None
    return Submission(**(_UNKNOWN | given))


def find_by_bytes(session: Session, agency_id: str, sha256: str) -> Submission | None:
    """The agency's submission with exactly these bytes."""
    row = session.scalars(
        select(SubmissionRow).where(
            SubmissionRow.agency_id == agency_id, SubmissionRow.sha256 == sha256
        )
    ).first()
    return None if row is None else _submission(row)


def find_submission(
    session: Session, submission_id: UUID, *, agency_id: str | None = None
) -> Submission | None:
    """A submission by id; with `agency_id`, only if it is that agency's."""
    row = session.get(SubmissionRow, submission_id)
    if row is None or (agency_id is not None and row.agency_id != agency_id):
        return None
    return _submission(row)


def lock_submission(session: Session, submission_id: UUID) -> Submission:
    """The submission, held against every other transaction until this one ends."""
    row = session.get_one(
        SubmissionRow, submission_id, with_for_update=True, populate_existing=True
    )
    return _submission(row)


def list_submissions(
    session: Session,
    agency_id: str,
    *,
    before: datetime | None,
    limit: int,
    package_id: UUID | None = None,
) -> list[Submission]:
    """An agency's submissions, newest first; with `package_id`, those of that package."""
    query = select(SubmissionRow).where(SubmissionRow.agency_id == agency_id)
    if package_id is not None:
        query = query.where(SubmissionRow.package_id == package_id)
    if before is not None:
        query = query.where(SubmissionRow.received_at < before)
    query = query.order_by(SubmissionRow.received_at.desc()).limit(limit)
    return [_submission(row) for row in session.scalars(query)]


def releasable(
    session: Session, *, period_start: date | None, period_end: date | None
) -> list[Submission]:
    """Stored submissions that nothing supersedes, within a span of reporting periods."""
    query = select(SubmissionRow).where(
        SubmissionRow.state.in_(ACCEPTED),
        SubmissionRow.superseded_by.is_(None),
        SubmissionRow.submission_type != "TEST",
    )
    if period_start is not None:
        query = query.where(SubmissionRow.period_start >= period_start)
    if period_end is not None:
        query = query.where(SubmissionRow.period_end <= period_end)
    return [_submission(row) for row in session.scalars(query.order_by(SubmissionRow.received_at))]


def move(
    session: Session,
    submission: Submission,
    to: State,
    *,
    event_id: UUID,
    now: datetime,
    **facts: Any,
) -> Submission:
    """Move a locked submission along a legal move and record facts learned on the way."""
    if to not in MOVES[submission.state]:
        raise Conflict(
            "illegal-move",
            f"A submission that is {submission.state} cannot become {to}.",
            "Look at its present state and act on that.",
        )
    changes = {**facts, "state": to, "settled_at": now if to in SETTLED else None}
    changed = session.execute(
        update(SubmissionRow)
        .where(SubmissionRow.id == submission.id, SubmissionRow.state == submission.state)
        .values(changes)
        .returning(SubmissionRow.id)
        .execution_options(synchronize_session=False)
    )
    changed.one()  # raises where the caller did not hold the row and somebody else moved it
    _record_move(session, submission.id, submission.state, to, event_id=event_id, now=now)
    return replace(submission, **changes)


def supersede(session: Session, submission_id: UUID, *, by: UUID) -> bool:
    """Mark an earlier submission as replaced; it stays stored. False where it no longer stands."""
    row = session.get_one(SubmissionRow, submission_id, with_for_update=True)
    if row.superseded_by is not None or row.state not in ACCEPTED:
        return False
    row.superseded_by = by
    session.flush()  # what is held is asked in the same transaction
    return True


def claim_package(
    session: Session, submission: Submission, package_id: UUID, *, now: datetime
) -> bool:
    """Bind a package's own id to the first submission that used it; False if taken."""
    claimed = session.execute(
        insert(PackageRow)
        .values(
            agency_id=submission.agency_id,
            package_id=package_id,
            submission_id=submission.id,
            first_received=now,
        )
        .on_conflict_do_nothing()
        .returning(PackageRow.submission_id)
    )
    return claimed.first() is not None


def package_owner(session: Session, agency_id: str, package_id: UUID) -> PackageRow | None:
    """Which submission first used a package id of this agency."""
    return session.get(PackageRow, (agency_id, package_id))


def accepted_package(session: Session, agency_id: str, package_id: UUID) -> Submission | None:
    """The accepted submission that carried this package."""
    query = select(SubmissionRow).where(
        SubmissionRow.agency_id == agency_id,
        SubmissionRow.package_id == package_id,
        SubmissionRow.state.in_(ACCEPTED),
    )
    row = session.scalars(query).first()
    return None if row is None else _submission(row)


def has_accepted_return(session: Session, agency_id: str, start: date, end: date) -> bool:
    """Whether a return for exactly this period stands accepted and not superseded."""
    query = select(func.count()).where(
        SubmissionRow.agency_id == agency_id,
        SubmissionRow.period_start == start,
        SubmissionRow.period_end == end,
        SubmissionRow.submission_type != "TEST",
        SubmissionRow.state.in_(ACCEPTED),
        SubmissionRow.superseded_by.is_(None),
    )
    return session.execute(query).scalar_one() > 0


def use_idempotency_key(
    session: Session, agency_id: str, key: str, submission_id: UUID, *, now: datetime
) -> UUID:
    """Bind a key to a submission; the answer is the submission it was first bound to."""
    session.execute(
        insert(IdempotencyRow)
        .values(agency_id=agency_id, key=key, submission_id=submission_id, used_at=now)
        .on_conflict_do_nothing()
    )
    return session.get_one(IdempotencyRow, (agency_id, key)).submission_id


def stored_event(session: Session, submission_id: UUID) -> UUID:
    """The audit event of the moment a submission was stored."""
    query = select(TransitionRow.event_id).where(
        TransitionRow.submission_id == submission_id, TransitionRow.to_state == State.STORED
    )
    return session.scalars(query).one()


def unprocessed(session: Session, *, before: datetime) -> list[UUID]:
    """Submissions received before a moment and not yet taken further: the sweeper's list."""
    query = select(SubmissionRow.id).where(
        SubmissionRow.state == State.RECEIVED, SubmissionRow.received_at < before
    )
    return list(session.scalars(query))


def waiting_by_agency(session: Session) -> dict[str, int]:
    """How many submissions of each agency wait to be judged; agencies without any are left out."""
    query = select(SubmissionRow.agency_id, func.count().label("waiting")).where(
        SubmissionRow.state == State.RECEIVED
    )
    counted = session.execute(query.group_by(SubmissionRow.agency_id))
    return {row.agency_id: row.waiting for row in counted}


def failed_submissions(session: Session) -> list[Submission]:
    """Submissions that wait for an operator, oldest first."""
    query = select(SubmissionRow).where(SubmissionRow.state == State.FAILED)
    return [_submission(row) for row in session.scalars(query.order_by(SubmissionRow.received_at))]


def _record_move(
    session: Session,
    submission_id: UUID,
    from_state: State,
    to_state: State,
    *,
    event_id: UUID,
    now: datetime,
) -> None:
    session.add(
        TransitionRow(
            submission_id=submission_id,
            from_state=from_state,
            to_state=to_state,
            moved_at=now,
            event_id=event_id,
        )
    )


def _submission(row: SubmissionRow) -> Submission:
    values = {field.name: getattr(row, field.name) for field in fields(Submission)}
    values["state"] = State(row.state)
    values["channel"] = Channel(row.channel)
    return Submission(**values)
