"""Jobs, deferred on the very connection of the business transaction.

Procrastinate writes the job with an INSERT on our connection (docs/adr/0003-jobs.md): the job
exists if and only if the submission does. Queueing locks keep one waiting job for one submission.
"""

from datetime import datetime, timedelta
from uuid import UUID

from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import JobDeferrer
from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.store.database import raw_connection

QUEUE = "gateway"
MAIL_QUEUE = "mail"
"""Of its own, so that a mail server that hangs holds up mail and nothing else."""

PROCESS = "process_submission"
CHECK = "check_dry_run"
SIGN = "sign_release"
MAIL = "mail_papers"

LATER = -1
"""The priority of what waits behind all else: a dry run holds no submission up."""


class JobQueue:
    """Adds jobs to the caller's transaction; running them is the worker's affair."""

    def __init__(self) -> None:
        # The connector is never opened: every statement runs on the connection handed over.
        self._app = App(connector=SyncPsycopgConnector())

    def process_new(self, session: Session, submission_id: UUID) -> None:
        """Ask for a submission to be processed that this transaction has added."""
        self._options(session, PROCESS, submission_id).defer(subject=str(submission_id))

    def process(self, session: Session, submission_id: UUID) -> None:
        """Ask for a submission to be processed, for which a job may be waiting."""
        self._defer(session, PROCESS, submission_id)

    def check(self, session: Session, dry_run_id: UUID) -> None:
        """Ask for a dry run to be checked, after every submission that waits."""
        self._defer(session, CHECK, dry_run_id, priority=LATER)

    def sign(self, session: Session, release_id: UUID) -> None:
        """Ask for a release's manifest to be written and signed."""
        self._defer(session, SIGN, release_id)

    def mail(self, session: Session, submission_id: UUID) -> None:
        """Ask for a submission's receipt and report to be mailed to its agency."""
        self._defer(session, MAIL, submission_id, queue=MAIL_QUEUE)

    def mail_again(self, session: Session, submission_id: UUID, *, now: datetime) -> None:
        """Likewise for a mail that was given up; it is tried for as long as one that is new."""
        self._defer(session, MAIL, submission_id, queue=MAIL_QUEUE, asked_at=now.isoformat())

    def _defer(
        self,
        session: Session,
        task: str,
        subject: UUID,
        *,
        queue: str = QUEUE,
        priority: int = 0,
        **more: str,
    ) -> None:
        options = self._options(session, task, subject, queue=queue, priority=priority)
        try:
            # A savepoint of the connection: one of the session is made only when the session itself
            # next speaks, which is after the library has, and too late.
            with session.connection().begin_nested():
                options.defer(subject=str(subject), **more)
        except AlreadyEnqueued:
            return  # one waiting job is enough

    def _options(
        self, session: Session, task: str, subject: UUID, *, queue: str = QUEUE, priority: int = 0
    ) -> JobDeferrer:
        key = f"{task}:{subject}"
        return self._app.configure_task(
            name=task,
            queue=queue,
            lock=key,
            queueing_lock=key,
            priority=priority,
            connection=raw_connection(session),
        )


def in_hand(session: Session, task: str) -> set[UUID]:
    """The subjects that a waiting or running job of this task will see to."""
    query = text(
        "SELECT args->>'subject' FROM procrastinate_jobs"
        " WHERE status IN ('todo', 'doing') AND task_name = :task"
    )
    return {UUID(subject) for subject in session.scalars(query, {"task": task})}


def hasten(session: Session, queue: str, *, longest: timedelta) -> None:
    """Bring forward what is to be tried later than any try can be due.

    The library asks the worker's clock when to try again, and the database's whether it is time. A
    worker a day ahead puts a job off by a day, and the clock may be right again a moment later.
    """
    query = text(
        "UPDATE procrastinate_jobs SET scheduled_at = now()"
        " WHERE status = 'todo' AND queue_name = :queue AND scheduled_at > now() + :longest"
    )
    session.execute(query, {"queue": queue, "longest": longest})
