"""Processing: open, validate, seal, store. Idempotent, and safe to be killed at any line.

1. Decrypt and verify, or reject; nothing unverified leaves `crypto`.
2. Validate row by row; good rows go on, bad rows go back.
3. Seal what is good to the vault key, which this process does not hold.
4. Put the sealed object and the encrypted report; each has a key of its own, so that doing it twice
   leaves at worst an orphan.
5. ONE transaction: every move with its audit entry, and the findings. Whoever comes second finds
   the submission no longer `received` and stops.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from audit.actions import Action
from audit.entry import Outcome as EntryOutcome
from crypto import Certificate, Keyring, MessageRefused, Opened, open_message, seal, verify_detached
from gateway.flow.history import DatabaseHistory
from gateway.flow.sealed import sealed_archive, sealed_context
from gateway.flow.trail import AuditTrail
from gateway.records import SYSTEM, Rejection, State, Submission
from gateway.store.agencies import find_agency
from gateway.store.database import Database
from gateway.store.objects import Bucket, ObjectStore, Stored
from gateway.store.submissions import (
    accepted_package,
    claim_package,
    find_submission,
    lock_submission,
    move,
    supersede,
)
from validators.manifest import ManifestSignatureRefused
from validators.package import PackageRefused
from validators.report import Report
from validators.run import Outcome, validate
from validators.standard import Standard


class PackageTaken(Exception):
    """Another submission claimed the same package id meanwhile; judge again with that known."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be recorded of one submission: rejected, or accepted and sealed."""

    opened: bool
    rejection: Rejection | None = None
    outcome: Outcome | None = None
    sealed: Stored | None = None
    report_key: str | None = None


