"""What an agency may do with its own submissions after sending them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from audit.actions import Action
from gateway.errors import NotFound, NotReady
from gateway.flow.lifespan import Standing, state_of
from gateway.flow.trail import AuditTrail
from gateway.records import Principal, State, Submission
from gateway.store.certificates import find_certificate
from gateway.store.database import Database
from gateway.store.log import leaf_index, pending_entry
from gateway.store.objects import Bucket, ObjectStore, Version, quarantine_key
from gateway.store.submissions import find_submission, list_submissions, lock_submission, move


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where the entry of a submission's receipt is: its bytes, and its index once sequenced."""

    entry: bytes
    index: int | None


def log_place(session: Session, submission: Submission) -> LogPlace:
    """Where the entry of a submission's receipt is."""
    entry = pending_entry(session, submission.event_id)
    if entry is None:
        raise LookupError("a submission without its audit entry")
    return LogPlace(entry, leaf_index(session, submission.event_id))


@dataclass(frozen=True, slots=True)
class Notice:
    """Something an agency should see to although its submission is in order."""

    code: str
    message: str
    mend: str


class Submissions:
    """Status, reports and withdrawal. What is another agency's does not exist here."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        trail: AuditTrail,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._objects = objects
        self._trail = trail
        self._clock = clock

    def find(self, submission_id: UUID, *, by: Principal) -> Submission:
        """One submission of the caller's agency, or NotFound."""
        with self._database.transaction() as session:
            found = find_submission(session, submission_id, agency_id=by.agency)
        if found is None:
            raise NotFound("submission")
        return found

    def notice(self, submission: Submission) -> Notice | None:
        """What its agency should see to: the certificate that signed it ends soon, or has ended."""
        if submission.signer is None:
            return None
        with self._database.transaction() as session:
            kept = find_certificate(session, submission.signer)
        if kept is None:
            return None
        state = state_of(kept, now=self._clock())
        if state.standing not in (Standing.EXPIRING, Standing.EXPIRED):
            return None
        return Notice(
            "certificate-expiring",
            f"The certificate that signed this ends on {state.expires_at:%Y-%m-%d}.",
            "Extend its expiry date, or make a new key, and send the certificate to the "
            "gateway's administrators before that day.",
        )

    def list(
        self, *, by: Principal, before: datetime | None, limit: int, package_id: UUID | None
    ) -> list[Submission]:
        """The caller's agency's submissions, or those of one package, newest first."""
        with self._database.transaction() as session:
            return list_submissions(
                session, by.agency, before=before, limit=limit, package_id=package_id
            )

    def report(self, submission_id: UUID, *, by: Principal) -> Submission:
        """The submission with its report; the reading is in the log before the answer leaves."""
        submission = self.find(submission_id, by=by)
        if submission.report is None:
            raise _no_report(submission)
        with self._database.transaction() as session:
            self._trail.about(session, Action.REPORT_READ, by, submission)
        return submission

    def full_report(self, submission_id: UUID, *, by: Principal) -> Iterator[bytes]:
        """The report with values, encrypted to the agency; NotFound where no finding quotes one."""
        return self._objects.get(Bucket.REPORTS, self._full_report_key(submission_id, by=by))

    def open_full_report(self, submission_id: UUID, *, by: Principal) -> Version:
        """The same, to be read in pieces."""
        return self._objects.version(Bucket.REPORTS, self._full_report_key(submission_id, by=by))

    def _full_report_key(self, submission_id: UUID, *, by: Principal) -> str:
        """Where it is; the reading is in the log before anything of it leaves."""
        submission = self.find(submission_id, by=by)
        if submission.report_key is None:
            raise _no_report(submission, "report with values")
        with self._database.transaction() as session:
            self._trail.about(session, Action.REPORT_READ, by, submission)
        return submission.report_key

    def place(self, submission: Submission) -> LogPlace:
        """The log entry of a submission's receipt, for the one who has just sent it again."""
        with self._database.transaction() as session:
            return log_place(session, submission)

    def receipt(self, submission_id: UUID, *, by: Principal) -> tuple[Submission, LogPlace]:
        """The submission and the log entry that proves its receipt."""
        submission = self.find(submission_id, by=by)
        with self._database.transaction() as session:
            place = log_place(session, submission)
            self._trail.about(session, Action.RECEIPT_READ, by, submission)
        return submission, place

    def withdraw(self, submission_id: UUID, *, by: Principal) -> Submission:
        """Mark a submission as withdrawn; what is stored stays until its retention ends.

        What was not judged goes: nobody will open it any more, and the gateway's key could.
        Withdrawing twice is withdrawing once.
        """
        withdrawn = self._withdrawn(submission_id, by)
        self._objects.delete(Bucket.QUARANTINE, quarantine_key(by.agency, submission_id))
        return withdrawn

    def _withdrawn(self, submission_id: UUID, by: Principal) -> Submission:
        with self._database.transaction() as session:
            if find_submission(session, submission_id, agency_id=by.agency) is None:
                raise NotFound("submission")
            submission = lock_submission(session, submission_id)
            if submission.state is State.WITHDRAWN:
                return submission
            event_id = self._trail.new_event_id()
            withdrawn = move(
                session, submission, State.WITHDRAWN, event_id=event_id, now=self._clock()
            )
            self._trail.about(
                session, Action.SUBMISSION_WITHDRAWN, by, submission, event_id=event_id
            )
        return withdrawn


def _no_report(submission: Submission, what: str = "report") -> NotReady | NotFound:
    if submission.state is State.RECEIVED:
        return NotReady(
            "report-not-ready",
            "The submission is still being checked.",
            "Ask again in a few seconds.",
        )
    return NotFound(what)
