"""Releases: one person asks, another decides, and what was handed over is signed and provable."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import rfc8785

from audit.actions import Action
from audit.checkpoint import claimed_checkpoint
from audit.entry import ObjectType, Outcome
from audit.sequencer import prove_inclusion
from crypto import Keyring, sign_detached
from gateway.errors import Conflict, NotFound, NotReady
from gateway.flow.sealed import sealed_context
from gateway.flow.trail import AuditTrail, What
from gateway.records import Principal, Release, ReleaseState, State, Submission
from gateway.store.database import Database
from gateway.store.jobs import JobQueue
from gateway.store.log import PostgresLog, leaf_index, pending_entry
from gateway.store.releases import (
    add_release,
    decide,
    find_named,
    find_release,
    keep_manifest,
    list_releases,
    lock_release,
    release_items,
)
from gateway.store.submissions import lock_submission, move, releasable, stored_event


@dataclass(frozen=True, slots=True)
class Selection:
    """Which submissions a release takes: all accepted ones whose period lies in this span."""

    period_start: date | None
    period_end: date | None


class Releases:
    """Asking for, deciding on and looking at releases."""

    def __init__(
        self,
        database: Database,
        jobs: JobQueue,
        trail: AuditTrail,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._trail = trail
        self._clock = clock

    def request(self, name: str, *, purpose: str, selection: Selection, by: Principal) -> Release:
        """Fix the set of submissions now, so that what is approved is what was asked for."""
        with self._database.transaction() as session:
            if find_named(session, name) is not None:
                raise Conflict(
                    "release-exists",
                    f"There is already a release named {name}.",
                    "Choose another name; a release is never changed.",
                )
            chosen = releasable(
                session,
                period_start=selection.period_start,
                period_end=selection.period_end,
            )
            if not chosen:
                raise Conflict(
                    "release-empty",
                    "No accepted submission lies in that span.",
                    "Widen the span of periods.",
                )
            release = Release(
                id=uuid4(),
                name=name,
                purpose=purpose,
                state=ReleaseState.REQUESTED,
                requested_by=by.subject,
                requested_at=self._clock(),
                decided_by=None,
                decided_at=None,
                items=len(chosen),
                manifest=None,
                signature=None,
            )
            add_release(session, release, [item.id for item in chosen])
            self._trail.record(session, Action.RELEASE_REQUESTED, by, _about(release.id))
        return release

    def approve(self, release_id: UUID, *, by: Principal) -> Release:
        """The second person hands the set over; each submission moves with its own entry."""
        with self._database.transaction() as session:
            self._open_request(lock_release(session, release_id), by)
            for item in release_items(session, release_id):
                submission = lock_submission(session, item.id)
                if submission.state is State.STORED:
                    event_id = self._trail.about(
                        session, Action.SUBMISSION_RELEASED, by, submission
                    )
                    move(
                        session,
                        submission,
                        State.RELEASED,
                        event_id=event_id,
                        now=self._clock(),
                    )
            self._trail.record(session, Action.RELEASE_APPROVED, by, _about(release_id))
            self._jobs.sign(session, release_id)
            return decide(
                session, release_id, ReleaseState.APPROVED, by=by.subject, now=self._clock()
            )

    def refuse(self, release_id: UUID, *, by: Principal) -> Release:
        """The second person says no; nothing moves."""
        with self._database.transaction() as session:
            self._open_request(lock_release(session, release_id), by)
            what = _about(release_id, outcome=Outcome.REFUSED)
            self._trail.record(session, Action.RELEASE_REFUSED, by, what)
            return decide(
                session, release_id, ReleaseState.REFUSED, by=by.subject, now=self._clock()
            )

    def find(self, release_id: UUID) -> Release:
        """A release, or NotFound."""
        with self._database.transaction() as session:
            release = find_release(session, release_id)
        if release is None:
            raise NotFound("release")
        return release

    def list(self) -> list[Release]:
        """All releases, newest first."""
        with self._database.transaction() as session:
            return list_releases(session)

    def manifest(self, release_id: UUID) -> Release:
        """An approved release with its signed manifest."""
        release = self.find(release_id)
        if release.state is not ReleaseState.APPROVED:
            raise Conflict(
                "release-not-approved",
                "This release has not been approved.",
                "A second analyst must approve it first.",
            )
        if release.manifest is None:
            raise NotReady(
                "manifest-not-ready",
                "The manifest of this release is being signed.",
                "Ask again in a few seconds.",
            )
        return release

    def _open_request(self, release: Release | None, by: Principal) -> None:
        if release is None:
            raise NotFound("release")
        if release.state is not ReleaseState.REQUESTED:
            raise Conflict(
                "release-decided",
                f"This release was already {release.state}.",
                "Ask for a new release.",
            )
        if release.requested_by == by.subject:
            raise Conflict(
                "second-person-needed",
                "You asked for this release, so another person must decide on it.",
                "Ask a colleague to approve it.",
            )


class ManifestSigner:
    """Writes and signs the manifest of an approved release; runs where the signing key is."""

    def __init__(
        self,
        database: Database,
        log: PostgresLog,
        trail: AuditTrail,
        *,
        keyring: Keyring,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._log = log
        self._trail = trail
        self._keyring = keyring
        self._clock = clock

    def sign(self, release_id: UUID) -> None:
        """Sign once; NotReady while an entry still waits for the log."""
        with self._database.transaction() as session:
            release = find_release(session, release_id)
            items = release_items(session, release_id)
        if release is None or release.manifest is not None:
            return
        manifest = rfc8785.dumps(self._manifest(release, items))
        signature = sign_detached(manifest, signer=self._keyring, now=self._clock())
        with self._database.transaction() as session:
            keep_manifest(session, release_id, manifest, signature)

    def _manifest(self, release: Release, items: list[Submission]) -> dict[str, Any]:
        head = self._log.published()
        if head is None:
            raise _waiting()
        return {
            "v": 1,
            "release": str(release.id),
            "name": release.name,
            "purpose": release.purpose,
            "requested_by": self._trail.pseudonym(release.requested_by),
            "approved_by": self._trail.pseudonym(release.decided_by or ""),
            "approved_at": release.decided_at.isoformat() if release.decided_at else None,
            "checkpoint": head.decode(),
            "objects": [self._object(item, head) for item in items if item.state is State.RELEASED],
        }

    def _object(self, item: Submission, head: bytes) -> dict[str, Any]:
        with self._database.transaction() as session:
            event_id = stored_event(session, item.id)
            index, entry = leaf_index(session, event_id), pending_entry(session, event_id)
        if index is None or entry is None or index >= claimed_checkpoint(head).size:
            raise _waiting()
        return {
            "submission": str(item.id),
            "agency_id": item.agency_id,
            "period_start": str(item.period_start),
            "period_end": str(item.period_end),
            "standard": item.standard,
            "records": item.records,
            "context": sealed_context(item),
            "sealed_sha256": item.sealed_sha256,
            "sealed_size": item.sealed_size,
            "log_entry": entry.decode(),
            "log_index": index,
            "log_proof": [node.hex() for node in prove_inclusion(self._log, index, head)],
        }


def _about(release_id: UUID, *, outcome: Outcome = Outcome.SUCCESS) -> What:
    return What(outcome=outcome, object_type=ObjectType.RELEASE, object_id=str(release_id))


def _waiting() -> NotReady:
    return NotReady(
        "log-not-ready",
        "An entry of this release is not in the log yet.",
        "It is tried again by itself.",
    )
