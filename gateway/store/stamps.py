"""Timestamps of the log at rest: which authority said what of which published checkpoint.

One note a size: where a second authority is asked later, it is asked about the same octets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import TimestampRow

SIZES_A_PAGE = 500


@dataclass(frozen=True, slots=True)
class StampPlace:
    """That there is a token of an authority over the checkpoint of a size."""

    size: int
    authority: str
    received_at: datetime


def add_stamp(session: Session, place: StampPlace, *, note: bytes, token: bytes) -> None:
    """Keep a token; the first of an authority and a size stands."""
    row = insert(TimestampRow).values(
        size=place.size,
        authority=place.authority,
        note=note,
        token=token,
        received_at=place.received_at,
    )
    session.execute(row.on_conflict_do_nothing())


def newest_stamps(session: Session) -> Mapping[str, StampPlace]:
    """The newest of each authority."""
    newest = (func.max(TimestampRow.size), func.max(TimestampRow.received_at))
    rows = session.execute(select(TimestampRow.authority, *newest).group_by(TimestampRow.authority))
    return {authority: StampPlace(size, authority, at) for authority, size, at in rows}


def stamps_after(session: Session, size: int) -> Sequence[StampPlace]:
    """All of the sizes that follow, as many sizes as stand on one page."""
    sizes = select(TimestampRow.size).where(TimestampRow.size > size).distinct()
    page = sizes.order_by(TimestampRow.size).limit(SIZES_A_PAGE).subquery()
    last = select(func.max(page.c.size)).scalar_subquery()
    columns = (TimestampRow.size, TimestampRow.authority, TimestampRow.received_at)
    query = select(*columns).where(TimestampRow.size > size, TimestampRow.size <= last)
    rows = session.execute(query.order_by(TimestampRow.size, TimestampRow.authority))
    return [StampPlace(*row) for row in rows]


def stamped_note(session: Session, size: int) -> bytes | None:
    """The note of a size that was stamped, or None."""
    query = select(TimestampRow.note).where(TimestampRow.size == size)
    return session.scalars(query.order_by(TimestampRow.received_at).limit(1)).first()


def find_token(session: Session, size: int, authority: str) -> bytes | None:
    """The token of an authority over the checkpoint of a size, or None."""
    row = session.get(TimestampRow, (size, authority))
    return None if row is None else row.token
