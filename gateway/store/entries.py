"""Entries on their way into the outbox: collected while a transaction works, numbered at its end.

Each entry about an agency says how many of that agency came before, so that one which is taken away
before it is sequenced leaves a gap. The number comes from a row that stays locked until the commit:
transactions about one agency commit one after the other, in the order of their numbers and of their
ids in the outbox, and one that is rolled back gives its numbers back.

That lock is the last that a transaction takes. Whoever has it waits for nothing but the counter of
an agency of a greater id, and so for nobody who waits for it: it cannot be part of a deadlock.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from audit.entry import Entry

_COLLECTED = "audit entries"
_WRITTEN = "audit entries as they were written"
# One statement takes the number and writes the entry: the counter is held for as short as can be.
_WRITE = text("""
WITH taken AS (
    INSERT INTO agency_counter AS counter (agency_id, next)
    SELECT :agency, 1 WHERE CAST(:agency AS text) IS NOT NULL
    ON CONFLICT (agency_id) DO UPDATE SET next = counter.next + 1
    RETURNING CAST(next - 1 AS text) AS number
), written AS (
    INSERT INTO audit_outbox (event_id, entry)
    SELECT :event_id, :before || convert_to(coalesce(max(number), ''), 'UTF8') || :after FROM taken
)
SELECT number FROM taken
""")


def add_entry(session: Session, entry: Entry) -> UUID:
    """Have an entry written at the end of the caller's transaction; return its event id."""
    session.info.setdefault(_COLLECTED, []).append(entry)
    return UUID(entry.event_id)


def write_entries(session: Session) -> None:
    """Number what was collected and put it into the outbox; after this there is only the commit."""
    entries: list[Entry] = session.info.pop(_COLLECTED, [])
    if not entries:
        return
    session.flush()  # whatever may wait for another transaction waits before the counters are held
    # Counters are locked in the order of their agencies, the same in every transaction.
    entries.sort(key=lambda entry: entry.agency or "")
    session.info[_WRITTEN] = {UUID(each.event_id): _written(session, each) for each in entries}


def written_entry(session: Session, event_id: UUID) -> bytes:
    """The octets of an entry that a transaction has written; asked once it has ended well."""
    entry: bytes = session.info[_WRITTEN][event_id]
    return entry


def _written(session: Session, entry: Entry) -> bytes:
    before, after = _around(entry)
    given = {"agency": entry.agency, "event_id": UUID(entry.event_id)}
    number = session.scalar(_WRITE, given | {"before": before, "after": after})
    return before + (number or "").encode() + after


def _around(entry: Entry) -> tuple[bytes, bytes]:
    """The octets of an entry before its number and after it; all are before where it has none."""
    return (entry.to_bytes(), b"") if entry.agency is None else entry.around_counter()
