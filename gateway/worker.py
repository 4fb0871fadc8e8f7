"""The worker process: runs jobs, and sees to it that no received submission is ever forgotten.

A job that fails for a fault of ours is tried again: without end while database or object store are
away, a few times where the reason is unknown, after which the submission is marked as failed and
waits for an operator. Every few seconds a sweep gives back what dead workers held and enqueues
whatever is received and has no job. Every hour it warns of certificates that end soon, removes dry
runs and unfinished uploads whose time is over, and forgets what cases were linked by for 24 months.

Mail has a queue and a thread of its own, so that a mail server in trouble holds up nothing else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from time import monotonic, perf_counter
from typing import Any
from uuid import UUID

import structlog
from procrastinate import App, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy
from psycopg import Error as PsycopgError
from psycopg.errors import RaiseException
from sqlalchemy import make_url

from crypto import CertificateRefused
from gateway.errors import (
    GatewayError,
    MailOverdue,
    MailRefused,
    NotReady,
    RequestRefused,
    ServiceFailed,
)
from gateway.flow.process import PackageTaken, Processor
from gateway.flow.rehearsal import Rehearsal
from gateway.settings import Settings
from gateway.store.dryruns import unchecked
from gateway.store.jobs import CHECK, MAIL, MAIL_QUEUE, PROCESS, QUEUE, SIGN, hasten, in_hand
from gateway.store.releases import unsigned
from gateway.store.submissions import unprocessed
from gateway.wiring.worker import WorkerServices, worker_services

ATTEMPTS = 6
"""How often a job is tried where the reason of its failure is not known."""

LONGEST_LAG, LONGEST_PAUSE = 60, 3600
"""Seconds between two attempts at a mail, at most: while its receipt, or the server, is away."""

LONGEST_RETRY = timedelta(seconds=2**ATTEMPTS)
"""More than `_Retry` ever asks for."""

LONG_AGO = datetime.fromtimestamp(0, UTC)
"""When a job may be taken again that is given back: at once, by whichever clock."""

FORGOTTEN = timedelta(seconds=15)
"""How long a received submission may be without a job before the sweep gives it one."""

POLLING_SECONDS = 1.0
HEARTBEAT_SECONDS = 2.0
STALLED_SECONDS = 10.0
SWEEP_SECONDS = 5.0
WATCH_SECONDS = 3600.0
STOP_SECONDS = 0.2
TROUBLE_SECONDS = 1.0
WRITE_SECONDS = 4.0
"""How long the end of a job is written again where that fails; a database restarts in less."""
CONNECT_SECONDS = 5.0
"""How long to wait for a connection to the queue, and so for a database that is away at the end."""

log = structlog.get_logger("gateway.worker")


def run_worker(settings: Settings, stop: Event) -> None:
    """Run jobs until `stop` is set; come back by itself when the database has been away."""
    services = worker_services(settings)
    while not stop.is_set():
        try:
            services.linkage.require_same_pepper()
            asyncio.run(_work(services, stop))
        except (ConnectorException, PsycopgError, ServiceFailed) as error:
            log.warning("worker.waits", error=type(error).__name__)
            stop.wait(TROUBLE_SECONDS)
    services.database.dispose()


async def _work(services: WorkerServices, stop: Event) -> None:
    address = make_url(services.database_url).set(drivername="postgresql")
    conninfo = address.render_as_string(hide_password=False)
    connector = PsycopgConnector(conninfo=conninfo, timeout=CONNECT_SECONDS)
    app = App(connector=connector)
    app.job_manager = held = _HeldJobs(connector)
    _add_tasks(app, services)
    async with app.open_async():
        working = [
            asyncio.create_task(_take(app, QUEUE, at_once=services.concurrency)),
            asyncio.create_task(_take(app, MAIL_QUEUE, at_once=1)),
            asyncio.create_task(_sweep_now_and_then(held, services)),
            asyncio.create_task(_keep_house(services)),
            asyncio.create_task(held.left_behind()),
            asyncio.create_task(_wait(stop)),
        ]
        await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
        await _end(working)


class _HeldJobs(JobManager):
    """The jobs that workers hold: none is held for ever, whatever becomes of its worker.

    Where the end of a job cannot be written the library lets that pass, and the job stays with a
    worker that lives, so that nobody takes it for stalled. Here it is written again for a while.
    Then the worker begins anew, by which it lets go of what it held.
    """

    def __init__(self, connector: PsycopgConnector) -> None:
        super().__init__(connector)
        self._left_behind = asyncio.Event()

    async def left_behind(self) -> None:
        """Wait for a job whose end is not written, and raise ConnectorException."""
        await self._left_behind.wait()
        raise ConnectorException

    async def give_back(self) -> None:
        """Let the jobs that dead workers held be taken again."""
        for job in await self.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            with suppress(ConnectorException):  # another worker's sweep was faster
                await self._retry_or_end(job, LONG_AGO)

    async def finish_job(self, job: Job, *args: Any, **kwargs: Any) -> None:
        await self._surely(job, partial(super().finish_job, job, *args, **kwargs))

    async def retry_job(self, job: Job, *args: Any, **kwargs: Any) -> None:
        await self._surely(job, partial(self._retry_or_end, job, *args, **kwargs))

    async def _retry_or_end(self, job: Job, *args: Any, **kwargs: Any) -> None:
        try:
            await super().retry_job(job, *args, **kwargs)
        except UniqueViolation:
            # Another for the same subject waits already, for this one to let go.
            await super().finish_job(job, Status.FAILED, delete_job=True)

    async def _surely(self, job: Job, write: Callable[[], Awaitable[None]]) -> None:
        """Write the end of a job, though it fails at first."""
        until = monotonic() + WRITE_SECONDS
        while True:
            try:
                await write()
            except ConnectorException as error:
                if isinstance(error.__cause__, RaiseException):
                    return  # another worker's by now, or written: only the answer was lost
                if monotonic() > until:
                    log.warning("worker.begins-anew", job=job.task_name)
                    self._left_behind.set()
                    raise
                await asyncio.sleep(TROUBLE_SECONDS)
            else:
                return


async def _take(app: App, queue: str, *, at_once: int) -> None:
    """Run the jobs of one queue; none of them waits for those of another."""
    await app.run_worker_async(
        queues=[queue],
        concurrency=at_once,
        fetch_job_polling_interval=POLLING_SECONDS,
        update_heartbeat_interval=HEARTBEAT_SECONDS,
        stalled_worker_timeout=STALLED_SECONDS,
        # Whoever listens holds a connection; mail is in no hurry, and asks now and then.
        listen_notify=queue == QUEUE,
        delete_jobs="successful",
        install_signal_handlers=False,
    )


async def _wait(stop: Event) -> None:
    # Not in a thread: asyncio would wait for that thread when anything else ends the work.
    while not stop.is_set():
        await asyncio.sleep(STOP_SECONDS)


async def _end(working: list[asyncio.Task[None]]) -> None:
    """Let running jobs finish, then raise what ended the work, if anything did."""
    for task in working:
        task.cancel()
    for task in working:
        with suppress(asyncio.CancelledError):
            await task


def _add_tasks(app: App, services: WorkerServices) -> None:
    @app.task(name=PROCESS, queue=QUEUE, retry=_Retry(), pass_context=True)
    def process_submission(context: JobContext, subject: str) -> None:
        _process(services, UUID(subject), attempt=context.job.attempts)

    @app.task(name=CHECK, queue=QUEUE, retry=_Retry(), pass_context=True)
    def check_dry_run(context: JobContext, subject: str) -> None:
        _check(services, UUID(subject), attempt=context.job.attempts)

    @app.task(name=SIGN, queue=QUEUE, retry=_Retry())
    def sign_release(subject: str) -> None:
        with _journalled(SIGN, subject):
            services.manifests.sign(UUID(subject))

    @app.task(name=MAIL, queue=MAIL_QUEUE, retry=_MailRetry())
    def mail_papers(subject: str, asked_at: str | None = None) -> None:
        _mail(
            services,
            UUID(subject),
            asked_at=None if asked_at is None else datetime.fromisoformat(asked_at),
        )


def _mail(services: WorkerServices, submission: UUID, *, asked_at: datetime | None = None) -> None:
    """Send a mail, or give it up; what is raised is tried again. No address is said."""
    try:
        with _journalled(MAIL, str(submission)):
            services.mailing.send(submission, asked_at=asked_at)
    except (MailRefused, MailOverdue, RequestRefused) as ended:
        services.mailing.give_up(submission, ended.code)
        _complain("mail.given-up", submission, ended)
    except ServiceFailed as away:
        _complain("mail.waits", submission, away)
        raise


def _complain(event: str, submission: UUID, error: GatewayError) -> None:
    log.warning(event, subject=str(submission), error_code=error.code, detail=error.detail)


def _process(services: WorkerServices, submission: UUID, *, attempt: int) -> None:
    _end_or_give_up(services.processor, PROCESS, submission, attempt=attempt)


def _check(services: WorkerServices, dry_run: UUID, *, attempt: int) -> None:
    _end_or_give_up(services.rehearsal, CHECK, dry_run, attempt=attempt)


def _end_or_give_up(by: Processor | Rehearsal, job: str, subject: UUID, *, attempt: int) -> None:
    """Bring it to its end, or give up where trying again has not helped."""
    if attempt >= ATTEMPTS:
        # Only a job whose worker died each time gets here: this one may be what killed it.
        by.fail(subject, "worker-lost")
        return
    try:
        with _journalled(job, str(subject)):
            by.process(subject)
    except ServiceFailed:
        return  # not the sender's fault, so no attempt of it: the sweep brings it back
    except PackageTaken:
        raise
    except Exception:
        if attempt + 1 < ATTEMPTS:
            raise
        by.fail(subject, "internal")


class _Retry(BaseRetryStrategy):
    """At once where somebody else was faster, soon where the log lags, later for the unknown."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, PackageTaken):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, NotReady):
            return RetryDecision(retry_in={"seconds": 1})
        if job.attempts + 1 >= ATTEMPTS:
            return None
        return RetryDecision(retry_in={"seconds": 2**job.attempts})


