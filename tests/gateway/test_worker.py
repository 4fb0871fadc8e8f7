"""The worker forgets nothing: jobs that were lost, workers that died, faults of every kind."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog
from procrastinate import App, SyncPsycopgConnector
from procrastinate.jobs import Job
from sqlalchemy import text

from gateway import worker
from gateway.errors import GatewayError, NotReady, ServiceFailed
from gateway.flow.process import PackageTaken, Processor
from gateway.records import State
from gateway.store.jobs import PROCESS, in_hand
from tests.gateway.stand import COUNCIL, POLICE, Stand, new_keyring
from tests.gateway.working import eventually, running

LATER = timedelta(minutes=1)


@pytest.fixture
def submission(stand: Stand) -> Iterator[UUID]:
    """A received submission with its job."""
    sender = stand.sender(POLICE)
    yield stand.send(sender, sender.message(1))
    with stand.database.transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
    worker.sweep(stand.worker, now=datetime.now(UTC) + LATER)
    stand.settle()


def do(stand: Stand, statement: str) -> None:
    with stand.database.transaction() as session:
        session.execute(text(statement))


def test_what_is_received_is_processed(stand: Stand, submission: UUID) -> None:
    with running(stand):
        assert eventually(lambda: stand.state(submission) is State.STORED)


def test_a_submission_whose_job_was_lost_gets_another(stand: Stand, submission: UUID) -> None:
    do(stand, "DELETE FROM procrastinate_jobs")
    assert worker.sweep(stand.worker, now=datetime.now(UTC)) == 0, "too early to be forgotten"
    assert worker.sweep(stand.worker, now=datetime.now(UTC) + LATER) == 1
    with stand.database.transaction() as session:
        assert in_hand(session, PROCESS) == {submission}
    assert worker.sweep(stand.worker, now=datetime.now(UTC) + LATER) == 0, "one job is enough"


def test_what_a_dead_worker_held_comes_back(stand: Stand, submission: UUID) -> None:
    do(stand, "UPDATE procrastinate_jobs SET status = 'doing'")
    with running(stand):
        assert eventually(lambda: stand.state(submission) is State.STORED)


def test_what_a_dead_worker_held_keeps_no_other_job_waiting(stand: Stand, submission: UUID) -> None:
    """As where an operator has a submission tried again that a worker died over."""
    do(stand, "UPDATE procrastinate_jobs SET status = 'doing'")
    with stand.database.transaction() as session:
        stand.worker.jobs.process(session, submission)
    with running(stand):
        assert eventually(lambda: stand.state(submission) is State.STORED)


def test_the_worker_outlives_its_connections(stand: Stand, submission: UUID) -> None:
    with running(stand):
        assert eventually(lambda: stand.state(submission) is State.STORED)
        do(
            stand,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()",
        )
        time.sleep(1)
        stand.close()  # its own connections were ended, too
        sender = stand.sender(POLICE)
        another = stand.send(sender, sender.message(1))
        assert eventually(lambda: stand.state(another) is State.STORED)


CUT_AT_THE_END = """
    CREATE SEQUENCE cut;
    CREATE FUNCTION cut_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('cut') = 1 THEN
            PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(10);
        END IF;
        RETURN coalesce(NEW, OLD);
    END $$;
    CREATE TRIGGER cut_once BEFORE UPDATE OR DELETE ON procrastinate_jobs
        FOR EACH ROW WHEN (OLD.status = 'doing') EXECUTE FUNCTION cut_once();
"""
"""The line to the database breaks under the statement that ends a job, once."""

UNCUT = """
    DROP TRIGGER cut_once ON procrastinate_jobs;
    DROP FUNCTION cut_once();
    DROP SEQUENCE cut;
