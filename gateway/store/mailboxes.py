"""Where agencies' mail goes: one mailbox an agency, or none."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import MailboxRow


def find_mailbox(session: Session, agency_id: str) -> str | None:
    """The address of an agency's mailbox, as it stands now."""
    row = session.get(MailboxRow, agency_id, populate_existing=True)
    return None if row is None else row.address


def put_mailbox(session: Session, agency_id: str, address: str, *, now: datetime) -> bool:
    """Set an agency's mailbox; False if it is that one already."""
    given = insert(MailboxRow).values(agency_id=agency_id, address=address, set_at=now)
    put = session.execute(
        given.on_conflict_do_update(
            index_elements=["agency_id"],
            set_={"address": given.excluded.address, "set_at": given.excluded.set_at},
            where=MailboxRow.address != given.excluded.address,
        ).returning(MailboxRow.agency_id)
    )
    return put.first() is not None


def remove_mailbox(session: Session, agency_id: str) -> bool:
    """Send an agency no more mail; False if it has no mailbox."""
    removed = session.execute(
        delete(MailboxRow).where(MailboxRow.agency_id == agency_id).returning(MailboxRow.agency_id)
    )
    return removed.first() is not None
