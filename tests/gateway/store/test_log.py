"""The log in PostgreSQL keeps to the rules of every log store, and cannot be rewritten."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from audit.actions import Action
from audit.entry import Entry, event_id_of
from audit.replay import replay
from audit.sequencer import sequence_once
from audit.signing import SignedEdge
from audit.tiles import StoreSource
from gateway.embedded import EmbeddedServers
from gateway.sequencer import run_sequencer
from gateway.settings import Process
from gateway.store.database import Database
from gateway.store.log import PostgresLog, sequencer_lock
from tests.audit.samples import SIGNER, event
from tests.audit.store_suite import LogStoreSuite, StoreHarness
from tests.conftest import create_database, drop_database
from tests.gateway.stand import POLICE, Stand

KEPT = ("log_leaf", "log_tile", "log_checkpoint", "submission_transition")
CHANGES = {
    "UPDATE log_leaf SET entry = 'forged'",
    "DELETE FROM log_leaf WHERE index = 0",
    "TRUNCATE log_leaf",
    "UPDATE log_tile SET root = ''",
    "DELETE FROM log_checkpoint",
    "UPDATE submission_transition SET to_state = 'stored'",
    "DELETE FROM submission_transition",
    "TRUNCATE submission_transition",
}


class TestPostgresLog(LogStoreSuite):
    @pytest.fixture
    def harness(self, servers: EmbeddedServers, database_template: str) -> Iterator[StoreHarness]:
        url = create_database(servers, template=database_template)
        database = Database(url)

        def enqueue(entry: bytes) -> None:
            _write(database, entry)

        yield StoreHarness(PostgresLog(database), enqueue)
        database.dispose()
        drop_database(servers, url)


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_what_is_in_the_log_is_never_changed(stand: Stand, change: str) -> None:
    sender = stand.sender(POLICE)
    stand.send(sender, sender.message(1))
    stand.settle()
    before = stand.entries()
    with pytest.raises(DBAPIError, match="never changed or removed"):
        run(stand, change)
    assert stand.entries() == before


def run(stand: Stand, statement: str) -> None:
    with stand.database.transaction() as session:
        session.execute(text(statement))


def test_one_sequencer_holds_the_lock(stand: Stand) -> None:
    with (
        sequencer_lock(stand.database) as first,
        sequencer_lock(stand.sequencer.database) as second,
    ):
        assert (first, second) == (True, False)
    with sequencer_lock(stand.sequencer.database) as later:
        assert later is True, "the lock falls with its connection"


def test_two_sequencers_at_once_make_one_log(stand: Stand) -> None:
    stop = Event()
    settings = stand.settings(Process.SEQUENCER)
    loops = [Thread(target=run_sequencer, args=(settings, stop)) for _ in range(2)]
    for loop in loops:
        loop.start()
    sender = stand.sender(POLICE)
    for _ in range(20):
        stand.send(sender, sender.message(1))
    stop.wait(1)
    stop.set()
    for loop in loops:
        loop.join()
    stand.settle()
    log = PostgresLog(stand.database)
    replayed = replay(StoreSource(log), verifier=stand.keys.log.verifier)
    assert replayed.actions[Action.SUBMISSION_RECEIVED] >= 20


def test_a_late_committer_is_not_skipped(stand: Stand) -> None:
    """A transaction that took a low id may commit after one that took a higher id."""
    log = PostgresLog(stand.database)
    stand.sequence()
    slow, fast = event(1, event_id=fresh_id()), event(2, event_id=fresh_id())
    with stand.database.transaction() as session:
        _put(session, slow.to_bytes())
        with stand.admin.database.transaction() as other:
            _put(other, fast.to_bytes())
        stand.sequence()
    stand.sequence()
    told = [Entry.from_bytes(data).event_id for data in log.entries(0, 1 << 40)]
    assert told[-2:] == [fast.event_id, slow.event_id]


def fresh_id() -> str:
    value = uuid4().int & ~(0xF << 76) | 0x7 << 76
    return str(UUID(int=value))


def test_a_restored_database_is_not_signed_on(
    servers: EmbeddedServers, database_template: str, tmp_path: Path
) -> None:
    """The signer, outside the database, knows that more was signed than the backup holds."""
    url = create_database(servers, template=database_template)
    database, signer = Database(url), SignedEdge([SIGNER], tmp_path / "memory")
    harness = StoreHarness(PostgresLog(database), lambda entry: _write(database, entry))
    harness.happen(0, 3)
    sequence_once(harness.store, signer=signer)
    database.dispose()
    backup = create_database(servers, template=str(url.rsplit("/", 1)[1].split("?")[0]))
    harness.happen(3, 5)
    sequence_once(harness.store, signer=signer)
    database.dispose()
    restored = Database(backup)
    _write(restored, event(9).to_bytes())
    with pytest.raises(Exception, match="a backup was restored"):
        sequence_once(PostgresLog(restored), signer=signer)
    restored.dispose()
    for each in (url, backup):
        drop_database(servers, each)


def _write(database: Database, entry: bytes) -> None:
    with database.transaction() as session:
        _put(session, entry)


def _put(session: Session, entry: bytes) -> None:
    """Into the outbox as it is, without a number."""
    put = text("INSERT INTO audit_outbox (event_id, entry) VALUES (:event_id, :entry)")
    session.execute(put, {"event_id": event_id_of(entry), "entry": entry})
