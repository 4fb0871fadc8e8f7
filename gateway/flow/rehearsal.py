"""Trying out: judge as a submission would be judged, then record the report and nothing else.

Idempotent, and safe to be killed at any line. The end and its audit entry are ONE transaction;
whoever comes second finds the dry run settled and changes nothing. The ciphertext goes afterwards,
also where it failed: there is nothing in it that its sender would have to send again.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.actions import Action
from audit.entry import Outcome
from crypto import Certificate
from gateway.flow.dryruns import about
from gateway.flow.judge import Judge
from gateway.flow.judgement import Judgement, package_facts
from gateway.flow.trail import AuditTrail
from gateway.records import SYSTEM, DryRun, DryRunState
from gateway.store.agencies import enrolled_agency
from gateway.store.database import Database
from gateway.store.dryruns import (
    expired_dry_runs,
    find_dry_run,
    remove_dry_run,
    settle_dry_run,
)
from gateway.store.objects import Bucket, ObjectStore

AT_A_TIME = 1000
"""How many expired dry runs one sweep removes at most."""

ENDS = {
    DryRunState.CHECKED: (Action.DRY_RUN_CHECKED, Outcome.SUCCESS),
    DryRunState.REJECTED: (Action.DRY_RUN_REJECTED, Outcome.REFUSED),
    DryRunState.FAILED: (Action.DRY_RUN_FAILED, Outcome.FAILED),
}


class Rehearsal:
    """Takes received dry runs to their end, and removes those whose time is over."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        trail: AuditTrail,
        judge: Judge,
        *,
        certificates: Callable[[bytes], Certificate],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._objects = objects
        self._trail = trail
        self._judge = judge
        self._certificates = certificates
        self._clock = clock

    def process(self, dry_run_id: UUID) -> None:
        """Bring a dry run to its end; nothing to do where it was removed meanwhile."""
        with self._database.transaction() as session:
            dry_run = find_dry_run(session, dry_run_id)
            if dry_run is None:
                return
            agency = enrolled_agency(session, dry_run.agency_id)
        if dry_run.state is DryRunState.RECEIVED:
            senders = [self._certificates(data) for data in agency.certificates]
            judgement = self._judge.try_out(dry_run, senders)
            to = DryRunState.REJECTED if judgement.error_code else DryRunState.CHECKED
            self._settle(dry_run_id, to, judgement.cause, **_facts(judgement))
        self._judge.discard(dry_run)

    def fail(self, dry_run_id: UUID, code: str) -> None:
        """Give up on a dry run for a fault of ours; its sender may simply send it again."""
        settled = self._settle(dry_run_id, DryRunState.FAILED, code, error_code=code)
        if settled is not None:
            self._judge.discard(settled)

    def remove_expired(self) -> int:
        """Remove what may be read no longer; return how many there were.

        Objects first: killed in between, a later sweep finds the row and does it again.
        """
        with self._database.transaction() as session:
            expired = expired_dry_runs(session, now=self._clock(), limit=AT_A_TIME)
        return sum(self._remove(dry_run) for dry_run in expired)

    def _settle(
        self, dry_run_id: UUID, to: DryRunState, cause: str | None, **facts: Any
    ) -> DryRun | None:
        with self._database.transaction() as session:
            settled = settle_dry_run(session, dry_run_id, to, now=self._clock(), **facts)
            if settled is not None:
                action, outcome = ENDS[to]
                what = about(settled, outcome=outcome, error_code=cause)
                self._trail.record(session, action, SYSTEM, what)
        return settled

    def _remove(self, dry_run: DryRun) -> bool:
        self._judge.discard(dry_run)
        if dry_run.report_key is not None:
            self._objects.delete(Bucket.REPORTS, dry_run.report_key)
        with self._database.transaction() as session:
            removed = remove_dry_run(session, dry_run.id)
            if removed:
                self._trail.record(session, Action.DRY_RUN_REMOVED, SYSTEM, about(dry_run))
        return removed


def _facts(judgement: Judgement) -> dict[str, Any]:
    """What is learned of a dry run; `records` counts what would have been stored."""
    facts, outcome = judgement.facts(), judgement.outcome
    if outcome is None or outcome.manifest is None:
        return facts
    facts |= package_facts(outcome.manifest) | {"standard": outcome.report.standard}
    if judgement.error_code is None:
        facts["records"] = sum(len(records) for records in outcome.accepted.values())
    return facts
