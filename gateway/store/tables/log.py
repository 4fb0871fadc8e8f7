"""The audit log: an outbox that business transactions write, and the sealed log behind it.

Rows of the log itself are never updated or deleted; triggers refuse it (migration 0001).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.tables.model import Model


class OutboxRow(Model):
    """An entry committed with its business transaction and not yet in the tree."""

    __tablename__ = "audit_outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(unique=True)
    entry: Mapped[bytes]


class AgencyCounterRow(Model):
    """How many entries of an agency were written; it only rises (migration 0012)."""

    __tablename__ = "agency_counter"

    agency_id: Mapped[str] = mapped_column(primary_key=True)
    next: Mapped[int] = mapped_column(BigInteger)


class LeafRow(Model):
    """One leaf of the tree; `index` is dense from 0."""

    __tablename__ = "log_leaf"

    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[UUID] = mapped_column(unique=True)
    entry: Mapped[bytes]
    leaf_hash: Mapped[bytes]


class TileRow(Model):
    """A complete tile of 256 hashes and the hash that the level above holds for it."""

    __tablename__ = "log_tile"

    level: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    hashes: Mapped[bytes]
    root: Mapped[bytes]


class CheckpointRow(Model):
    """A signed checkpoint as published."""

    __tablename__ = "log_checkpoint"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    note: Mapped[bytes]
    signed_at: Mapped[datetime]


class PublicationRow(Model):
    """A checkpoint as it was published once enough witnesses had cosigned it."""

    __tablename__ = "log_publication"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    note: Mapped[bytes]
    published_at: Mapped[datetime]


class TimestampRow(Model):
    """An authority's timestamp over a published checkpoint, with the very note it is over."""

    __tablename__ = "log_timestamp"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    authority: Mapped[str] = mapped_column(primary_key=True)
    note: Mapped[bytes]
    token: Mapped[bytes]
    received_at: Mapped[datetime]
