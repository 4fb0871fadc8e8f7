"""What can go wrong in the gateway, grouped by who must act.

    GatewayError                     code, message (what happened), mend (how to mend it)
    ├── RequestRefused               the caller sent something that must be changed
    │   ├── Unauthenticated          no valid token; uniform for unknown, expired and revoked
    │   ├── Forbidden                known, but the role may not do this
    │   ├── NotFound                 not there, or not yours: the answer is the same
    │   ├── Conflict                 clashes with what is already held
    │   ├── Gone                     was there, and its time is over
    │   ├── Superseded               another request of the same sender took this one's place
    │   ├── ChecksumMismatch         a piece is not what its checksum says
    │   ├── VersionRefused           another version of a protocol than is spoken here
    │   ├── TooLarge                 over the size limit
    │   ├── TooMany                  more than one sender may have
    │   │   └── TooFast              more than one sender may ask for; in a moment it may again
    │   └── LengthRequired           a body without a length cannot be checked for truncation
    ├── NotReady                     asked too early; ask again
    ├── MailRefused                  the mail server will never take this mail
    ├── MailOverdue                  a mail could not be sent for a day
    ├── ServiceFailed                ours: database, object store, keys
    └── Unlocked                     ours: a bucket that would not keep what it is given

A bad submission is a report, not an exception: `records.Rejection` carries it.
Messages are sentences for a case worker. What would help an attacker goes into `detail`, which only
the operational log shows.
"""


class GatewayError(Exception):
    """Root of every error raised by the gateway on purpose."""

    def __init__(self, code: str, message: str, mend: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.mend = mend
        self.detail = detail


class RequestRefused(GatewayError):
    """The caller must change something before trying again."""


class Unauthenticated(RequestRefused):
    """One answer for every way in which a token can be wrong."""

    def __init__(self, *, detail: str) -> None:
        super().__init__(
            "unauthenticated",
            "The access token is missing or not valid.",
            "Send a valid token in the Authorization header, or ask for a new one.",
            detail=detail,
        )


class Forbidden(RequestRefused):
    """The role of the token does not include this action."""

    def __init__(self, *, detail: str = "") -> None:
        super().__init__(
            "forbidden",
            "This token may not do that.",
            "Use a token whose role allows this action.",
            detail=detail,
        )


class NotFound(RequestRefused):
    """Absent and not-yours are one answer, so that ids cannot be probed."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "not-found",
            f"There is no such {what}.",
            "Check the identifier; only what belongs to you can be seen.",
        )


class Conflict(RequestRefused):
    """The request clashes with what the gateway already holds."""


class Gone(RequestRefused):
    """What was there until its time was over."""


class Superseded(RequestRefused):
    """Another request of the same sender took this one's place."""


class ChecksumMismatch(RequestRefused):
    """A piece that is not what its checksum says."""


class VersionRefused(RequestRefused):
    """Another version of a protocol than is spoken here."""


class TooLarge(RequestRefused):
    """Over a stated size limit."""


class TooMany(RequestRefused):
    """More than one sender may have."""


class TooFast(TooMany):
    """More than one sender may ask for just now."""


class LengthRequired(RequestRefused):
    """A body that does not state its length."""


class NotReady(GatewayError):
    """The thing asked for is on its way."""


class ServiceFailed(GatewayError):
    """Ours to mend; the sender may simply try again."""


class Unlocked(GatewayError):
    """A bucket that has to keep what it is given, and would let it be removed."""

    def __init__(self, bucket: str) -> None:
        super().__init__(
            "bucket-not-locked",
            f"The bucket {bucket} does not lock what it holds.",
            "Make it with Object Lock, and give it a default retention in COMPLIANCE mode.",
        )


class MailRefused(GatewayError):
    """The mail server says that it will not take this mail, however often it is tried."""

    def __init__(self, *, detail: str) -> None:
        super().__init__(
            "mail-refused",
            "The mail server refuses this mail for good.",
            "Ask the agency for its mailbox, or the mail server's operators for the reason.",
            detail=detail,
        )


class MailOverdue(GatewayError):
    """A mail could not be sent for so long that it is given up."""

    def __init__(self) -> None:
        super().__init__(
            "mail-overdue",
            "A mail could not be sent for a day.",
            "Nothing is lost: receipt and report lie ready over HTTPS and SFTP.",
        )


class SettingsRefused(GatewayError):
    """The settings are incomplete or unsafe; every fault is named at once."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(
            "settings",
            "The settings are not complete or not safe:\n  " + "\n  ".join(faults),
            "Correct each of them in the environment file; docs/settings.md explains every one.",
        )
        self.faults = tuple(faults)
