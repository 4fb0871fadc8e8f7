"""Dry runs, in tables of their own: nothing that counts has a foreign key to them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.tables.model import Model


class DryRunRow(Model):
    """One upload that is judged and not counted; removed when it expires."""

    __tablename__ = "dry_run"
    __table_args__ = (
        UniqueConstraint("agency_id", "sha256"),
        Index("dry_run_agency_id_received_at_idx", "agency_id", "received_at"),
        Index("dry_run_state_received_at_idx", "state", "received_at"),
        Index("dry_run_expires_at_idx", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.agency_id"))
    state: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    event_id: Mapped[UUID] = mapped_column(unique=True)
    package_id: Mapped[UUID | None]
    submission_type: Mapped[str | None]
    period_start: Mapped[date | None]
    period_end: Mapped[date | None]
    standard: Mapped[str | None]
    records: Mapped[int | None]
    error_code: Mapped[str | None]
    report: Mapped[dict[str, Any] | None]
    report_key: Mapped[str | None]
    signer: Mapped[str | None]
    signing_key: Mapped[str | None]
    recipient_key: Mapped[str | None]


class DryRunKeyRow(Model):
    """An Idempotency-Key of an agency's dry run, as its SHA-256. It goes with the dry run."""

    __tablename__ = "dry_run_key"

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.agency_id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    dry_run_id: Mapped[UUID] = mapped_column(
        ForeignKey("dry_run.id", ondelete="CASCADE"), index=True
    )
