"""Releases and what is in them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.records import Release, ReleaseState, Submission
from gateway.store.submissions import find_submission
from gateway.store.tables import ReleaseItemRow, ReleaseRow


def add_release(session: Session, release: Release, submissions: list[UUID]) -> None:
    """Record a request together with the submissions it fixes."""
    session.add(
        ReleaseRow(
            id=release.id,
            name=release.name,
            purpose=release.purpose,
            state=release.state,
            requested_by=release.requested_by,
            requested_at=release.requested_at,
        )
    )
    session.flush()
    session.add_all(
        ReleaseItemRow(release_id=release.id, submission_id=item) for item in submissions
    )
    session.flush()


def find_release(session: Session, release_id: UUID) -> Release | None:
    """A release by id."""
    row = session.get(ReleaseRow, release_id)
    return None if row is None else _release(session, row)


def find_named(session: Session, name: str) -> Release | None:
    """A release by its name."""
    row = session.scalars(select(ReleaseRow).where(ReleaseRow.name == name)).first()
    return None if row is None else _release(session, row)


def list_releases(session: Session) -> list[Release]:
    """All releases, newest first."""
    rows = session.scalars(select(ReleaseRow).order_by(ReleaseRow.requested_at.desc()))
    return [_release(session, row) for row in rows]


def lock_release(session: Session, release_id: UUID) -> Release | None:
    """The release, held until the transaction ends."""
    row = session.get(ReleaseRow, release_id, with_for_update=True, populate_existing=True)
    return None if row is None else _release(session, row)


def decide(
    session: Session, release_id: UUID, state: ReleaseState, *, by: str, now: datetime
) -> Release:
    """Record the decision of the second person."""
    row = session.get_one(ReleaseRow, release_id)
    row.state, row.decided_by, row.decided_at = state, by, now
    session.flush()
    return _release(session, row)


def keep_manifest(session: Session, release_id: UUID, manifest: bytes, signature: str) -> None:
    """Keep the signed manifest; the first one stands."""
    row = session.get_one(ReleaseRow, release_id, with_for_update=True)
    if row.manifest is None:
        row.manifest, row.signature = manifest, signature


def unsigned(session: Session) -> list[UUID]:
    """Approved releases that wait for their manifest."""
    query = select(ReleaseRow.id).where(
        ReleaseRow.state == ReleaseState.APPROVED, ReleaseRow.manifest.is_(None)
    )
    return list(session.scalars(query))


def release_items(session: Session, release_id: UUID) -> list[Submission]:
    """The submissions of a release in order of receipt."""
    ids = session.scalars(
        select(ReleaseItemRow.submission_id).where(ReleaseItemRow.release_id == release_id)
    )
    found = [find_submission(session, item) for item in ids]
    return sorted((item for item in found if item), key=lambda item: (item.received_at, item.id))


def is_released(session: Session, release_id: UUID, submission_id: UUID) -> bool:
    """Whether a submission is part of a release."""
    return session.get(ReleaseItemRow, (release_id, submission_id)) is not None


def _release(session: Session, row: ReleaseRow) -> Release:
    items = session.execute(
        select(func.count()).where(ReleaseItemRow.release_id == row.id)
    ).scalar_one()
    return Release(
        id=row.id,
        name=row.name,
        purpose=row.purpose,
        state=ReleaseState(row.state),
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        items=items,
        manifest=row.manifest,
        signature=row.signature,
    )
