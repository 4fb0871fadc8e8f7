"""Dry runs as an agency meets them: sent, looked at, read; nothing of them is ever counted.

A dry run is the same encrypted message over the same intake, and kept apart from submissions from
the first byte: it has tables, keys and audit actions of its own. So the same bytes can be tried out
and then sent, or sent and then tried out, and neither is a repetition of the other.

There is nothing to withdraw, replace or release, and no receipt: a receipt says that something was
sent, and this was not.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from audit.actions import Action
from audit.entry import ObjectType, Outcome
from gateway.errors import NotFound, NotReady, RequestRefused
from gateway.flow.pressure import Pressure
from gateway.flow.quarantine import Delivery, Quarantine, key_reused
from gateway.flow.trail import AuditTrail, What
from gateway.records import DryRun, DryRunAcknowledgement, DryRunState, Principal
from gateway.store.database import Database
from gateway.store.dryruns import add_dry_run, bind_dry_run_key, find_dry_run, list_dry_runs
from gateway.store.jobs import JobQueue
from gateway.store.objects import Bucket, ObjectStore, Stored, Version, quarantine_key

KEPT = timedelta(days=30)
"""How long a dry run and its reports can be read; then both are removed."""


class DryRuns:
    """Receives and shows dry runs. What is another agency's does not exist here."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        quarantine: Quarantine,
        jobs: JobQueue,
        trail: AuditTrail,
        pressure: Pressure,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._objects = objects
        self._quarantine = quarantine
        self._jobs = jobs
        self._trail = trail
        self._pressure = pressure
        self._clock = clock

    def receive(self, delivery: Delivery, *, by: Principal) -> DryRunAcknowledgement:
        """Store, record, then acknowledge; a refusal leaves one audit entry and nothing else."""
        dry_run_id = uuid4()
        key = quarantine_key(by.agency, dry_run_id)
        try:
            self._quarantine.admit(delivery.length)
            self._pressure.admit(by)
            with self._quarantine.hold(delivery, key) as stored:
                acknowledgement = self._record(delivery, stored, dry_run_id, by)
        except RequestRefused as refusal:
            self._refuse(by, refusal.code)
            raise
        if acknowledgement.repeated:
            self._quarantine.discard(key)
        return acknowledgement

    def find(self, dry_run_id: UUID, *, by: Principal) -> DryRun:
        """One dry run of the caller's agency, or NotFound."""
        with self._database.transaction() as session:
            found = find_dry_run(session, dry_run_id, agency_id=by.agency)
        if found is None:
            raise NotFound("dry run")
        return found

    def list(self, *, by: Principal, before: datetime | None, limit: int) -> list[DryRun]:
        """The caller's agency's dry runs, newest first."""
        with self._database.transaction() as session:
            return list_dry_runs(session, by.agency, before=before, limit=limit)

    def report(self, dry_run_id: UUID, *, by: Principal) -> DryRun:
        """The dry run with its report; the reading is in the log before the answer leaves."""
        dry_run = self.find(dry_run_id, by=by)
        if dry_run.report is None:
            raise _no_report(dry_run, "report")
        self._tell_reading(dry_run, by)
        return dry_run

    def full_report(self, dry_run_id: UUID, *, by: Principal) -> Iterator[bytes]:
        """The report with values, encrypted to the agency; NotFound where no finding quotes one."""
        return self._objects.get(Bucket.REPORTS, self._full_report_key(dry_run_id, by=by))

    def open_full_report(self, dry_run_id: UUID, *, by: Principal) -> Version:
        """The same, to be read in pieces."""
        return self._objects.version(Bucket.REPORTS, self._full_report_key(dry_run_id, by=by))

    def _full_report_key(self, dry_run_id: UUID, *, by: Principal) -> str:
        """Where it is; the reading is in the log before anything of it leaves."""
        dry_run = self.find(dry_run_id, by=by)
        if dry_run.report_key is None:
            raise _no_report(dry_run, "report with values")
        self._tell_reading(dry_run, by)
        return dry_run.report_key

    def _record(
        self, delivery: Delivery, stored: Stored, dry_run_id: UUID, by: Principal
    ) -> DryRunAcknowledgement:
        event_id, now = self._trail.new_event_id(), self._clock()
        with self._database.transaction() as session:
            acknowledgement = add_dry_run(
                session,
                dry_run_id=dry_run_id,
                agency_id=by.agency,
                sha256=stored.sha256,
                size=stored.size,
                event_id=event_id,
                now=now,
                expires_at=now + KEPT,
            )
            dry_run = acknowledgement.dry_run
            if delivery.hashed_key is not None:
                _bind(session, delivery.hashed_key, dry_run)
            if not acknowledgement.repeated:
                what = about(dry_run)
                self._trail.record(session, Action.DRY_RUN_RECEIVED, by, what, event_id=event_id)
                self._jobs.check(session, dry_run.id)
        return acknowledgement

    def _refuse(self, by: Principal, code: str) -> None:
        with self._database.transaction() as session:
            what = What(outcome=Outcome.REFUSED, agency=by.agency, error_code=code)
            self._trail.record(session, Action.DRY_RUN_REFUSED, by, what)

    def _tell_reading(self, dry_run: DryRun, by: Principal) -> None:
        with self._database.transaction() as session:
            self._trail.record(session, Action.REPORT_READ, by, about(dry_run))


def about(
    dry_run: DryRun,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    error_code: str | None = None,
) -> What:
    """What an entry says of a dry run."""
    return What(
        outcome=outcome,
        agency=dry_run.agency_id,
        object_type=ObjectType.DRY_RUN,
        object_id=str(dry_run.id),
        object_sha256=dry_run.sha256,
        error_code=error_code,
        standard=dry_run.standard,
    )


def _bind(session: Session, key: str, dry_run: DryRun) -> None:
    if bind_dry_run_key(session, dry_run.agency_id, key, dry_run.id) != dry_run.id:
        raise key_reused()


def _no_report(dry_run: DryRun, what: str) -> NotReady | NotFound:
    if dry_run.state is DryRunState.RECEIVED:
        return NotReady(
            "report-not-ready",
            "The dry run is still being checked.",
            "Ask again in a few seconds.",
        )
    return NotFound(what)