class _MailRetry(BaseRetryStrategy):
    """After growing pauses, of a minute at most where the log lags, else of an hour."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        longest = LONGEST_LAG if isinstance(exception, NotReady) else LONGEST_PAUSE
        doubled: int = 2 ** min(job.attempts, longest.bit_length())
        return RetryDecision(retry_in={"seconds": min(doubled, longest)})


async def _sweep_now_and_then(held: _HeldJobs, services: WorkerServices) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        # A worker whose clock is astray ends its work here, and waits (`run_worker`).
        now = await asyncio.to_thread(services.clock)
        await held.give_back()
        await asyncio.to_thread(sweep, services, now=now)


def sweep(services: WorkerServices, *, now: datetime) -> int:
    """Enqueue whatever waits and has no job; return how many there were."""
    with services.database.transaction() as session:
        hasten(session, QUEUE, longest=LONGEST_RETRY)
        hasten(session, MAIL_QUEUE, longest=2 * timedelta(seconds=LONGEST_PAUSE))
        submissions = set(unprocessed(session, before=now - FORGOTTEN)) - in_hand(session, PROCESS)
        dry_runs = set(unchecked(session, before=now - FORGOTTEN)) - in_hand(session, CHECK)
        releases = set(unsigned(session)) - in_hand(session, SIGN)
        for submission in submissions:
            services.jobs.process(session, submission)
        for dry_run in dry_runs:
            services.jobs.check(session, dry_run)
        for release in releases:
            services.jobs.sign(session, release)
    return len(submissions) + len(dry_runs) + len(releases)


async def _keep_house(services: WorkerServices) -> None:
    while True:
        await asyncio.to_thread(warn_of_expiry, services)
        await asyncio.to_thread(remove_expired, services)
        await asyncio.to_thread(forget_links, services)
        await asyncio.sleep(WATCH_SECONDS)


def warn_of_expiry(services: WorkerServices) -> int:
    """Give the warnings that are due, with one event each; return how many there were."""
    try:
        given = services.expiry.warn()
    except CertificateRefused as unreadable:
        # Nothing that a later version cannot read any more may keep the jobs from running.
        log.error("certificate.unreadable", error=type(unreadable).__name__)
        return 0
    for warning in given:
        log.warning(
            "certificate.expiring",
            fingerprint=warning.fingerprint,
            agency=warning.agency_id,
            days=warning.days,
        )
    return len(given)


def remove_expired(services: WorkerServices) -> int:
    """Remove dry runs and uploads whose time is over; return how many there were."""
    return _removed("dry-runs", services.rehearsal.remove_expired) + _removed(
        "uploads", services.uploads.remove_expired
    )


def _removed(what: str, remove: Callable[[], int]) -> int:
    try:
        removed = remove()
    except ServiceFailed as away:
        # The jobs go on; what is left is removed an hour later.
        log.warning(f"{what}.kept", error=away.code)
        return 0
    if removed:
        log.info(f"{what}.removed", count=removed)
    return removed


def forget_links(services: WorkerServices) -> int:
    """Forget what later submissions are held against no longer; return how many records it was."""
    return _removed("links", services.linkage.forget_old)


@contextmanager
def _journalled(job: str, subject: str) -> Iterator[None]:
    """One event for each job; a fault appears by its type, since its message may hold data."""
    started, fault = perf_counter(), None
    try:
        yield
    except Exception as error:
        fault = type(error).__name__
        raise
    finally:
        milliseconds = round((perf_counter() - started) * 1000, 1)
        log.info("job", job=job, subject=subject, milliseconds=milliseconds, error=fault)
