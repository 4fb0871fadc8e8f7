"""Agencies that may send, and the OpenPGP certificates they sign with."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.tables.model import Model


class AgencyRow(Model):
    """An enrolled agency of the register."""

    __tablename__ = "agency"

    agency_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    agency_type: Mapped[str]
    area: Mapped[str]
    enrolled_at: Mapped[datetime]
    suspended_at: Mapped[datetime | None]


class MailboxRow(Model):
    """Where an agency's receipts and reports are mailed to; without a row nothing is."""

    __tablename__ = "agency_mailbox"

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.agency_id"), primary_key=True)
    address: Mapped[str]
    set_at: Mapped[datetime]


class CertificateRow(Model):
    """One public certificate; a fingerprint belongs to one agency only."""

    __tablename__ = "certificate"

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.agency_id"), index=True)
    data: Mapped[bytes]
    expires_at: Mapped[datetime | None]
    added_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class CertificateWarningRow(Model):
    """A warning that was given so many days before this date; each is given once."""

    __tablename__ = "certificate_warning"

    fingerprint: Mapped[str] = mapped_column(
        ForeignKey("certificate.fingerprint"), primary_key=True
    )
    expires_at: Mapped[datetime] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True)
    given_at: Mapped[datetime]
