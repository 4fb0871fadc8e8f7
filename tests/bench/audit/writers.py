"""What the counter of an agency costs those who write about it at once.

Sixteen threads write one entry a transaction, on a PostgreSQL that keeps what it commits. The row
of a counter is held from its number to the end of the commit, so writers about ONE agency commit
one after the other. Against them stand the same writers without an agency, whose commits share a
write to the disk; writers about sixteen, who do not wait for each other either; and a tree that
the writers keep themselves (`inline`).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.embedded import EmbeddedPostgres
from gateway.store.database import Database
from gateway.store.entries import add_entry
from gateway.store.migrate import migrate
from tests.audit.samples import event
from tests.bench.audit.inline import TABLES, key_at_hand
from tests.bench.measure import Line, peak_mb

WRITERS = 16
A_ROUND = 100
ROUNDS = 5
AGENCIES = [f"POL-E{23000000 + number}" for number in range(WRITERS)]
OF_NONE = 0.2
OF_NONE_APART = 0.6
OF_INLINE = 3.0


def bench_writers(folder: Path) -> Iterator[Line]:
    """Every case of this module."""
    ways: dict[str, Sequence[str | None]] = {
        "one agency": AGENCIES[:1] * WRITERS,
        "sixteen agencies": AGENCIES,
        "no agency": [None] * WRITERS,
    }
    with EmbeddedPostgres(folder / "writers") as postgres:
        database = Database(postgres.url, pool_size=WRITERS)
        migrate(database)
        rates: dict[str, list[float]] = {way: [] for way in ways}
        inline: list[float] = []
        with database.transaction() as session:
            session.execute(text(TABLES))
        for _ in range(ROUNDS):
            for way, agencies in ways.items():
                rates[way].append(_rate(database, agencies))
            inline.append(_rate(database, AGENCIES, then=key_at_hand().keep))
        peak = 0.0 if postgres.pid is None else peak_mb([postgres.pid])
        database.dispose()
    rate = {way: median(found) for way, found in rates.items()}
    for way, target in (("one agency", OF_NONE), ("sixteen agencies", OF_NONE_APART)):
        yield Line(
            f"{WRITERS} writers about {way}, an entry a transaction",
            f"{WRITERS} writers about no agency",
            *(rate[way], rate["no agency"], "transactions/s", "higher", target, peak),
        )
    yield Line(
        f"{WRITERS} writers about sixteen agencies, an entry a transaction",
        "the tree kept in the transaction, the key at hand",
        *(rate["sixteen agencies"], median(inline), "transactions/s", "higher", OF_INLINE, peak),
    )


def _rate(
    database: Database,
    agencies: Sequence[str | None],
    *,
    then: Callable[[Session], None] = lambda _: None,
) -> float:
    def write(agency: str | None) -> None:
        for _ in range(A_ROUND):
            with database.transaction() as session:
                add_entry(session, event(1, agency=agency, event_id=_fresh_id()))
                then(session)

    began = time.perf_counter()
    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(write, agencies))
    return WRITERS * A_ROUND / (time.perf_counter() - began)


def _fresh_id() -> str:
    return str(UUID(int=uuid4().int & ~(0xF << 76) | 0x7 << 76))
