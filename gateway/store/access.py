"""Access tokens by the hash of their secret; the secret itself is never stored."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from gateway.records import Role, Scope
from gateway.store.tables import AccessTokenRow, AgencyRow


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token as stored, with the standing of the agency it belongs to."""

    id: UUID
    subject: str
    role: Role
    scopes: frozenset[Scope]
    agency_id: str | None
    agency_active: bool
    expires_at: datetime
    revoked_at: datetime | None


_FOUND = (
    select(
        AccessTokenRow.id,
        AccessTokenRow.subject,
        AccessTokenRow.role,
        AccessTokenRow.scopes,
        AccessTokenRow.agency_id,
        AccessTokenRow.expires_at,
        AccessTokenRow.revoked_at,
        AgencyRow.suspended_at,
    )
    .outerjoin(AgencyRow, AgencyRow.agency_id == AccessTokenRow.agency_id)
    .where(AccessTokenRow.secret_sha256 == bindparam("secret_sha256"))
)
"""Made once, and of columns: this is asked at every request."""


def add_token(session: Session, token: AccessToken, *, secret_sha256: bytes, now: datetime) -> None:
    """Record a freshly issued token."""
    session.add(
        AccessTokenRow(
            id=token.id,
            secret_sha256=secret_sha256,
            subject=token.subject,
            role=token.role,
            scopes=sorted(token.scopes),
            agency_id=token.agency_id,
            issued_at=now,
            expires_at=token.expires_at,
        )
    )
    session.flush()


def find_token(session: Session, secret_sha256: bytes) -> AccessToken | None:
    """The token with this secret hash, whatever its standing."""
    row = session.execute(_FOUND, {"secret_sha256": secret_sha256}).first()
    if row is None:
        return None
    return AccessToken(
        id=row.id,
        subject=row.subject,
        role=Role(row.role),
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        agency_id=row.agency_id,
        agency_active=row.suspended_at is None,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def revoke_token(session: Session, token_id: UUID, *, now: datetime) -> AccessTokenRow | None:
    """Revoke a token; None if it is unknown or revoked already."""
    row = session.get(AccessTokenRow, token_id, with_for_update=True)
    if row is None or row.revoked_at is not None:
        return None
    row.revoked_at = now
    return row
