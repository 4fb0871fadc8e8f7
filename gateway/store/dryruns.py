"""Dry runs in the database: added once, settled once, removed when they expire."""

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.records import DryRun, DryRunAcknowledgement, DryRunState
from gateway.store.tables import DryRunKeyRow, DryRunRow


def add_dry_run(
    session: Session,
    *,
    dry_run_id: UUID,
    agency_id: str,
    sha256: str,
    size: int,
    event_id: UUID,
    now: datetime,
    expires_at: datetime,
) -> DryRunAcknowledgement:
    """Record a received dry run, or find the one that the agency's same bytes are already.

    The unique constraint decides, as with submissions. What it stands against may expire before it
    is read; then there is room for this one.
    """
    adding = (
        insert(DryRunRow)
        .values(
            id=dry_run_id,
            agency_id=agency_id,
            state=DryRunState.RECEIVED,
            sha256=sha256,
            size=size,
            received_at=now,
            expires_at=expires_at,
            event_id=event_id,
        )
        .on_conflict_do_nothing(index_elements=["agency_id", "sha256"])
        .returning(DryRunRow)
    )
    same = select(DryRunRow).where(DryRunRow.agency_id == agency_id, DryRunRow.sha256 == sha256)
    while True:
        if (added := session.scalar(adding)) is not None:
            return DryRunAcknowledgement(_dry_run(added), repeated=False)
        if (known := session.scalar(same)) is not None:
            return DryRunAcknowledgement(_dry_run(known), repeated=True)


def find_dry_run(
    session: Session, dry_run_id: UUID, *, agency_id: str | None = None
) -> DryRun | None:
    """A dry run by id; with `agency_id`, only if it is that agency's."""
    row = session.get(DryRunRow, dry_run_id)
    if row is None or (agency_id is not None and row.agency_id != agency_id):
        return None
    return _dry_run(row)


def list_dry_runs(
    session: Session, agency_id: str, *, before: datetime | None, limit: int
) -> list[DryRun]:
    """An agency's dry runs, newest first."""
    query = select(DryRunRow).where(DryRunRow.agency_id == agency_id)
    if before is not None:
        query = query.where(DryRunRow.received_at < before)
    query = query.order_by(DryRunRow.received_at.desc()).limit(limit)
    return [_dry_run(row) for row in session.scalars(query)]


def settle_dry_run(
    session: Session, dry_run_id: UUID, to: DryRunState, *, now: datetime, **facts: Any
) -> DryRun | None:
    """Settle what is received, with what was learned; None where there is nothing to settle.

    Whoever comes second, be it by a moment, finds it settled already.
    """
    settled = session.scalar(
        update(DryRunRow)
        .where(DryRunRow.id == dry_run_id, DryRunRow.state == DryRunState.RECEIVED)
        .values({**facts, "state": to, "settled_at": now})
        .returning(DryRunRow)
        .execution_options(populate_existing=True)
    )
    return None if settled is None else _dry_run(settled)


def expired_dry_runs(session: Session, *, now: datetime, limit: int) -> list[DryRun]:
    """Some of those whose time is over, in whatever state, the oldest first."""
    query = select(DryRunRow).where(DryRunRow.expires_at <= now)
    query = query.order_by(DryRunRow.expires_at).limit(limit)
    return [_dry_run(row) for row in session.scalars(query)]


def remove_dry_run(session: Session, dry_run_id: UUID) -> bool:
    """Remove a dry run and its keys; False where another worker was faster."""
    query = delete(DryRunRow).where(DryRunRow.id == dry_run_id).returning(DryRunRow.id)
    return session.execute(query).first() is not None


def bind_dry_run_key(session: Session, agency_id: str, key: str, dry_run_id: UUID) -> UUID:
    """Bind an Idempotency-Key to a dry run; the answer is the one it was first bound to."""
    session.execute(
        insert(DryRunKeyRow)
        .values(agency_id=agency_id, key=key, dry_run_id=dry_run_id)
        .on_conflict_do_nothing()
    )
    return session.get_one(DryRunKeyRow, (agency_id, key)).dry_run_id


def unchecked(session: Session, *, before: datetime) -> list[UUID]:
    """Dry runs received before a moment and not settled: the sweeper's list."""
    query = select(DryRunRow.id).where(
        DryRunRow.state == DryRunState.RECEIVED, DryRunRow.received_at < before
    )
    return list(session.scalars(query))


def _dry_run(row: DryRunRow) -> DryRun:
    values = {field.name: getattr(row, field.name) for field in fields(DryRun)}
    return DryRun(**{**values, "state": DryRunState(row.state)})
