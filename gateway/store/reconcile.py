"""Acts that the database knows and the audit log does not.

Every move of a submission names the entry that was written in its transaction. An entry whose row
was taken out of the outbox before it reached the tree is gone without a trace in the log; but not
here.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from gateway.store.tables import LeafRow, OutboxRow, SubmissionRow, TransitionRow


@dataclass(frozen=True, slots=True)
class Unlogged:
    """An act without its entry."""

    submission: UUID
    act: str
    event_id: UUID


def unlogged(session: Session) -> list[Unlogged]:
    """Every receipt and move whose entry is neither in the log nor on its way there."""
    moves = select(TransitionRow.submission_id, TransitionRow.to_state, TransitionRow.event_id)
    receipts = select(SubmissionRow.id, SubmissionRow.event_id)
    found = {
        event: Unlogged(submission, state, event)
        for submission, state, event in session.execute(
            moves.where(~_entered(TransitionRow.event_id)).order_by(TransitionRow.id)
        )
    }
    for submission, event in session.execute(receipts.where(~_entered(SubmissionRow.event_id))):
        found.setdefault(event, Unlogged(submission, "received", event))
    return list(found.values())


def _entered(event: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    in_log = select(LeafRow.event_id).where(LeafRow.event_id == event).exists()
    waiting = select(OutboxRow.event_id).where(OutboxRow.event_id == event).exists()
    return or_(in_log, waiting)
