"""The one mail about a submission that has come to its end, as octets that a mail server takes.

Mail is read on its way. So it has what the open report has, which repeats nothing that the sender
wrote, and whatever says more is encrypted to the agency. It is not signed, asks for nothing and
holds no link. Anybody can verify the receipt in it; the verdict beside it is a word by mail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from gateway.flow.judgement import report_text
from gateway.flow.papers import FULL, RECEIPT, paper_name
from gateway.records import Submission

_RECEIPT_SAID = """
Attached is the receipt. It proves, without asking anybody, that the gateway had
these very bytes and when: gateway receipt verify FILE --log-key log.vkey
"""
_FULL_SAID = """
Attached is the report with the values, encrypted to the certificate that signed
the package: gateway report FILE --key agency-key.asc
"""
_FULL_LEFT_OUT = """
The report with the values is too large to be mailed; it lies ready over HTTPS
and SFTP.
"""
_CLOSING = """
This mail is not signed. The receipt proves what the gateway had, not what
became of it: where you must be certain, ask the gateway itself. This mail asks
you for nothing and has no link.
"""


@dataclass(frozen=True, slots=True)
class Attachments:
    """What goes with a mail; `full` is None where there is none, or where it is too large."""

    receipt: str
    full: bytes | None


def letter(
    submission: Submission,
    attachments: Attachments,
    *,
    sender: str,
    to: str,
    host: str,
    now: datetime,
) -> EmailMessage:
    """Write the mail; `host` is that of PUBLIC_URL.

    Whatever is sent twice has the same Message-ID, so that mail programs show it once.
    """
    report = submission.report or {}
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = f"{report['verdict'].replace('-', ' ')}: {submission.id}"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{submission.id}@{host}>"
    # RFC 3834: no out-of-office notice comes back, and no other automaton answers.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"Submission {submission.id}\n\n" + "".join(_said(submission, attachments)))
    _attach(mail, submission, RECEIPT, attachments.receipt.encode())
    if attachments.full is not None:
        _attach(mail, submission, FULL, attachments.full)
    return mail


def _said(submission: Submission, attachments: Attachments) -> Sequence[str]:
    full = _FULL_SAID if attachments.full is not None else _FULL_LEFT_OUT
    return (
        report_text(submission.report or {}),
        _RECEIPT_SAID,
        "" if submission.report_key is None else full,
        _CLOSING,
    )


def _attach(mail: EmailMessage, submission: Submission, kind: str, content: bytes) -> None:
    # As octets: a mail server may change the ends of lines in what is called text.
    mail.add_attachment(
        content,
        maintype="application",
        subtype="octet-stream",
        filename=paper_name(submission, kind),
    )
