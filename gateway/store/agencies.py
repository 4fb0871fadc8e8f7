"""Enrolled agencies; their certificates are the affair of store.certificates."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.records import EnrolledAgency
from gateway.store.certificates import accepted_data
from gateway.store.tables import AgencyRow


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


def _agency(session: Session, row: AgencyRow) -> EnrolledAgency:
    return EnrolledAgency(
        agency_id=row.agency_id,
        name=row.name,
        agency_type=row.agency_type,
        area=row.area,
        active=row.suspended_at is None,
        certificates=tuple(accepted_data(session, row.agency_id)),
    )
