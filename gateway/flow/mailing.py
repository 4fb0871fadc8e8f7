"""Mails what became of a submission to its agency, once its receipt can be made.

At least once: a worker that dies between handing a mail over and saying so sends it again, under
the same Message-ID. Whether there is a mailbox, and which, is asked at the moment of sending.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from gateway.addresses import mailbox_of
from gateway.errors import MailOverdue, ServiceFailed
from gateway.flow.letter import Attachments, letter
from gateway.flow.proofs import receipt_of
from gateway.flow.submissions import LogPlace, log_place
from gateway.mail import PostOffice
from gateway.records import State, Submission
from gateway.store.agencies import enrolled_agency
from gateway.store.database import Database
from gateway.store.log import PostgresLog
from gateway.store.mailboxes import find_mailbox
from gateway.store.mails import give_up_mail
from gateway.store.objects import Bucket, ObjectStore
from gateway.store.submissions import find_submission

PATIENCE = timedelta(days=1)
"""How long a mail is tried."""

LARGEST_REPORT = 5 << 20
"""Octets of an encrypted report that is mailed; many servers take no mail above 10 MiB."""

_TOLD = frozenset({State.STORED, State.RELEASED, State.REJECTED})


class Mailing:
    """Finds out what is to be said to whom, and has it sent."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        log: PostgresLog,
        office: PostOffice | None,
        *,
        host: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._objects = objects
        self._log = log
        self._office = office
        self._host = host
        self._clock = clock

    def send(self, submission_id: UUID, *, asked_at: datetime | None = None) -> None:
        """Send the mail of a submission; nothing, if there is nobody to tell.

        Its day begins at the end of the submission, or where an operator asked for it again.

        Raises NotReady until the receipt can be made, ServiceFailed while the mail server is away,
        MailRefused where it never takes this mail, and MailOverdue once a day has passed.
        """
        with self._database.transaction() as session:
            submission = find_submission(session, submission_id)
            if submission is None or submission.state not in _TOLD:
                return  # withdrawn by the agency itself, which knows
            agency = enrolled_agency(session, submission.agency_id)
            address = find_mailbox(session, submission.agency_id)
            place = log_place(session, submission)
        if address is None or not agency.active:
            return
        begun = asked_at or submission.settled_at
        if begun and self._clock() - begun > PATIENCE:
            raise MailOverdue
        self._send(submission, place, address)

    def give_up(self, submission_id: UUID, code: str) -> None:
        """Keep that a mail was not sent; it waits for an operator."""
        with self._database.transaction() as session:
            give_up_mail(session, submission_id, code, now=self._clock())

    def _send(self, submission: Submission, place: LogPlace, address: str) -> None:
        if self._office is None:
            raise ServiceFailed(
                "mail-not-configured",
                "An agency has a mailbox, and this worker knows no mail server.",
                "Set SMTP_URL and MAIL_FROM for the workers, or remove the mailbox.",
            )
        to = mailbox_of(address)  # what others wrote into the database is not believed either
        mail = letter(
            submission,
            Attachments(receipt_of(self._log, place), self._full_report(submission)),
            sender=self._office.sender,
            to=to,
            host=self._host,
            now=self._clock(),
        )
        self._office.send(mail, to=to)

    def _full_report(self, submission: Submission) -> bytes | None:
        key = submission.report_key
        if key is None or self._objects.size(Bucket.REPORTS, key) > LARGEST_REPORT:
            return None
        return b"".join(self._objects.get(Bucket.REPORTS, key))
