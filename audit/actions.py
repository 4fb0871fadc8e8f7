"""The closed list of what the log can say happened.

A new action is a change of the log's format: it needs an entry in `docs/` and a reader that knows
it. Nothing is ever renamed or removed, since entries are kept as long as the log.
"""

from enum import StrEnum


class Action(StrEnum):
    """What happened; `meaning` says it in one sentence."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> "Action":
        """A string that carries its explanation."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    SUBMISSION_RECEIVED = "submission.received", "A submission is durable and was acknowledged."
    SUBMISSION_REFUSED = "submission.refused", "An upload was refused and never became one."
    SUBMISSION_OPENED = (
        "submission.opened",
        "It was decrypted and its signature verified.",
    )
    SUBMISSION_VALIDATED = "submission.validated", "A submission was checked against the standard."
    SUBMISSION_STORED = "submission.stored", "The valid records were sealed and stored."
    SUBMISSION_REJECTED = "submission.rejected", "The submission is the agency's to mend."
    SUBMISSION_FAILED = "submission.failed", "Processing failed by a fault of the gateway."
    SUBMISSION_RETRIED = "submission.retried", "An operator had a failed submission taken up again."
    SUBMISSION_WITHDRAWN = "submission.withdrawn", "The agency withdrew a submission."
    SUBMISSION_REPLACED = "submission.replaced", "A later submission took the place of this one."
    SUBMISSION_RELEASED = "submission.released", "A submission became part of an approved release."
    SUBMISSION_DESTROYED = "submission.destroyed", "The sealed object was destroyed at its time."

    DRY_RUN_RECEIVED = "dry-run.received", "A package is to be tried out; it will not be counted."
    DRY_RUN_REFUSED = "dry-run.refused", "An upload to be tried out was refused and never was."
    DRY_RUN_CHECKED = "dry-run.checked", "Tried out, a package would have been stored."
    DRY_RUN_REJECTED = "dry-run.rejected", "Tried out, a package would have been rejected."
    DRY_RUN_FAILED = "dry-run.failed", "Trying out failed by a fault of the gateway."
    DRY_RUN_REMOVED = "dry-run.removed", "A dry run and its reports were removed at their time."

    REPORT_READ = "report.read", "A person read the report on a submission or dry run."
    RECEIPT_READ = "receipt.read", "A person fetched the receipt of a submission."
    LOG_READ = "log.read", "A person read entries of this log."

    RELEASE_REQUESTED = "release.requested", "A person asked for a release."
    RELEASE_APPROVED = "release.approved", "A second person approved a release."
    RELEASE_REFUSED = "release.refused", "A second person refused a release."
    RELEASE_RETRIEVED = "release.retrieved", "A person retrieved one object of a release."

    AGENCY_ENROLLED = "agency.enrolled", "An agency may send from now on."
    AGENCY_SUSPENDED = "agency.suspended", "An agency may no longer send."
    AGENCY_RESUMED = "agency.resumed", "A suspended agency may send again."
    CERTIFICATE_ADDED = "certificate.added", "A certificate of an agency was accepted."
    CERTIFICATE_UPDATED = (
        "certificate.updated",
        "A certificate of an agency was brought up to date.",
    )
    CERTIFICATE_EXPIRING = "certificate.expiring", "A certificate of an agency expires soon."
    CERTIFICATE_REVOKED = "certificate.revoked", "A certificate is accepted no longer."
    MAILBOX_SET = "mailbox.set", "Receipts and reports of an agency go to a mailbox from now on."
    MAILBOX_REMOVED = "mailbox.removed", "Receipts and reports of an agency go nowhere by mail."
    MAIL_RETRIED = "mail.retried", "An operator had a mail sent again that was given up."
    TOKEN_ISSUED = "token.issued", "An access token was issued."
    TOKEN_REVOKED = "token.revoked", "An access token was revoked."
    SSH_KEY_ADDED = "ssh-key.added", "An SSH key of an agency was accepted."
    SSH_KEY_REVOKED = "ssh-key.revoked", "An SSH key is accepted no longer."
    AUTH_FAILED = "auth.failed", "A known identity was refused."

    KEY_CREATED = "key.created", "The gateway made or was given a key."
    KEY_RETIRED = "key.retired", "A key of the gateway is used no longer."
    KEY_DESTROYED = "key.destroyed", "A private key of the gateway was destroyed."
    KEY_TRACED = "key.traced", "A person listed the submissions that a key had to do with."

    LOG_STARTED = "log.started", "The log, or the software that writes it, was started."
