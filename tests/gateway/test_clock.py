"""The agreed clock: a time that the database does not share is told to nobody."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from sqlalchemy import text

from gateway import worker
from gateway.clock import HELD_SECONDS, TOLERANCE, AgreedClock
from gateway.errors import ServiceFailed
from gateway.store.jobs import SIGN
from tests.gateway.stand import Stand

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Machine:
    """A machine and a database beside it, each with a clock; both go on by `pass_by`."""

    def __init__(self) -> None:
        self.wall = self.database = NOON
        self.ticks = 5.0
        self.asked = 0
        self.clock = AgreedClock(self._ask, clock=lambda: self.wall, monotonic=lambda: self.ticks)

    def pass_by(self, seconds: float) -> None:
        self.ticks += seconds
        self.wall += timedelta(seconds=seconds)
        self.database += timedelta(seconds=seconds)

    def _ask(self) -> datetime:
        self.asked += 1
        return self.database


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_the_database_is_asked_now_and_then(machine: Machine) -> None:
    for _ in range(100):
        assert machine.clock() == machine.wall
        machine.pass_by(HELD_SECONDS / 100)
    assert machine.asked == 1
    machine.pass_by(HELD_SECONDS)
    machine.clock()
    assert machine.asked == 2


@pytest.mark.parametrize("offset", [DAY, -DAY, TOLERANCE * 1.1, -TOLERANCE * 1.1])
def test_a_jump_is_noticed_at_once_and_so_is_its_end(machine: Machine, offset: timedelta) -> None:
    machine.clock()
    machine.pass_by(0.01)
    machine.wall += offset
    for _ in range(3):
        with pytest.raises(ServiceFailed) as astray:
            machine.clock()
        assert astray.value.code == "clock-astray"
    assert astray.value.detail.startswith("+" if offset > timedelta() else "-")
    machine.wall -= offset
    assert machine.clock() == machine.wall


def test_a_clock_that_was_never_right_is_not_believed_at_first(machine: Machine) -> None:
    machine.wall -= DAY
    with pytest.raises(ServiceFailed):
        machine.clock()


def test_a_database_that_jumps_is_noticed_when_it_is_asked(machine: Machine) -> None:
    machine.clock()
    machine.database += DAY
    machine.pass_by(HELD_SECONDS + 1)
    with pytest.raises(ServiceFailed):
        machine.clock()


def test_a_small_correction_is_none_of_our_business(machine: Machine) -> None:
    machine.clock()
    machine.wall += TOLERANCE / 2
    assert machine.clock() == machine.wall
    assert machine.asked == 2


def test_who_holds_every_connection_can_still_ask_what_time_it_is(stand: Stand) -> None:
    """Each waits in a transaction of its own, as entries do: none may wait for another."""
    database, all_in = stand.admin.database, Barrier(10, timeout=20)
    clock = AgreedClock(database.now, clock=lambda: datetime.now(UTC), monotonic=lambda: 0.0)
    told: list[datetime] = []

    def ask() -> None:
        with database.transaction() as session:
            session.execute(text("SELECT 1"))
            all_in.wait()
            told.append(clock())

    threads = [Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 10


def test_what_a_worker_of_tomorrow_put_off_is_not_left_until_tomorrow(stand: Stand) -> None:
    subject, later = uuid4(), datetime.now(UTC) + DAY
    with stand.database.transaction() as session:
        stand.worker.jobs.sign(session, subject)
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = :at"), {"at": later})
    worker.sweep(stand.worker, now=datetime.now(UTC))
    due = text("SELECT scheduled_at <= now() FROM procrastinate_jobs WHERE task_name = :task")
    with stand.database.transaction() as session:
        assert session.execute(due, {"task": SIGN}).scalars().all() == [True]
        session.execute(text("DELETE FROM procrastinate_jobs"))


def test_what_is_to_be_tried_soon_is_left_alone(stand: Stand) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=30)
    with stand.database.transaction() as session:
        stand.worker.jobs.sign(session, uuid4())
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = :at"), {"at": soon})
    worker.sweep(stand.worker, now=datetime.now(UTC))
    with stand.database.transaction() as session:
        query = text("SELECT scheduled_at FROM procrastinate_jobs")
        assert session.execute(query).scalars().all() == [soon]
        session.execute(text("DELETE FROM procrastinate_jobs"))
