"""A transaction that stands still holds nobody up for longer than it may."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import text

from gateway.errors import ServiceFailed
from gateway.store.database import IDLE_SECONDS, Database

COUNT = text(
    "INSERT INTO agency_counter AS counter (agency_id, next) VALUES ('POL-E23000020', 1)"
    " ON CONFLICT (agency_id) DO UPDATE SET next = counter.next + 1"
)
NEXT = text("SELECT next FROM agency_counter WHERE agency_id = 'POL-E23000020'")


def test_who_stands_still_in_the_middle_is_passed_by_and_learns_of_it(database_url: str) -> None:
    """As a worker that is stopped with the counter of an agency in its hands."""
    stopped, other = Database(database_url, idle_seconds=0.5), Database(database_url)
    with other.transaction() as session:
        session.execute(COUNT)
    with pytest.raises(ServiceFailed) as woken:
        _count_and_stand_still(stopped, until=partial(_count, other))
    assert woken.value.code == "database-unavailable"
    with stopped.transaction() as session:
        assert session.execute(NEXT).scalar_one() == 2, "what it had done is undone"
    stopped.dispose()
    other.dispose()


def test_every_connection_has_that_limit(database_url: str) -> None:
    database = Database(database_url)
    with database.transaction() as session:
        limit = session.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one()
    database.dispose()
    assert limit == f"{IDLE_SECONDS:.0f}s"


def _count_and_stand_still(database: Database, *, until: Callable[[], None]) -> None:
    with database.transaction() as session, ThreadPoolExecutor(1) as pool:
        session.execute(COUNT)
        pool.submit(until).result(timeout=20)


def _count(database: Database) -> None:
    with database.transaction() as session:
        session.execute(COUNT)
