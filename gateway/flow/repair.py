"""Taking up again what failed by a fault of ours, once that is mended."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from audit.actions import Action
from gateway.errors import NotFound
from gateway.flow.trail import AuditTrail
from gateway.records import Principal, State, Submission
from gateway.store.database import Database
from gateway.store.jobs import JobQueue
from gateway.store.submissions import failed_submissions, find_submission, lock_submission, move


class Repair:
    """What an operator does about failed submissions; it shows no data, only ids and codes."""

    def __init__(
        self,
        database: Database,
        jobs: JobQueue,
        trail: AuditTrail,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._trail = trail
        self._clock = clock

    def failed(self) -> list[Submission]:
        """Every failed submission, oldest first."""
        with self._database.transaction() as session:
            return failed_submissions(session)

    def retry(self, submission_id: UUID, *, by: Principal) -> Submission:
        """Have a failed submission processed again, with a new job and all its attempts."""
        with self._database.transaction() as session:
            if find_submission(session, submission_id) is None:
                raise NotFound("submission")
            submission = lock_submission(session, submission_id)
            event_id = self._trail.new_event_id()
            moved = move(
                session,
                submission,
                State.RECEIVED,
                event_id=event_id,
                now=self._clock(),
                error_code=None,
            )
            self._trail.about(session, Action.SUBMISSION_RETRIED, by, moved, event_id=event_id)
            self._jobs.process(session, submission_id)
        return moved
