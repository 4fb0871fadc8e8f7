"""Enrolled agencies and their certificates."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.errors import Conflict
from gateway.records import EnrolledAgency
from gateway.store.tables import AgencyRow, CertificateRow


def find_agency(session: Session, agency_id: str) -> EnrolledAgency | None:
    """The agency with all its certificates, or None if it was never enrolled."""
    row = session.get(AgencyRow, agency_id)
    return None if row is None else _agency(session, row)


def enrolled_agency(session: Session, agency_id: str) -> EnrolledAgency:
    """The agency of a submission, which a foreign key vouches for."""
    return _agency(session, session.get_one(AgencyRow, agency_id))


def list_agencies(session: Session) -> list[EnrolledAgency]:
    """All enrolled agencies by id."""
    rows = session.scalars(select(AgencyRow).order_by(AgencyRow.agency_id))
    return [_agency(session, row) for row in rows]


def add_agency(
    session: Session, agency_id: str, *, name: str, agency_type: str, area: str, now: datetime
) -> bool:
    """Enrol an agency; False if it was enrolled already."""
    added = session.execute(
        insert(AgencyRow)
        .values(agency_id=agency_id, name=name, agency_type=agency_type, area=area, enrolled_at=now)
        .on_conflict_do_nothing()
        .returning(AgencyRow.agency_id)
    )
    return added.first() is not None


def add_certificate(
    session: Session,
    agency_id: str,
    *,
    fingerprint: str,
    data: bytes,
    expires_at: datetime | None,
    now: datetime,
) -> None:
    """Add or refresh a certificate; a fingerprint that another agency holds is a conflict."""
    statement = insert(CertificateRow).values(
        fingerprint=fingerprint, agency_id=agency_id, data=data, expires_at=expires_at, added_at=now
    )
    kept = session.execute(
        statement.on_conflict_do_update(
            index_elements=[CertificateRow.fingerprint],
            set_={"data": data, "expires_at": expires_at},
            where=(CertificateRow.agency_id == agency_id) & CertificateRow.revoked_at.is_(None),
        ).returning(CertificateRow.fingerprint)
    )
    if kept.first() is None:
        raise Conflict(
            "certificate-taken",
            f"The certificate {fingerprint} belongs to another agency, or was revoked here.",
            "Each agency needs a key of its own, and a revoked one is not taken again: make a new "
            "key and enrol that.",
        )


def suspend_agency(session: Session, agency_id: str, *, now: datetime) -> bool:
    """Suspend an agency; False if it is unknown or suspended already."""
    row = session.get(AgencyRow, agency_id, with_for_update=True)
    if row is None or row.suspended_at is not None:
        return False
    row.suspended_at = now
    return True


def resume_agency(session: Session, agency_id: str) -> bool:
    """Let a suspended agency send again; False if it is unknown or not suspended."""
    row = session.get(AgencyRow, agency_id, with_for_update=True)
    if row is None or row.suspended_at is None:
        return False
    row.suspended_at = None
    return True


def revoke_certificate(session: Session, fingerprint: str, *, now: datetime) -> str | None:
    """Accept a certificate no longer; return its agency, or None if it is not accepted now."""
    row = session.get(CertificateRow, fingerprint, with_for_update=True)
    if row is None or row.revoked_at is not None:
        return None
    row.revoked_at = now
    return row.agency_id


def _agency(session: Session, row: AgencyRow) -> EnrolledAgency:
    certificates = session.scalars(
        select(CertificateRow.data)
        .where(CertificateRow.agency_id == row.agency_id, CertificateRow.revoked_at.is_(None))
        .order_by(CertificateRow.added_at)
    )
    return EnrolledAgency(
        agency_id=row.agency_id,
        name=row.name,
        agency_type=row.agency_type,
        area=row.area,
        active=row.suspended_at is None,
        certificates=tuple(certificates),
    )
