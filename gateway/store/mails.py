"""Mails that were given up, by the submission that each is about: kept until sent for again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.records import GivenUpMail
from gateway.store.tables import GivenUpMailRow, SubmissionRow


def give_up_mail(session: Session, submission_id: UUID, error_code: str, *, now: datetime) -> None:
    """Keep that a mail was given up, and why; whatever was kept of it before is replaced."""
    given = insert(GivenUpMailRow).values(
        submission_id=submission_id, error_code=error_code, given_up_at=now
    )
    session.execute(
        given.on_conflict_do_update(
            index_elements=["submission_id"],
            set_={
                "error_code": given.excluded.error_code,
                "given_up_at": given.excluded.given_up_at,
            },
        )
    )


def given_up_mails(session: Session) -> list[GivenUpMail]:
    """Mails that wait for an operator, oldest first."""
    query = select(GivenUpMailRow, SubmissionRow.agency_id).join(
        SubmissionRow, SubmissionRow.id == GivenUpMailRow.submission_id
    )
    return [
        GivenUpMail(row.submission_id, agency_id, row.error_code, row.given_up_at)
        for row, agency_id in session.execute(query.order_by(GivenUpMailRow.given_up_at))
    ]


def take_up_mail(session: Session, submission_id: UUID) -> bool:
    """Take a mail off the list; False if it is not on it, or somebody else was faster."""
    query = delete(GivenUpMailRow).where(GivenUpMailRow.submission_id == submission_id)
    return session.execute(query.returning(GivenUpMailRow.submission_id)).first() is not None
