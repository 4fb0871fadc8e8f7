"""How a command fails: `gateway: error: …`, `hint: …`, and a status that scripts can rely on."""

import sys
from pathlib import Path
from traceback import extract_tb

import click

from audit import errors as log_errors
from audit.errors import AuditError, EvidenceRefused
from crypto import (
    CertificateRefused,
    CryptoError,
    KeyLocked,
    KeyRefused,
    MessageRefused,
    WrongContext,
)
from gateway.client import ClientError, HostKeyRefused, Refused, Unreachable
from gateway.errors import GatewayError
from validators.errors import ValidatorsError
from validators.package import PackageRefused
from validators.profile import FactsRefused

OK = 0
REJECTED = 1
USAGE = 2
IN_PART = 3
REFUSED = 4
UNREACHABLE = 5
UNTRUSTED = 6
FAILED = 7
INTERRUPTED = 130
"""130 is what shells expect after Ctrl-C; docs/commands.md explains the others."""

STATUS: list[tuple[type[BaseException], int]] = [
    (Refused, REFUSED),
    (Unreachable, UNREACHABLE),
    (HostKeyRefused, UNTRUSTED),
    (ClientError, USAGE),
    (PackageRefused, REJECTED),
    (FactsRefused, USAGE),
    (EvidenceRefused, UNTRUSTED),
    (MessageRefused, UNTRUSTED),
    (WrongContext, UNTRUSTED),
    (CertificateRefused, REJECTED),
]
"""The one table from error to exit status; the first that fits counts, else FAILED."""

HINTS: list[tuple[type[BaseException], str]] = [
    (CertificateRefused, "Make a new key with `gateway keys init agency`, or mend the old one."),
    (KeyLocked, "Name the file that its passphrase stands in: --passphrase-file."),
    (KeyRefused, "Check that it is the private key, and that the passphrase is its own."),
    (EvidenceRefused, "Keep the files as they are and tell the Commissioner's auditor."),
    (log_errors.KeyRefused, "Check that it is the file you meant: the log's key is in log.vkey."),
    (log_errors.OutOfRange, "Entries have numbers from 0; `gateway audit verify` counts them."),
    (ImportError, "Install the server part with: pip install 'ctds-gateway[server,embedded]'"),
    (FileExistsError, "Nothing is ever overwritten: name another place, or move the file away."),
]

MENDS_AT_A_DESK = {
    "unauthenticated": "Name the file of your token with --token-file, or set GATEWAY_TOKEN. If it "
    "is the right one, it may have ended: ask the gateway's administrator for a new one.",
    "invalid-request": "Correct what is named; --help explains every option.",
}
"""What to do about an answer of the gateway, where it is said in terms of the API otherwise."""

MENDS_OF_ADMINISTRATORS = {
    "not-found": "Check how it is written, and whether it was done already.",
    "agency-needed": "Name the agency with --agency.",
    "agency-not-allowed": "Leave out --agency.",
}
"""The same for what the gateway refuses on its own machine, where nothing belongs to anybody."""


class Stop(Exception):
    """Ends a command after everything was said; carries the exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Failure(Exception):
    """What a command itself finds wrong."""

    def __init__(self, message: str, mend: str, *, status: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.status = status


def report_failure(error: Exception) -> int:
    """Say what went wrong on stderr; return the exit status."""
    if isinstance(error, Stop):
        return error.status
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        return _usage(error)
    known = (ClientError, GatewayError, Failure, CryptoError, AuditError, ValidatorsError)
    if not isinstance(error, (*known, OSError, ImportError)):
        return _unforeseen(error)
    print(f"gateway: error: {_message(error)}", file=sys.stderr)
    hint = _hint(error)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)
    return _status(error)


def _unforeseen(error: Exception) -> int:
    """A mistake of ours: its place and kind, but never its words, which may quote the data."""
    place = extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}, line {place.lineno}"
    print(f"gateway: error: {type(error).__name__} in {where}.", file=sys.stderr)
    print("hint: This is a mistake of ours: please report that line.", file=sys.stderr)
    return FAILED


def _usage(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        print(error.format_message())
        return USAGE
    print(f"gateway: error: {error.format_message()}", file=sys.stderr)
    context = getattr(error, "ctx", None)
    if context is not None:
        print(f"hint: Try `{context.command_path} --help`.", file=sys.stderr)
    return USAGE


def _message(error: Exception) -> str:
    if isinstance(error, FileExistsError):
        return f"{error.filename} is there already."
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}." if error.filename else str(error)
    if isinstance(error, CertificateRefused):
        lines = [f"\n  {one.sentence} [{one.code}]" for one in error.weaknesses]
        return f"The certificate is refused [{error.code}]:{''.join(lines)}"
    text = str(getattr(error, "message", error))
    code = getattr(error, "code", None)
    return f"{text} [{code}]" if code else text


def _hint(error: Exception) -> str:
    if isinstance(error, Refused) and error.code in MENDS_AT_A_DESK:
        return MENDS_AT_A_DESK[error.code]
    if isinstance(error, GatewayError) and error.code in MENDS_OF_ADMINISTRATORS:
        return MENDS_OF_ADMINISTRATORS[error.code]
    mend = getattr(error, "mend", "")
    return mend or next((hint for kind, hint in HINTS if isinstance(error, kind)), "")


def _status(error: Exception) -> int:
    if isinstance(error, Failure):
        return error.status
    return next((status for kind, status in STATUS if isinstance(error, kind)), FAILED)
