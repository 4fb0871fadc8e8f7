"""Processing: judge, then record. Idempotent, and safe to be killed at any line.

What was judged is recorded in ONE transaction: every move with its audit entry, the findings, and
the job that mails them.
Whoever comes second finds the submission no longer `received` and changes nothing. After that the
ciphertext as received goes: what is sealed shall be readable with the vault's key alone.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from audit.actions import Action
from audit.entry import Outcome
from crypto import Certificate
from gateway.flow.judge import Judge
from gateway.flow.judgement import Judgement, package_facts
from gateway.flow.trail import AuditTrail
from gateway.records import SYSTEM, State, Submission
from gateway.store.agencies import enrolled_agency
from gateway.store.database import Database
from gateway.store.jobs import JobQueue
from gateway.store.linkage import remember
from gateway.store.mailboxes import find_mailbox
from gateway.store.records import hold_records
from gateway.store.submissions import (
    accepted_package,
    claim_package,
    find_submission,
    lock_submission,
    move,
    supersede,
)


class PackageTaken(Exception):
    """Another submission took the same package, record or place meanwhile; judge again, knowing."""


class Processor:
    """Takes received submissions to their end state."""

    def __init__(
        self,
        database: Database,
        trail: AuditTrail,
        judge: Judge,
        jobs: JobQueue,
        *,
        certificates: Callable[[bytes], Certificate],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._trail = trail
        self._judge = judge
        self._jobs = jobs
        self._certificates = certificates
        self._clock = clock

    def process(self, submission_id: UUID) -> State:
        """Bring a submission to its end state; return the state it is in afterwards."""
        with self._database.transaction() as session:
            submission = find_submission(session, submission_id)
            if submission is None:
                raise LookupError(f"no submission {submission_id}")
            agency = enrolled_agency(session, submission.agency_id)
        state = submission.state
        if state is State.RECEIVED:
            senders = [self._certificates(data) for data in agency.certificates]
            state = self._record(submission, self._judge.judge(submission, senders))
        if state is not State.FAILED:
            self._judge.discard(submission)
        return state

    def fail(self, submission_id: UUID, code: str) -> None:
        """Give up on a submission for a fault of ours; it waits for an operator."""
        with self._database.transaction() as session:
            submission = lock_submission(session, submission_id)
            if submission.state is State.RECEIVED:
                self._move(session, submission, State.FAILED, code, error_code=code)

    def _record(self, submission: Submission, judgement: Judgement) -> State:
        with self._database.transaction() as session:
            submission = lock_submission(session, submission.id)
            if submission.state is not State.RECEIVED:
                return submission.state  # another worker was faster, or it was withdrawn
            facts = self._facts(session, submission, judgement)
            self._announce(session, submission)
            if judgement.opened:
                submission = self._move(session, submission, State.OPENED)
            if judgement.sealed is None:
                return self._move(
                    session, submission, State.REJECTED, judgement.cause, **facts
                ).state
            submission = self._move(
                session, submission, State.VALIDATED, standard=facts["standard"]
            )
            return self._store(session, submission, judgement, facts).state

    def _announce(self, session: Session, submission: Submission) -> None:
        """Have the outcome mailed, if the agency has a mailbox now; it is asked again then."""
        if find_mailbox(session, submission.agency_id) is not None:
            self._jobs.mail(session, submission.id)

    def _facts(
        self, session: Session, submission: Submission, judgement: Judgement
    ) -> dict[str, Any]:
        """What is learned from a readable package, recorded whether it is accepted or not."""
        facts = judgement.facts() | {"vault_keys": list(judgement.vault_keys) or None}
        manifest = None if judgement.outcome is None else judgement.outcome.manifest
        if judgement.outcome is None or manifest is None:
            return facts
        facts["standard"] = judgement.outcome.report.standard
        if claim_package(session, submission, manifest.submission_id, now=self._clock()):
            return facts | package_facts(manifest)
        if judgement.sealed is not None:
            raise PackageTaken
        return facts

    def _store(
        self,
        session: Session,
        submission: Submission,
        judgement: Judgement,
        facts: dict[str, Any],
    ) -> Submission:
        outcome, sealed = judgement.outcome, judgement.sealed
        if outcome is None or outcome.manifest is None or sealed is None:
            raise ValueError("only an accepted package can be stored")
        if outcome.manifest.replaces is not None:
            self._supersede(session, submission, outcome.manifest.replaces)
        is_test = outcome.manifest.submission_type == "TEST"
        if not is_test and not hold_records(session, submission, outcome.new_records):
            raise PackageTaken
        if not is_test:
            remember(session, submission.id, judgement.noted)
        event_id = self._trail.about(
            session,
            Action.SUBMISSION_STORED,
            SYSTEM,
            submission,
            object_sha256=sealed.sha256,
            standard=outcome.report.standard,
        )
        return move(
            session,
            submission,
            State.STORED,
            event_id=event_id,
            now=self._clock(),
            **facts,
            sealed_key=sealed.key,
            sealed_sha256=sealed.sha256,
            sealed_size=sealed.size,
            records=sum(len(records) for records in outcome.accepted.values()),
        )

    def _supersede(self, session: Session, submission: Submission, package_id: UUID) -> None:
        """Put it in the place of the one that it replaces, which may have lost it meanwhile."""
        earlier = accepted_package(session, submission.agency_id, package_id)
        if earlier is None or not supersede(session, earlier.id, by=submission.id):
            raise PackageTaken
        self._trail.about(session, Action.SUBMISSION_REPLACED, SYSTEM, earlier)

    def _move(
        self,
        session: Session,
        submission: Submission,
        to: State,
        code: str | None = None,
        **facts: Any,
    ) -> Submission:
        event_id = self._trail.about(
            session,
            ENTRY_OF[to],
            SYSTEM,
            submission,
            outcome=OUTCOME_OF.get(to, Outcome.SUCCESS),
            error_code=code,
            standard=facts.get("standard"),
        )
        return move(session, submission, to, event_id=event_id, now=self._clock(), **facts)


ENTRY_OF = {
    State.OPENED: Action.SUBMISSION_OPENED,
    State.VALIDATED: Action.SUBMISSION_VALIDATED,
    State.REJECTED: Action.SUBMISSION_REJECTED,
    State.FAILED: Action.SUBMISSION_FAILED,
}
OUTCOME_OF = {State.REJECTED: Outcome.REFUSED, State.FAILED: Outcome.FAILED}
