"""Entries on their way into the outbox: collected while a transaction works, numbered at its end.

Each entry about an agency says how many of that agency came before, so that one which is taken away
before it is sequenced leaves a gap. The number comes from a row that stays locked until the commit:
transactions about one agency commit one after the other, in the order of their numbers and of their
ids in the outbox, and one that is rolled back gives its numbers back.

That lock is the last that a transaction takes. Whoever has it waits for nothing but the counter of
an agency of a greater id, and so for nobody who waits for it: it cannot be part of a deadlock.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from audit.entry import Entry

_COLLECTED = "audit entries"
_WRITTEN = "audit entries as they were written"
# Rows are locked in the order in which they are given here, the same in every transaction.
TAKE = text("""
INSERT INTO agency_counter AS counter (agency_id, next)
SELECT * FROM unnest(CAST(:agencies AS text[]), CAST(:wanted AS bigint[])) AS given (agency, number)
ORDER BY agency
ON CONFLICT (agency_id) DO UPDATE SET next = counter.next + excluded.next
RETURNING agency_id, next
""")

_WAIT = text("INSERT INTO audit_outbox (event_id, entry) VALUES (:event_id, :entry)")


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
    wanted = Counter(entry.agency for entry in entries if entry.agency is not None)
    rows = [
        {"event_id": UUID(entry.event_id), "entry": entry.to_bytes()}
        for entry in _numbered(entries, _take_numbers(session, wanted))
    ]
    session.execute(_WAIT, rows)
    session.info[_WRITTEN] = {row["event_id"]: row["entry"] for row in rows}


def written_entry(session: Session, event_id: UUID) -> bytes:
    """The octets of an entry that a transaction has written; asked once it has ended well."""
    entry: bytes = session.info[_WRITTEN][event_id]
    return entry


def _take_numbers(session: Session, wanted: Mapping[str, int]) -> dict[str, int]:
    """Take as many numbers as each agency needs; return the first of each."""
    if not wanted:
        return {}
    given = {"agencies": list(wanted), "wanted": list(wanted.values())}
    return {agency: after - wanted[agency] for agency, after in session.execute(TAKE, given)}


def _numbered(entries: Iterable[Entry], first: dict[str, int]) -> Iterator[Entry]:
    following = dict(first)
    for entry in entries:
        if entry.agency is None:
            yield entry
        else:
            yield replace(entry, agency_counter=following[entry.agency])
            following[entry.agency] += 1
