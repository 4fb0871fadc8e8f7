"""Taking up again what failed or could not be mailed, once the cause is mended."""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from audit.actions import Action
from gateway.errors import NotFound
from gateway.flow.trail import AuditTrail
from gateway.records import GivenUpMail, Principal, State, Submission
from gateway.store.database import Database
from gateway.store.jobs import JobQueue
from gateway.store.mails import given_up_mails, take_up_mail
from gateway.store.submissions import failed_submissions, find_submission, lock_submission, move


class Repair:
    """What an operator does about failed submissions and given-up mails.

    It shows no data, only ids and codes.
    """

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

    def given_up_mails(self) -> list[GivenUpMail]:
        """Every mail that was given up, oldest first."""
        with self._database.transaction() as session:
            return given_up_mails(session)

    def mail_again(self, submission_ids: Iterable[UUID], *, by: Principal) -> None:
        """Have given-up mails tried for another day, to the mailbox as it is then: all or none."""
        with self._database.transaction() as session:
            for submission_id in submission_ids:
                submission = find_submission(session, submission_id)
                if submission is None or not take_up_mail(session, submission_id):
                    raise NotFound(f"given-up mail about {submission_id}")
                self._trail.about(session, Action.MAIL_RETRIED, by, submission)
                self._jobs.mail_again(session, submission_id, now=self._clock())
