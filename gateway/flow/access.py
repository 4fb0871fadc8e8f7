"""Who is asking: bearer tokens, issued once, stored as a hash, checked on every request."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

from audit.actions import Action
from audit.entry import ObjectType, Outcome, Reason
from gateway.errors import Conflict, NotFound, Unauthenticated
from gateway.flow.trail import AuditTrail, What
from gateway.records import AGENCY_ROLES, SCOPES, Principal, Role
from gateway.store.access import AccessToken, add_token, find_token, revoke_token
from gateway.store.agencies import find_agency
from gateway.store.database import Database

PREFIX = "ctds_"
"""Marks a token as ours, so that secret scanners can find a leaked one."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token at the one moment its secret is visible."""

    id: UUID
    secret: str
    expires_at: datetime


class Access:
    """Issues, checks and revokes access tokens."""

    def __init__(
        self,
        database: Database,
        trail: AuditTrail,
        *,
        clock: Callable[[], datetime],
        token_secret: Callable[[], str],
    ) -> None:
        self._database = database
        self._trail = trail
        self._clock = clock
        self._token_secret = token_secret

    def issue(
        self,
        subject: str,
        role: Role,
        *,
        agency_id: str | None,
        valid_for: timedelta,
        by: Principal,
    ) -> Issued:
        """Issue a token; an agency role needs an enrolled agency, other roles must not have one."""
        now = self._clock()
        secret = PREFIX + self._token_secret()
        token = AccessToken(
            id=uuid4(),
            subject=subject,
            role=role,
            scopes=SCOPES[role],
            agency_id=agency_id,
            agency_active=True,
            expires_at=now + valid_for,
            revoked_at=None,
        )
        with self._database.transaction() as session:
            if (role in AGENCY_ROLES) != (agency_id is not None):
                raise _wrong_agency(role)
            if agency_id is not None and find_agency(session, agency_id) is None:
                raise NotFound("enrolled agency")
            add_token(session, token, secret_sha256=_hash(secret), now=now)
            self._trail.record(session, Action.TOKEN_ISSUED, by, _about(token.id, agency_id))
        return Issued(id=token.id, secret=secret, expires_at=token.expires_at)

    def revoke(self, token_id: UUID, *, by: Principal, reason: Reason | None = None) -> None:
        """Revoke a token from this moment on."""
        with self._database.transaction() as session:
            row = revoke_token(session, token_id, now=self._clock())
            if row is None:
                raise NotFound("live token")
            what = _about(token_id, row.agency_id, reason_code=reason)
            self._trail.record(session, Action.TOKEN_REVOKED, by, what)

    def authenticate(self, secret: str, *, source: str | None, request_id: str | None) -> Principal:
        """The principal behind a token, or Unauthenticated: one answer for every kind of wrong.

        Only a look-up by SHA-256 is made, so timing says nothing about near misses. Where the
        token is known but dead, the log gets the truth.
        """
        with self._database.look() as session:
            token = find_token(session, _hash(secret))
        if token is None:
            raise Unauthenticated(detail="unknown token")
        principal = Principal(
            subject=token.subject,
            role=token.role,
            scopes=token.scopes,
            agency_id=token.agency_id,
            source=source,
            request_id=request_id,
        )
        fault = self._fault(token)
        if fault is None:
            return principal
        with self._database.transaction() as session:
            what = _about(token.id, token.agency_id, outcome=Outcome.REFUSED, error_code=fault)
            self._trail.record(session, Action.AUTH_FAILED, principal, what)
        raise Unauthenticated(detail=fault)

    def turn_away(self, by: Principal, code: str) -> None:
        """Tell the log that somebody known was not served, as their agency asks too much."""
        with self._database.transaction() as session:
            what = What(outcome=Outcome.REFUSED, agency=by.agency_id, error_code=code)
            self._trail.record(session, Action.AUTH_FAILED, by, what)

    def _fault(self, token: AccessToken) -> str | None:
        if token.revoked_at is not None:
            return "token-revoked"
        if token.expires_at <= self._clock():
            return "token-expired"
        if not token.agency_active:
            return "agency-suspended"
        return None


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _about(
    token_id: UUID,
    agency_id: str | None,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    error_code: str | None = None,
    reason_code: Reason | None = None,
) -> What:
    return What(
        outcome=outcome,
        agency=agency_id,
        object_type=ObjectType.TOKEN,
        object_id=str(token_id),
        error_code=error_code,
        reason_code=reason_code,
    )


def _wrong_agency(role: Role) -> Conflict:
    if role in AGENCY_ROLES:
        return Conflict(
            "agency-needed", f"The role {role} belongs to an agency.", "Name the agency."
        )
    return Conflict(
        "agency-not-allowed",
        f"The role {role} stands apart from every agency.",
        "Leave the agency out.",
    )
