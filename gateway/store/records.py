"""Which records of an agency are held: the ids of what was sent as new, and nothing else of them.

A record is held as long as the submission that brought it stands. What replaces that brings its
own; once it is withdrawn its records can be sent as new.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.records import State, Submission
from gateway.store.tables.submissions import HeldRecordRow, SubmissionRow

_A_STATEMENT = 10_000


def held_records(
    session: Session,
    agency_id: str,
    record_ids: Collection[str],
    *,
    record_type: str | None = None,
    but_of: Collection[UUID] = (),
) -> frozenset[str]:
    """Return which of these are held, of a type or of any, leaving out some submissions."""
    query = (
        select(HeldRecordRow.record_id)
        .join(SubmissionRow, SubmissionRow.id == HeldRecordRow.submission_id)
        .where(
            HeldRecordRow.agency_id == agency_id,
            HeldRecordRow.record_id.in_([UUID(each) for each in record_ids]),
            HeldRecordRow.submission_id.not_in(but_of),
            SubmissionRow.superseded_by.is_(None),
            SubmissionRow.state != State.WITHDRAWN,
        )
    )
    if record_type is not None:
        query = query.where(HeldRecordRow.record_type == record_type)
    return frozenset(map(str, session.scalars(query)))


def hold_records(
    session: Session, submission: Submission, records: Mapping[str, Sequence[str]]
) -> bool:
    """List new records by type; False where another submission brought one of them meanwhile.

    Takes the agency's turn for the rest of the transaction, so that of two submissions with the
    same record the second is judged knowing the first. What this one replaces is superseded before.
    """
    turn = func.hashtextextended(f"held_record {submission.agency_id}", 0)
    session.execute(select(func.pg_advisory_xact_lock(turn)))
    for record_type, record_ids in records.items():
        for at in range(0, len(record_ids), _A_STATEMENT):
            some = record_ids[at : at + _A_STATEMENT]
            if held_records(session, submission.agency_id, some):
                return False
            session.execute(insert(HeldRecordRow), _rows(submission, record_type, some))
    return True


def _rows(
    submission: Submission, record_type: str, record_ids: Sequence[str]
) -> list[dict[str, object]]:
    return [
        {
            "agency_id": submission.agency_id,
            "record_id": UUID(each),
            "submission_id": submission.id,
            "record_type": record_type,
        }
        for each in record_ids
    ]
