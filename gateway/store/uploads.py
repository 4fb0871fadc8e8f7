"""Resumable uploads in the database. What a row says has arrived is durable in the object store.

Only the last writer may go on: whoever comes to write gets a number, and every change names it. So
a connection that hangs, on whatever machine, cannot harm the one that took its place.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from gateway.store.parts import Part
from gateway.store.tables import UploadPartRow, UploadRow


@dataclass(frozen=True, slots=True)
class Upload:
    """How far an upload is; `length` is None until its sender knows it."""

    id: UUID
    agency_id: str
    must_replace: UUID | None
    length: int | None
    received: int
    writer: int
    multipart: str | None
    tail: str | None
    tail_size: int
    expires_at: datetime
    submission_id: UUID | None

    @property
    def is_whole(self) -> bool:
        """Whether everything has arrived."""
        return self.received == self.length


def add_upload(
    session: Session,
    *,
    upload_id: UUID,
    agency_id: str,
    must_replace: UUID | None,
    length: int | None,
    now: datetime,
    expires_at: datetime,
) -> Upload:
    """Record an upload of which nothing has arrived."""
    row = UploadRow(
        id=upload_id,
        agency_id=agency_id,
        must_replace=must_replace,
        length=length,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return _upload(row)


def open_uploads(session: Session, agency_id: str, *, now: datetime) -> int:
    """How many uploads of an agency are on their way."""
    query = select(func.count()).where(
        UploadRow.agency_id == agency_id,
        UploadRow.submission_id.is_(None),
        UploadRow.expires_at > now,
    )
    return session.scalar(query.select_from(UploadRow)) or 0


def find_upload(session: Session, upload_id: UUID, *, agency_id: str) -> Upload | None:
    """An upload by id, if it is that agency's."""
    row = session.get(UploadRow, upload_id)
    return None if row is None or row.agency_id != agency_id else _upload(row)


def lock_upload(session: Session, upload_id: UUID) -> Upload | None:
    """The upload, held against every other transaction until this one ends."""
    row = session.get(UploadRow, upload_id, with_for_update=True, populate_existing=True)
    return None if row is None else _upload(row)


def take_over(session: Session, upload_id: UUID, *, expires_at: datetime) -> Upload:
    """Become the one who writes; whoever wrote before cannot any more."""
    values = {"writer": UploadRow.writer + 1, "expires_at": expires_at}
    query = update(UploadRow).where(UploadRow.id == upload_id).values(values)
    return _upload(session.execute(query.returning(UploadRow)).scalar_one())


def set_length(session: Session, upload_id: UUID, length: int) -> None:
    """Record the length of an upload that had none."""
    session.execute(
        update(UploadRow)
        .where(UploadRow.id == upload_id, UploadRow.length.is_(None))
        .values(length=length)
    )


def next_number(session: Session, upload: Upload, *, multipart: str) -> int | None:
    """A number that no other part has or had; None where another writes now."""
    query = (
        update(UploadRow)
        .where(UploadRow.id == upload.id, UploadRow.writer == upload.writer)
        .values(next_part=UploadRow.next_part + 1, multipart=multipart)
        .returning(UploadRow.next_part - 1)
    )
    return session.scalar(query)


def record_arrival(
    session: Session,
    upload: Upload,
    parts: list[Part],
    *,
    received: int,
    tail: str | None,
    tail_size: int,
) -> bool:
    """Record what has arrived and is durable; False where another writes now."""
    query = (
        update(UploadRow)
        .where(UploadRow.id == upload.id, UploadRow.writer == upload.writer)
        .values(received=received, tail=tail, tail_size=tail_size)
        .returning(UploadRow.id)
    )
    if session.scalar(query) is None:
        return False
    session.add_all(
        UploadPartRow(
            upload_id=upload.id,
            number=part.number,
            etag=part.etag,
            sha256=part.sha256,
            size=part.size,
        )
        for part in parts
    )
    return True


def parts_of(session: Session, upload_id: UUID) -> list[Part]:
    """The parts that have arrived, in their order."""
    query = select(UploadPartRow).where(UploadPartRow.upload_id == upload_id)
    rows = session.scalars(query.order_by(UploadPartRow.number))
    return [Part(row.number, row.etag, row.sha256, row.size) for row in rows]


def end_upload(session: Session, upload_id: UUID, *, length: int, submission_id: UUID) -> None:
    """Record which submission became of it."""
    session.execute(
        update(UploadRow)
        .where(UploadRow.id == upload_id)
        .values(submission_id=submission_id, received=length, length=length)
    )


def expired_uploads(session: Session, *, now: datetime, limit: int) -> list[Upload]:
    """Some of those whose time is over, the oldest first."""
    query = select(UploadRow).where(UploadRow.expires_at <= now)
    query = query.order_by(UploadRow.expires_at).limit(limit)
    return [_upload(row) for row in session.scalars(query)]


def remove_upload(session: Session, upload_id: UUID) -> bool:
    """Remove an upload; False where somebody else was faster."""
    query = delete(UploadRow).where(UploadRow.id == upload_id).returning(UploadRow.id)
    return session.execute(query).first() is not None


def _upload(row: UploadRow) -> Upload:
    return Upload(**{field.name: getattr(row, field.name) for field in fields(Upload)})
