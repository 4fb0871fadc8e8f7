"""Handing sealed objects to staff. The audit entry commits before the first byte leaves."""

from collections.abc import Iterator
from uuid import UUID

from audit.actions import Action
from gateway.errors import NotFound
from gateway.flow.trail import AuditTrail
from gateway.records import Principal, ReleaseState, State, Submission
from gateway.store.database import Database
from gateway.store.objects import Bucket, ObjectStore
from gateway.store.releases import find_release, is_released
from gateway.store.submissions import find_submission


class Retrieval:
    """The only door through which sealed data leaves."""

    def __init__(self, database: Database, objects: ObjectStore, trail: AuditTrail) -> None:
        self._database = database
        self._objects = objects
        self._trail = trail

    def open(
        self, release_id: UUID, submission_id: UUID, *, by: Principal
    ) -> tuple[Submission, Iterator[bytes]]:
        """A sealed object of an approved release; NotFound for anything else."""
        with self._database.transaction() as session:
            release = find_release(session, release_id)
            submission = find_submission(session, submission_id)
            if (
                release is None
                or release.state is not ReleaseState.APPROVED
                or submission is None
                or submission.state is not State.RELEASED
                or submission.sealed_key is None
                or not is_released(session, release_id, submission_id)
            ):
                raise NotFound("released object")
            self._trail.about(
                session,
                Action.RELEASE_RETRIEVED,
                by,
                submission,
                object_sha256=submission.sealed_sha256,
            )
        return submission, self._objects.get(Bucket.VAULT, submission.sealed_key)