"""


def fails_once(
    patch: pytest.MonkeyPatch, fault: type[GatewayError], *, before: Callable[[], object]
) -> None:
    """The first submission that is processed meets a fault, after something else has happened."""
    process, faults = Processor.process, [fault("object-not-readable", "Away.", "Wait.")]

    def failing_once(self: Processor, subject: UUID) -> None:
        if faults:
            before()
            raise faults.pop()
        process(self, subject)

    patch.setattr(Processor, "process", failing_once)


@pytest.mark.parametrize("fault", [ServiceFailed, NotReady])
@pytest.mark.parametrize("seconds", [worker.WRITE_SECONDS, -1], ids=["again", "never"])
def test_a_job_whose_end_cannot_be_written_is_run_again(
    stand: Stand,
    submission: UUID,
    monkeypatch: pytest.MonkeyPatch,
    fault: type[GatewayError],
    seconds: float,
) -> None:
    """As where the database goes away under a job: the submission waits, its worker lives on."""
    monkeypatch.setattr(worker, "WRITE_SECONDS", seconds)
    fails_once(monkeypatch, fault, before=lambda: None)
    do(stand, CUT_AT_THE_END)
    try:
        with structlog.testing.capture_logs() as said, running(stand):
            assert eventually(lambda: stand.state(submission) is State.STORED)
    finally:
        do(stand, UNCUT)
    begun = [each for each in said if each["event"] == "worker.begins-anew"]
    assert len(begun) == (seconds < 0)


@pytest.mark.parametrize("what", ["another waits", "it was taken away"])
def test_a_job_that_is_no_longer_its_workers_stops_no_worker(
    stand: Stand, submission: UUID, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def another() -> None:
        with stand.database.transaction() as session:
            stand.worker.jobs.process(session, submission)

    def taken_away() -> None:
        do(stand, "DELETE FROM procrastinate_jobs WHERE status = 'doing'")
        another()

    before = another if what == "another waits" else taken_away
    fails_once(monkeypatch, NotReady, before=before)
    with structlog.testing.capture_logs() as said, running(stand):
        assert eventually(lambda: stand.state(submission) is State.STORED)
    assert {each["event"] for each in said}.isdisjoint({"worker.begins-anew", "worker.waits"})


def test_a_worker_warns_of_certificates_that_end_soon(stand: Stand) -> None:
    keyring = new_keyring("Ends", valid_for=timedelta(days=5))
    stand.sender(POLICE, keyring=keyring)
    query = text("SELECT count(*) FROM certificate_warning WHERE fingerprint = :name")

    def warned() -> bool:
        with stand.database.transaction() as session:
            return session.execute(query, {"name": keyring.fingerprints[0]}).scalar_one() == 1

    with running(stand):
        assert eventually(warned)


def test_a_certificate_that_cannot_be_read_any_more_stops_no_worker(
    stand: Stand, submission: UUID
) -> None:
    keyring = new_keyring("broken")
    stand.sender(COUNCIL, keyring=keyring)
    do(stand, f"UPDATE certificate SET data = '' WHERE fingerprint = '{keyring.fingerprints[0]}'")
    assert worker.warn_of_expiry(stand.worker) == 0
    with running(stand):
        assert eventually(lambda: stand.state(submission) is State.STORED)
    do(stand, f"DELETE FROM certificate WHERE fingerprint = '{keyring.fingerprints[0]}'")


def fails_with(patch: pytest.MonkeyPatch, stand: Stand, error: Exception) -> None:
    def process(_: UUID) -> None:
        raise error

    patch.setattr(stand.worker.processor, "process", process)


def test_an_unknown_fault_is_tried_again_and_then_told(
    stand: Stand, submission: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_with(monkeypatch, stand, ValueError("a child's name"))
    with pytest.raises(ValueError, match="name"):
        worker._process(stand.worker, submission, attempt=0)
    assert stand.state(submission) is State.RECEIVED
    worker._process(stand.worker, submission, attempt=worker.ATTEMPTS - 1)
    assert stand.state(submission) is State.FAILED
    assert failure_code(stand, submission) == "internal"


def test_a_submission_that_kills_its_workers_is_given_up(stand: Stand, submission: UUID) -> None:
    worker._process(stand.worker, submission, attempt=worker.ATTEMPTS)
    assert stand.state(submission) is State.FAILED
    assert failure_code(stand, submission) == "worker-lost"


def failure_code(stand: Stand, submission: UUID) -> str | None:
    (entry,) = [
        entry
        for entry in stand.entries()
        if entry.object_id == str(submission) and entry.action == "submission.failed"
    ]
    return entry.error_code


def test_a_store_that_is_away_is_no_fault_of_the_submission(
    stand: Stand, submission: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_with(monkeypatch, stand, ServiceFailed("object-not-readable", "Away.", "Wait."))
    for attempt in range(worker.ATTEMPTS):
        worker._process(stand.worker, submission, attempt=attempt)
    assert stand.state(submission) is State.RECEIVED


@pytest.mark.parametrize(
    ("error", "attempts", "seconds"),
    [
        (PackageTaken(), 99, 0),
        (NotReady("log-not-ready", "Soon.", "Wait."), 99, 1),
        (ValueError(), 0, 1),
        (ValueError(), 3, 8),
        (ValueError(), worker.ATTEMPTS - 1, None),
    ],
)
def test_when_a_job_is_tried_again(error: Exception, attempts: int, seconds: int | None) -> None:
    job: Any = Job(id=1, queue="q", lock=None, queueing_lock=None, task_name="t", attempts=attempts)
    before = datetime.now(UTC)
    decision = worker._Retry().get_retry_decision(exception=error, job=job)
    if seconds is None:
        assert decision is None
        return
    assert decision is not None
    assert decision.retry_at is not None
    assert abs((decision.retry_at - before).total_seconds() - seconds) < 1


def test_the_tasks_have_the_names_that_jobs_are_made_with(stand: Stand) -> None:
    app = App(connector=SyncPsycopgConnector())
    worker._add_tasks(app, stand.worker)
    assert {worker.PROCESS, worker.SIGN} <= set(app.tasks)
