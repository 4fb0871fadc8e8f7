"""Certificates of agencies: added once, brought up to date under a lock, revoked for ever."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.records import KeptCertificate
from gateway.store.tables import CertificateRow, CertificateWarningRow


def add_certificate(
    session: Session,
    agency_id: str,
    *,
    fingerprint: str,
    data: bytes,
    expires_at: datetime | None,
    now: datetime,
) -> bool:
    """Add a certificate; False if the fingerprint is known already, to whomever it belongs."""
    added = session.execute(
        insert(CertificateRow)
        .values(
            fingerprint=fingerprint,
            agency_id=agency_id,
            data=data,
            expires_at=expires_at,
            added_at=now,
        )
        .on_conflict_do_nothing()
        .returning(CertificateRow.fingerprint)
    )
    return added.first() is not None


def lock_certificate(session: Session, fingerprint: str) -> KeptCertificate | None:
    """The certificate, held against every other transaction until this one ends.

    Two updates at once would otherwise both start from the same copy, and one would be lost.
    """
    row = session.get(CertificateRow, fingerprint, with_for_update=True, populate_existing=True)
    return None if row is None else _kept(row)


def find_certificate(session: Session, fingerprint: str) -> KeptCertificate | None:
    """The certificate with this fingerprint, whoever holds it and even if it was revoked."""
    row = session.get(CertificateRow, fingerprint)
    return None if row is None else _kept(row)


def list_certificates(session: Session, *, agency_id: str | None = None) -> list[KeptCertificate]:
    """All certificates, or those of one agency, by agency and age."""
    query = select(CertificateRow).order_by(CertificateRow.agency_id, CertificateRow.added_at)
    if agency_id is not None:
        query = query.where(CertificateRow.agency_id == agency_id)
    return [_kept(row) for row in session.scalars(query)]


def update_certificate(
    session: Session, fingerprint: str, *, data: bytes, expires_at: datetime | None
) -> None:
    """Keep a newer form of a certificate that the caller has locked."""
    row = session.get_one(CertificateRow, fingerprint)
    row.data, row.expires_at = data, expires_at


def revoke_certificate(session: Session, fingerprint: str, *, now: datetime) -> str | None:
    """Accept a certificate no longer; return its agency, or None if it is not accepted now."""
    row = session.get(CertificateRow, fingerprint, with_for_update=True)
    if row is None or row.revoked_at is not None:
        return None
    row.revoked_at = now
    return row.agency_id


def accepted_data(session: Session, agency_id: str) -> Sequence[bytes]:
    """The certificates that an agency may sign with, the oldest first."""
    return session.scalars(
        select(CertificateRow.data)
        .where(CertificateRow.agency_id == agency_id, CertificateRow.revoked_at.is_(None))
        .order_by(CertificateRow.added_at)
    ).all()


def give_warning(
    session: Session, fingerprint: str, *, expires_at: datetime, days: int, now: datetime
) -> bool:
    """Note that a warning is given; False if it was given before, by whichever worker.

    It is noted with the date it is about: a certificate that was extended is warned of anew.
    """
    given = session.execute(
        insert(CertificateWarningRow)
        .values(fingerprint=fingerprint, expires_at=expires_at, days=days, given_at=now)
        .on_conflict_do_nothing()
        .returning(CertificateWarningRow.fingerprint)
    )
    return given.first() is not None


def _kept(row: CertificateRow) -> KeptCertificate:
    return KeptCertificate(
        fingerprint=row.fingerprint,
        agency_id=row.agency_id,
        data=row.data,
        revoked=row.revoked_at is not None,
    )