class Processor:
    """Takes received submissions to their end state."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        trail: AuditTrail,
        standard: Standard,
        *,
        keyring: Keyring,
        vault: Sequence[Certificate],
        certificates: Callable[[bytes], Certificate],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._objects = objects
        self._trail = trail
        self._standard = standard
        self._keyring = keyring
        self._vault = vault
        self._certificates = certificates
        self._clock = clock

    def process(self, submission_id: UUID) -> State:
        """Bring a submission to its end state; return the state it is in afterwards."""
        with self._database.transaction() as session:
            submission = find_submission(session, submission_id)
            if submission is None:
                raise LookupError(f"no submission {submission_id}")
            agency = find_agency(session, submission.agency_id)
        if submission.state is not State.RECEIVED or agency is None:
            return submission.state
        senders = [self._certificates(data) for data in agency.certificates]
        judgement = self._judge(submission, senders)
        return self._record(submission, judgement)

    def fail(self, submission_id: UUID, code: str) -> None:
        """Give up on a submission for a fault of ours; it waits for an operator."""
        with self._database.transaction() as session:
            submission = lock_submission(session, submission_id)
            if submission.state is State.RECEIVED:
                self._move(session, submission, State.FAILED, code)

    def _judge(self, submission: Submission, senders: Sequence[Certificate]) -> Judgement:
        try:
            opened = self._open(submission, senders)
        except MessageRefused as refusal:
            return Judgement(opened=False, rejection=_rejection(refusal))
        with closing(opened.plaintext):
            return self._validate(submission, opened, senders)

    def _open(self, submission: Submission, senders: Sequence[Certificate]) -> Opened:
        key = f"{submission.agency_id}/{submission.id}.pgp"
        with self._objects.open(Bucket.QUARANTINE, key) as ciphertext:
            return open_message(
                ciphertext, keyring=self._keyring, senders=senders, now=self._clock()
            )

    def _validate(
        self, submission: Submission, opened: Opened, senders: Sequence[Certificate]
    ) -> Judgement:
        def verify(manifest: bytes, signature: str) -> None:
            try:
                verify_detached(manifest, signature.encode(), senders=senders, now=self._clock())
            except MessageRefused as refusal:
                raise ManifestSignatureRefused(refusal.code) from refusal

        try:
            outcome = validate(
                opened.plaintext,
                standard=self._standard,
                received_on=submission.received_at.date(),
                history=DatabaseHistory(self._database, submission),
                verify_manifest=verify,
            )
        except PackageRefused as refusal:
            return Judgement(opened=True, rejection=_rejection(refusal))
        report_key = self._put_report(submission, outcome.report, opened.signer)
        if outcome.report.verdict == "rejected":
            return Judgement(opened=True, outcome=outcome, report_key=report_key)
        mismatch = self._replacement_mismatch(submission, outcome)
        if mismatch is not None:
            return Judgement(
                opened=True, outcome=outcome, report_key=report_key, rejection=mismatch
            )
        sealed = self._put_sealed(submission, outcome)
        return Judgement(opened=True, outcome=outcome, report_key=report_key, sealed=sealed)

    def _replacement_mismatch(self, submission: Submission, outcome: Outcome) -> Rejection | None:
        """A delivery that says which submission it replaces must carry a manifest that agrees."""
        if submission.must_replace is None:
            return None
        replaced = None
        if outcome.manifest is not None and outcome.manifest.replaces is not None:
            with self._database.transaction() as session:
                replaced = accepted_package(
                    session, submission.agency_id, outcome.manifest.replaces
                )
        if replaced is not None and replaced.id == submission.must_replace:
            return None
        return Rejection(
            "replacement-mismatch",
            "The manifest does not name the submission that this one was sent to replace.",
            "Set submission_type to REPLACEMENT and replaces to the earlier submission_id.",
        )

    def _put_report(
        self, submission: Submission, report: Report, reader: Certificate
    ) -> str | None:
        """The full report for the agency's eyes only; None where it says nothing more."""
        if report == report.redacted():
            return None
        text = json.dumps(report.to_dict(), ensure_ascii=False).encode()
        sealed = BytesIO()
        name = f"report-{submission.id}.json"
        seal(BytesIO(text), sealed, recipients=[reader], context=name, now=self._clock())
        sealed.seek(0)
        key = f"{submission.agency_id}/{name}.pgp"
        self._objects.put(Bucket.REPORTS, key, sealed)
        return key

    def _put_sealed(self, submission: Submission, outcome: Outcome) -> Stored:
        sealed = BytesIO()
        facts = seal(
            sealed_archive(submission, outcome),
            sealed,
            recipients=self._vault,
            context=sealed_context(submission),
            now=self._clock(),
        )
        sealed.seek(0)
        return self._objects.put(Bucket.VAULT, f"{submission.id}/{facts.sha256}.pgp", sealed)

    def _record(self, submission: Submission, judgement: Judgement) -> State:
        with self._database.transaction() as session:
            submission = lock_submission(session, submission.id)
            if submission.state is not State.RECEIVED:
                return submission.state  # another worker was faster, or it was withdrawn
            facts = self._facts(session, submission, judgement)
            if judgement.opened:
                submission = self._move(session, submission, State.OPENED)
            if judgement.sealed is None:
                return self._reject(session, submission, judgement, facts).state
            submission = self._move(
                session, submission, State.VALIDATED, standard=facts["standard"]
            )
            return self._store(session, submission, judgement, facts).state

    def _facts(
        self, session: Session, submission: Submission, judgement: Judgement
    ) -> dict[str, Any]:
        """What is learned from a readable package, recorded whether it is accepted or not."""
        facts: dict[str, Any] = {"report_key": judgement.report_key}
        if judgement.outcome is None:
            return facts
        facts["report"] = judgement.outcome.report.redacted().to_dict()
        manifest = judgement.outcome.manifest
        if manifest is None:
            return facts
        facts["standard"] = judgement.outcome.report.standard
        if not claim_package(session, submission, manifest.submission_id, now=self._clock()):
            if judgement.sealed is not None:
                raise PackageTaken
            return facts
        return facts | {
            "package_id": manifest.submission_id,
            "submission_type": str(manifest.submission_type),
            "period_start": manifest.period_start,
            "period_end": manifest.period_end,
        }

    def _reject(
        self,
        session: Session,
        submission: Submission,
        judgement: Judgement,
        facts: dict[str, Any],
    ) -> Submission:
        code = _first_error(judgement)
        if judgement.rejection is not None:
            facts["report"] = {
                **(facts.get("report") or {"verdict": "rejected"}),
                "verdict": "rejected",
                "refusal": {
                    "code": judgement.rejection.code,
                    "message": judgement.rejection.message,
                    "mend": judgement.rejection.mend,
                },
            }
        return self._move(session, submission, State.REJECTED, code, **facts, error_code=code)

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
        earlier = accepted_package(session, submission.agency_id, package_id)
        if earlier is not None:
            supersede(session, earlier.id, by=submission.id)
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
            outcome=OUTCOME_OF.get(to, EntryOutcome.SUCCESS),
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
OUTCOME_OF = {State.REJECTED: EntryOutcome.REFUSED, State.FAILED: EntryOutcome.FAILED}


def _rejection(refusal: MessageRefused | PackageRefused) -> Rejection:
    return Rejection(code=refusal.code, message=refusal.message, mend=refusal.mend)


def _first_error(judgement: Judgement) -> str:
    """The code that sums up a rejection: the refusal, or the first submission-level rule broken."""
    if judgement.rejection is not None:
        return judgement.rejection.code
    findings = judgement.outcome.report.findings if judgement.outcome else ()
    errors = [finding for finding in findings if finding.severity == "error"]
    whole = [finding for finding in errors if finding.level == "submission"]
    return (whole or errors)[0].rule
