"""What people and programs prove themselves with: tokens, held as a SHA-256, and SSH keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.tables.model import Model


class AccessTokenRow(Model):
    """A bearer token: who holds it, for what, until when."""

    __tablename__ = "access_token"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    secret_sha256: Mapped[bytes] = mapped_column(unique=True)
    subject: Mapped[str]
    role: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    agency_id: Mapped[str | None] = mapped_column(ForeignKey("agency.agency_id"))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SshKeyRow(Model):
    """A public key with which somebody of an agency signs in over SFTP."""

    __tablename__ = "ssh_key"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(unique=True)
    public_key: Mapped[str]
    subject: Mapped[str]
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.agency_id"), index=True)
    added_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
