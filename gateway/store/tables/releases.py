"""Releases: which sealed submissions were handed to staff, on whose word."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.tables.model import Model


class ReleaseRow(Model):
    """A named set, asked for by one person and decided by another (check constraint)."""

    __tablename__ = "release"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    purpose: Mapped[str]
    state: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    manifest: Mapped[bytes | None]
    signature: Mapped[str | None]


class ReleaseItemRow(Model):
    """One submission in one release, fixed when the release is asked for."""

    __tablename__ = "release_item"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("release.id"), primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(
        ForeignKey("submission.id"), primary_key=True, index=True
    )
