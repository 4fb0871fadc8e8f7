"""Submissions, their moves from state to state, and what makes a second sending recognisable."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Identity, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.tables.model import Model


class SubmissionRow(Model):
    """One upload of one package. The same bytes from the same agency are one row."""

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("agency_id", "sha256"),
        Index("submission_agency_id_received_at_idx", "agency_id", "received_at"),
        Index("submission_state_received_at_idx", "state", "received_at"),
        Index("submission_signer_idx", "signer"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.agency_id"))
    channel: Mapped[str]
    state: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    event_id: Mapped[UUID] = mapped_column(unique=True)
    package_id: Mapped[UUID | None]
    submission_type: Mapped[str | None]
    period_start: Mapped[date | None]
    period_end: Mapped[date | None]
    standard: Mapped[str | None]
    error_code: Mapped[str | None]
    report: Mapped[dict[str, Any] | None]
    report_key: Mapped[str | None]
    sealed_key: Mapped[str | None]
    sealed_sha256: Mapped[str | None]
    sealed_size: Mapped[int | None] = mapped_column(BigInteger)
    records: Mapped[int | None]
    must_replace: Mapped[UUID | None] = mapped_column(ForeignKey("submission.id"))
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("submission.id"))
    # Fingerprints of the keys that were used, for the day when one of them is lost.
    signer: Mapped[str | None]
    signing_key: Mapped[str | None]
    recipient_key: Mapped[str | None]
    vault_keys: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


class TransitionRow(Model):
    """One move of one submission, tied to its one audit entry. Never changed (trigger)."""

    __tablename__ = "submission_transition"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"), index=True)
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    moved_at: Mapped[datetime]
    event_id: Mapped[UUID] = mapped_column(unique=True)


class PackageRow(Model):
    """The first use of a package's own submission_id by an agency (rule CT-008)."""

    __tablename__ = "package"

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.agency_id"), primary_key=True)
    package_id: Mapped[UUID] = mapped_column(primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"), index=True)
    first_received: Mapped[datetime]


class HeldRecordRow(Model):
    """A record that a submission brought as new, by the random id that its agency made."""

    __tablename__ = "held_record"

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.agency_id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    record_type: Mapped[str]


class GivenUpMailRow(Model):
    """A mail about a submission that could not be sent, until an operator has it sent again."""

    __tablename__ = "given_up_mail"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    error_code: Mapped[str]
    given_up_at: Mapped[datetime]


class IdempotencyRow(Model):
    """An Idempotency-Key of an agency, as its SHA-256, and the submission it stands for."""

    __tablename__ = "idempotency_key"

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.agency_id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"))
    used_at: Mapped[datetime]
