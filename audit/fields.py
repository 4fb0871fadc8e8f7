"""What each field of an entry may hold, as one tight pattern a field.

The log is kept for ever and read by many, so free text must not get in: a name, an address, a
telephone or NHS number, a date of birth or a file name fits none of these patterns. People and
network addresses appear only as keyed pseudonyms, whose key lives elsewhere and can be destroyed.
Every value is ASCII and needs no JSON escape.
"""

from enum import StrEnum, auto

from audit.actions import Action


class Outcome(StrEnum):
    """How it ended: done, turned away by a rule, or broken by a fault of ours."""

    SUCCESS = "success"
    REFUSED = "refused"
    FAILED = "failed"


class ActorType(StrEnum):
    """In which role somebody acted."""

    AGENCY = "agency"
    AUDITOR = "auditor"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"


class AuthMethod(StrEnum):
    """How the actor was recognised."""

    TOKEN = auto()
    SSH_KEY = "ssh-key"
    PASSKEY = "passkey"
    SESSION = "session"
    OIDC = "oidc"
    CLI = "cli"
    SYSTEM = "system"


class ObjectType(StrEnum):
    """What an entry can be about."""

    SUBMISSION = "submission"
    DRY_RUN = "dry-run"
    REPORT = "report"
    RECEIPT = "receipt"
    RELEASE = "release"
    AGENCY = "agency"
    CERTIFICATE = "certificate"
    TOKEN = auto()
    SSH_KEY = "ssh-key"
    KEY = "key"
    LOG = "log"


class Reason(StrEnum):
    """Why a person decided so; `error_code` says why the software did."""

    AGENCY_REQUEST = "agency-request"
    AGREEMENT_ENDED = "agreement-ended"
    AGREEMENT_RENEWED = "agreement-renewed"
    KEY_COMPROMISED = "key-compromised"
    KEY_REPLACED = "key-replaced"
    LEFT_ROLE = "left-role"
    MISUSE = "misuse"
    PURPOSE_UNFIT = "purpose-unfit"
    RETENTION_ENDED = "retention-ended"
    SENT_IN_ERROR = "sent-in-error"
    FAULT_MENDED = "fault-mended"
    OTHER = "other"


def _up_to(times: int, part: str) -> str:
    """The same language as `(?:part){0,times}`, which Python's engine takes far longer to match."""
    return f"(?:{part}{_up_to(times - 1, part)}|)" if times else ""


UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
UUID7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
PSEUDONYM = "[0-9a-f]{32}|[0-9a-f]{64}"
SHA256 = "[0-9a-f]{64}"
FINGERPRINT = "[0-9A-F]{40}|[0-9a-f]{40}|[0-9A-F]{64}|[0-9a-f]{64}"
AGENCY_ID = "[A-Z]{2,6}" + _up_to(1, "-[A-Z0-9_]{1,16}")
# The days of this century, in which every fourth year is a leap year.
_LONG = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
_SHORT = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
_FEBRUARY = "02-(?:0[1-9]|1[0-9]|2[0-8])"
_LEAP = "20(?:[02468][048]|[13579][26])-02-29"
_DAY = f"(?:20[0-9]{{2}}-(?:{_LONG}|{_SHORT}|{_FEBRUARY})|{_LEAP})"
TIME = rf"{_DAY}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{{3}}Z"
RULE = "[A-Z]{2,6}-[0-9]{3}"
# Words of a code, with at most three digits in a row, so that no date or number of a person fits.
WORD = "(?:[a-z]{1,24}[0-9]{0,3}|[0-9]{1,3})"
CODE = "[a-z]{1,24}[0-9]{0,3}" + _up_to(6, f"-{WORD}")
VERSION = r"[0-9]{1,4}\.[0-9]{1,4}" + _up_to(2, r"\.[0-9]{1,4}")


def _closed(names: type[StrEnum]) -> str:
    # Values of our own enums: letters, dots and dashes, of which only the dot means something.
    return "|".join(name.value.replace(".", r"\.") for name in names)


def _by_noun(names: type[StrEnum]) -> str:
    """The same for names of two words: the first word is compared once, not for each second."""
    words = [name.value.partition(".")[::2] for name in names]
    nouns = dict.fromkeys(noun for noun, _ in words)
    return "|".join(
        rf"{noun}\.(?:{'|'.join(verb for of, verb in words if of == noun)})" for noun in nouns
    )


PATTERNS: dict[str, str] = {
    "action": _by_noun(Action),
    "actor": PSEUDONYM,
    "actor_type": _closed(ActorType),
    "agency": AGENCY_ID,
    "auth_method": _closed(AuthMethod),
    "error_code": f"{RULE}|{CODE}",
    "event_id": UUID7,
    "object_id": f"{UUID}|{FINGERPRINT}|{AGENCY_ID}",
    "object_sha256": SHA256,
    "object_type": _closed(ObjectType),
    "outcome": _closed(Outcome),
    "reason_code": _closed(Reason),
    "request_id": f"[0-9a-f]{{16,32}}|{UUID}",
    "software": f"[a-z]{{1,24}}{_up_to(3, '-[a-z]{1,24}')}/{VERSION}[a-z0-9.+]{{0,24}}",
    "source": PSEUDONYM,
    "standard": r"[A-Z]{2,8} [0-9]{1,2}\.[0-9]{1,2}",
    "time": TIME,
}
OPTIONAL = frozenset(
    {
        "agency",
        "agency_counter",
        "error_code",
        "object_id",
        "object_sha256",
        "object_type",
        "reason_code",
        "request_id",
        "source",
        "standard",
    }
)
SINCE_VERSION = {"reason_code": 2}
"""Fields that entries of an earlier version do not have."""
