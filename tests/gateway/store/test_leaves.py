"""Leaves in bulk: what a second sequencer, a replayed event or a lost connection does to them."""

from collections.abc import Iterator, Sequence

import psycopg
import pytest
from sqlalchemy import text

from audit.errors import EntryRefused, LogDoesNotFit
from audit.merkle import leaf_hash
from audit.store import Pending
from gateway.embedded import EmbeddedServers
from gateway.errors import ServiceFailed
from gateway.store.database import Database
from gateway.store.leaves import add_leaves, take_from_outbox
from gateway.store.log import PostgresLog
from tests.audit.careless import sequence
from tests.audit.samples import SIGNER, event
from tests.conftest import create_database, drop_database


@pytest.fixture
def database(servers: EmbeddedServers, database_template: str) -> Iterator[Database]:
    """An empty one."""
    url = create_database(servers, template=database_template)
    database = Database(url)
    yield database
    database.dispose()
    drop_database(servers, url)


def put_in_outbox(database: Database, number: int) -> None:
    """What a writer does who goes past the gateway's own code."""
    put = text("INSERT INTO audit_outbox (event_id, entry) VALUES (:event_id, :entry)")
    entry = event(number)
    with database.transaction() as session:
        session.execute(put, {"event_id": entry.event_id, "entry": entry.to_bytes()})


def test_a_replayed_event_is_refused_and_its_row_is_named(database: Database) -> None:
    log = PostgresLog(database)
    put_in_outbox(database, 1)
    sequence(log, signer=SIGNER)
    put_in_outbox(database, 2)
    put_in_outbox(database, 1)
    with pytest.raises(EntryRefused, match=r"outbox row \[3\]: its event is in the log already"):
        sequence(log, signer=SIGNER)
    assert len(log.entries(0, 9)) == 1
    assert [row.outbox_id for row in log.pending(9)] == [2, 3], "nothing was taken"


def test_a_taken_index_says_that_another_sequencer_is_at_work(database: Database) -> None:
    put_in_outbox(database, 1)
    sequence(PostgresLog(database), signer=SIGNER)
    rows = [Pending(7, event(2).to_bytes())]
    with (
        pytest.raises(LogDoesNotFit, match="another sequencer"),
        database.transaction() as session,
    ):
        add_leaves(session, 0, rows, [leaf_hash(rows[0].entry)])


def test_a_row_that_somebody_else_took_is_not_logged_twice(database: Database) -> None:
    with pytest.raises(LookupError), database.transaction() as session:
        take_from_outbox(session, [Pending(12345, b"")])


def test_a_connection_lost_in_mid_copy_is_a_database_away(
    servers: EmbeddedServers, database: Database
) -> None:
    """COPY runs below SQLAlchemy, whose errors the sequencer waits out; these must be the same."""
    put_in_outbox(database, 1)
    log = PostgresLog(database)
    rows, address = log.pending(9), servers.postgres.admin_url.replace("+psycopg", "", 1)
    with pytest.raises(ServiceFailed):
        add_and_lose(database, address, rows)
    assert log.head() is None
    assert sequence(log, signer=SIGNER) is not None


def add_and_lose(database: Database, address: str, rows: Sequence[Pending]) -> None:
    with database.transaction() as session:
        process = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with psycopg.connect(address, autocommit=True) as superuser:
            superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        add_leaves(session, 0, rows, [leaf_hash(row.entry) for row in rows])
