"""Who comes over SFTP: SSH keys of agencies, enrolled by an administrator, never passwords.

The key alone says who somebody is and for which agency; the user name that a client sends says
nothing. A revoked key is refused from that moment on, in sessions that are open as well, since
whoever acts asks here again.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_public_key,
)

from audit.actions import Action
from audit.entry import ObjectType, Outcome, Reason
from gateway.errors import Conflict, NotFound, RequestRefused, Unauthenticated
from gateway.flow.trail import AuditTrail, What
from gateway.records import SCOPES, Principal, Role
from gateway.store.agencies import find_agency
from gateway.store.database import Database
from gateway.store.sshkeys import SshKey, add_ssh_key, find_ssh_key, list_ssh_keys, revoke_ssh_key

LEAST_RSA_BITS = 3072
_MOST_TEXT = 16_384
_TAKEN = ("ssh-ed25519 ", "ecdsa-sha2-nistp", "ssh-rsa ")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An SSH public key that is good enough; without its comment, which may name a person."""

    line: str
    fingerprint: str

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """Read one line of OpenSSH's form (RFC 4253 section 6.6); raises RequestRefused.

        Taken are Ed25519, ECDSA on the NIST curves, and RSA of 3072 bits and more.
        """
        lines = [line for line in text[:_MOST_TEXT].splitlines() if line.strip()]
        if len(lines) != 1 or not lines[0].lstrip().startswith(_TAKEN):
            raise _unreadable()
        try:
            key = load_ssh_public_key(lines[0].strip().encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _unreadable() from error
        if isinstance(key, RSAPublicKey):
            if key.key_size < LEAST_RSA_BITS:
                raise RequestRefused(
                    "ssh-key-weak",
                    f"An RSA key of {key.key_size} bits is too short.",
                    f"Make an Ed25519 key, or RSA of at least {LEAST_RSA_BITS} bits.",
                )
        elif not isinstance(key, Ed25519PublicKey | EllipticCurvePublicKey):
            raise _unreadable()
        line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")
        return cls(line, fingerprint_of(line))


def fingerprint_of(line: str) -> str:
    """The SHA-256 fingerprint of a public key, as OpenSSH writes it."""
    digest = sha256(b64decode(line.split()[1])).digest()
    return f"SHA256:{b64encode(digest).decode().rstrip('=')}"


class SshKeys:
    """Enrols, checks and revokes SSH keys."""

    def __init__(
        self, database: Database, trail: AuditTrail, *, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._trail = trail
        self._clock = clock

    def enrol(
        self,
        key: PublicKey,
        *,
        agency_id: str,
        subject: str,
        valid_for: timedelta,
        by: Principal,
    ) -> SshKey:
        """Let whoever holds this key send for an enrolled agency; `subject` is their account."""
        now = self._clock()
        kept = SshKey(
            id=uuid4(),
            fingerprint=key.fingerprint,
            public_key=key.line,
            subject=subject,
            agency_id=agency_id,
            added_at=now,
            expires_at=now + valid_for,
            revoked_at=None,
        )
        with self._database.transaction() as session:
            if find_agency(session, agency_id) is None:
                raise NotFound("enrolled agency")
            if not add_ssh_key(session, kept):
                raise Conflict(
                    "ssh-key-known",
                    "This SSH key is known already.",
                    "Make a new one; a key that was revoked, or is another's, is never taken.",
                )
            self._trail.record(session, Action.SSH_KEY_ADDED, by, _about(kept))
        return kept

    def list(self, agency_id: str | None = None) -> list[SshKey]:
        """Every key, or those of one agency."""
        with self._database.transaction() as session:
            return list_ssh_keys(session, agency_id=agency_id)

    def revoke(self, fingerprint: str, *, by: Principal, reason: Reason | None = None) -> None:
        """Accept a key no longer, from this moment on."""
        with self._database.transaction() as session:
            key = revoke_ssh_key(session, fingerprint, now=self._clock())
            if key is None:
                raise NotFound("accepted SSH key")
            what = _about(key, reason_code=reason)
            self._trail.record(session, Action.SSH_KEY_REVOKED, by, what)

    def authenticate(
        self, fingerprint: str, *, source: str | None, request_id: str | None
    ) -> Principal:
        """The principal behind a key, or Unauthenticated: one answer for every kind of wrong.

        Where the key is known but not accepted, the log gets the truth.
        """
        return self._known(fingerprint, source=source, request_id=request_id)[1]

    def turn_away(self, fingerprint: str, code: str, *, source: str | None) -> None:
        """Tell the log that an accepted key was not let in, for want of room."""
        key, by = self._known(fingerprint, source=source, request_id=None)
        self._record_refusal(key, by, code)

    def _known(
        self, fingerprint: str, *, source: str | None, request_id: str | None
    ) -> tuple[SshKey, Principal]:
        """An accepted key and the principal behind it."""
        with self._database.look() as session:
            found = find_ssh_key(session, fingerprint)
        if found is None:
            raise Unauthenticated(detail="unknown SSH key")
        key, suspended = found
        principal = Principal(
            subject=key.subject,
            role=Role.SUBMITTER,
            scopes=SCOPES[Role.SUBMITTER],
            agency_id=key.agency_id,
            auth_method="ssh-key",
            source=source,
            request_id=request_id,
        )
        fault = self._fault(key, suspended=suspended)
        if fault is not None:
            self._record_refusal(key, principal, fault)
            raise Unauthenticated(detail=fault)
        return key, principal

    def _record_refusal(self, key: SshKey, by: Principal, code: str) -> None:
        with self._database.transaction() as session:
            what = _about(key, outcome=Outcome.REFUSED, error_code=code)
            self._trail.record(session, Action.AUTH_FAILED, by, what)

    def _fault(self, key: SshKey, *, suspended: bool) -> str | None:
        if key.revoked_at is not None:
            return "ssh-key-revoked"
        if key.expires_at <= self._clock():
            return "ssh-key-expired"
        return "agency-suspended" if suspended else None


def _about(
    key: SshKey,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    error_code: str | None = None,
    reason_code: Reason | None = None,
) -> What:
    return What(
        outcome=outcome,
        agency=key.agency_id,
        object_type=ObjectType.SSH_KEY,
        object_id=str(key.id),
        error_code=error_code,
        reason_code=reason_code,
    )


def _unreadable() -> RequestRefused:
    return RequestRefused(
        "ssh-key-unreadable",
        "This is no SSH public key of a kind that is taken.",
        "Give the file that ends in .pub: one line that begins with ssh-ed25519, "
        "ecdsa-sha2-nistp256 or ssh-rsa.",
    )
