"""Resumable uploads: what has arrived of each, as parts of an object that is not whole yet."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.tables.model import Model


class UploadRow(Model):
    """One upload; `writer` counts those who wrote to it, and only the last of them may go on.

    `tail` is the object that holds what came after the last whole part.
    """

    __tablename__ = "upload"
    __table_args__ = (
        Index("upload_agency_id_idx", "agency_id"),
        Index("upload_expires_at_idx", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.agency_id"))
    must_replace: Mapped[UUID | None] = mapped_column(ForeignKey("submission.id"))
    length: Mapped[int | None] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger, server_default="0")
    writer: Mapped[int] = mapped_column(server_default="0")
    next_part: Mapped[int] = mapped_column(server_default="1")
    multipart: Mapped[str | None]
    tail: Mapped[str | None]
    tail_size: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    submission_id: Mapped[UUID | None] = mapped_column(ForeignKey("submission.id"))


class UploadPartRow(Model):
    """One part that the object store has confirmed."""

    __tablename__ = "upload_part"

    upload_id: Mapped[UUID] = mapped_column(
        ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    etag: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
