"""Numbers of entries: dense, in the order of the log, and never a reason to wait for each other."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from threading import Event, Thread
from time import sleep
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from audit.counters import CounterFinding
from audit.entry import Entry
from audit.replay import replay
from audit.tiles import StoreSource
from gateway.embedded import EmbeddedServers
from gateway.store.database import Database
from gateway.store.entries import add_entry
from gateway.store.log import PostgresLog
from tests.audit.careless import sequence
from tests.audit.samples import SIGNER, event
from tests.conftest import create_database, drop_database

WRITERS = 16
AGENCIES = [f"POL-E2300000{number}" for number in range(5)]


class Undone(Exception):
    """A transaction that is rolled back."""


@pytest.fixture
def database(servers: EmbeddedServers, database_template: str) -> Iterator[Database]:
    """A database of its own, with a connection for each writer and for the sequencer."""
    url = create_database(servers, template=database_template)
    database = Database(url, pool_size=WRITERS + 2)
    yield database
    database.dispose()
    drop_database(servers, url)


def about(agency: str | None) -> Entry:
    return event(1, agency=agency, event_id=fresh_id())


def fresh_id() -> str:
    value = uuid4().int & ~(0xF << 76) | 0x7 << 76
    return str(UUID(int=value))


def write(database: Database, *agencies: str | None) -> None:
    with database.transaction() as session:
        for agency in agencies:
            add_entry(session, about(agency))


def give_up(database: Database, *agencies: str | None) -> None:
    with database.transaction() as session:
        for agency in agencies:
            add_entry(session, about(agency))
        raise Undone


def write_twice(database: Database, entry: Entry) -> None:
    """The outbox refuses the second, after both have their numbers."""
    with database.transaction() as session:
        for _ in range(2):
            add_entry(session, entry)


def numbers(database: Database, agency: str | None) -> list[int | None]:
    """The numbers of an agency's entries, in the order of the log."""
    log = PostgresLog(database)
    sequence(log, signer=SIGNER, limit=100_000)
    entries = [Entry.from_bytes(data) for data in log.entries(0, 1 << 40)]
    return [entry.agency_counter for entry in entries if entry.agency == agency]


def at_once(*tasks: Callable[[], None]) -> None:
    """Run all of them beside each other; raise what one raised."""
    faults: list[BaseException] = []

    def run(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - a thread's fault must reach the test
            faults.append(error)

    threads = [Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def test_each_agency_is_counted_from_nothing(database: Database) -> None:
    one, other = AGENCIES[:2]
    write(database, one)
    write(database, one, None, other, one)
    write(database, None)
    write(database, other)
    assert numbers(database, one) == [0, 1, 2]
    assert numbers(database, other) == [0, 1]
    assert numbers(database, None) == [None, None]


def test_what_is_rolled_back_leaves_no_gap(database: Database) -> None:
    write(database, AGENCIES[0])
    with pytest.raises(Undone):
        give_up(database, AGENCIES[0])
    with pytest.raises(DBAPIError):
        write_twice(database, about(AGENCIES[0]))
    write(database, AGENCIES[0])
    assert numbers(database, AGENCIES[0]) == [0, 1]


def test_the_log_has_the_numbers_in_their_order_whoever_commits_when(database: Database) -> None:
    """Sixteen writers of five agencies, some of whom give up, and a sequencer at work meanwhile."""
    log, stop = PostgresLog(database), Event()

    def writer(seed: int) -> Callable[[], None]:
        rng = Random(seed)

        def run() -> None:
            for _ in range(25):
                some = rng.choices([*AGENCIES, None], k=rng.randrange(1, 8))
                sleep(rng.random() / 200)
                if rng.random() < 0.8:
                    write(database, *some)
                else:
                    with suppress(Undone):
                        give_up(database, *some)

        return run

    def sequencer() -> None:
        while not stop.is_set():
            sequence(log, signer=SIGNER, limit=7)

    def writers() -> None:
        try:
            at_once(*map(writer, range(WRITERS)))
        finally:
            stop.set()

    at_once(sequencer, writers)
    for agency in AGENCIES:
        found = numbers(database, agency)
        assert found == list(range(len(found)))
        assert len(found) > WRITERS
    replayed = replay(StoreSource(log), verifier=SIGNER.verifier)
    assert not [each for each in replayed.findings if isinstance(each, CounterFinding)]


def test_a_number_waits_for_the_one_before_it_and_for_nothing_else(database: Database) -> None:
    """Work that takes long holds no number; only what has begun to be written does."""
    slow, fast = Event(), Event()

    def works_long() -> None:
        with database.transaction() as session:
            add_entry(session, about(AGENCIES[0]))
            slow.set()
            assert fast.wait(30), "somebody waited for work that holds no number"

    def comes_later() -> None:
        assert slow.wait(30)
        write(database, AGENCIES[0])
        fast.set()

    at_once(works_long, comes_later)
    assert numbers(database, AGENCIES[0]) == [0, 1]


def test_agencies_do_not_wait_for_each_other(database: Database) -> None:
    write(database, *AGENCIES[:2])
    with database.transaction() as session:
        session.execute(
            text("UPDATE agency_counter SET next = 9 WHERE agency_id = :id"), {"id": AGENCIES[0]}
        )
        write(database, AGENCIES[1])


def test_many_agencies_at_once_in_any_order_never_lock_each_other_out(database: Database) -> None:
    def writer(seed: int) -> Callable[[], None]:
        rng = Random(seed)

        def run() -> None:
            for _ in range(20):
                write(database, *rng.sample(AGENCIES, k=len(AGENCIES)))

        return run

    at_once(*map(writer, range(WRITERS)))
    for agency in AGENCIES:
        assert numbers(database, agency) == list(range(WRITERS * 20))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE agency_counter SET next = next - 1",
        "UPDATE agency_counter SET next = next",
        "UPDATE agency_counter SET agency_id = 'LA-E10000019'",
        "DELETE FROM agency_counter",
        "TRUNCATE agency_counter",
        "INSERT INTO agency_counter VALUES ('LA-E10000019', 0)",
    ],
)
def test_a_counter_only_rises(database: Database, statement: str) -> None:
    write(database, *AGENCIES[:1] * 3)
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.execute(text(statement))
    write(database, AGENCIES[0])
    assert numbers(database, AGENCIES[0]) == [0, 1, 2, 3]
