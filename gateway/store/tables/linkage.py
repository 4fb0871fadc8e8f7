"""What is remembered of accepted records, for rules that look at other submissions.

Nothing here can be read without the pepper: tokens and places are keyed hashes, facts are sealed.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, true
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.tables.model import Model


class RememberedRecordRow(Model):
    """One accepted version of a record; `about` is the case or the total that it says something of.

    It goes when its submission is withdrawn, destroyed or replaced (trigger).
    """

    __tablename__ = "remembered_record"
    __table_args__ = (
        Index("remembered_record_record_idx", "record"),
        Index("remembered_record_about_idx", "about"),
    )

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    record: Mapped[bytes] = mapped_column(primary_key=True)
    about: Mapped[bytes]
    facts: Mapped[bytes]


class LinkageTokenRow(Model):
    """A linkage token of a case, peppered."""

    __tablename__ = "linkage_token"
    __table_args__ = (
        ForeignKeyConstraint(
            ["submission_id", "record"],
            ["remembered_record.submission_id", "remembered_record.record"],
            ondelete="CASCADE",
        ),
        Index("linkage_token_submission_id_record_idx", "submission_id", "record"),
    )

    token: Mapped[bytes] = mapped_column(primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(primary_key=True)
    record: Mapped[bytes] = mapped_column(primary_key=True)


class LinkagePepperRow(Model):
    """By which pepper all of it was made: one row, so that a second pepper is noticed."""

    __tablename__ = "linkage_pepper"
    __table_args__ = (CheckConstraint("single", name="single"),)

    single: Mapped[bool] = mapped_column(primary_key=True, server_default=true())
    name: Mapped[bytes]
    used_since: Mapped[datetime]
