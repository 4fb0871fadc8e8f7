"""SSH keys of agencies: added once, revoked for ever, looked up at every sign-in."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import AgencyRow, SshKeyRow


@dataclass(frozen=True, slots=True)
class SshKey:
    """A key as kept; `fingerprint` as OpenSSH writes it, `public_key` as one line."""

    id: UUID
    fingerprint: str
    public_key: str
    subject: str
    agency_id: str
    added_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


_FOUND = (
    select(*(getattr(SshKeyRow, field.name) for field in fields(SshKey)), AgencyRow.suspended_at)
    .join(AgencyRow, AgencyRow.agency_id == SshKeyRow.agency_id)
    .where(SshKeyRow.fingerprint == bindparam("fingerprint"))
)
"""Made once, and of columns: this is asked at every step of every session."""


def add_ssh_key(session: Session, key: SshKey) -> bool:
    """Add a key; False if it is known already, to whomever it belongs."""
    added = session.execute(
        insert(SshKeyRow).values(asdict(key)).on_conflict_do_nothing().returning(SshKeyRow.id)
    )
    return added.first() is not None


def find_ssh_key(session: Session, fingerprint: str) -> tuple[SshKey, bool] | None:
    """The key, and whether its agency is suspended; None if nobody has enrolled it."""
    found = session.execute(_FOUND, {"fingerprint": fingerprint}).first()
    return None if found is None else (SshKey(*found[:-1]), found[-1] is not None)


def list_ssh_keys(session: Session, *, agency_id: str | None) -> list[SshKey]:
    """All keys, or those of one agency, by agency and age."""
    query = select(SshKeyRow).order_by(SshKeyRow.agency_id, SshKeyRow.added_at)
    if agency_id is not None:
        query = query.where(SshKeyRow.agency_id == agency_id)
    return [_kept(row) for row in session.scalars(query)]


def revoke_ssh_key(session: Session, fingerprint: str, *, now: datetime) -> SshKey | None:
    """Accept a key no longer; None if it is unknown or revoked already."""
    query = select(SshKeyRow).where(SshKeyRow.fingerprint == fingerprint).with_for_update()
    row = session.scalars(query).first()
    if row is None or row.revoked_at is not None:
        return None
    row.revoked_at = now
    return _kept(row)


def _kept(row: SshKeyRow) -> SshKey:
    return SshKey(**{field.name: getattr(row, field.name) for field in fields(SshKey)})
