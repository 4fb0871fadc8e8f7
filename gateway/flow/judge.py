"""Judging an upload: opened, validated and sealed, and nothing of it recorded yet.

1. Decrypt and verify, or reject; nothing unverified leaves `crypto`.
2. Validate row by row; good rows go on, bad rows go back. Attachments are scanned for malware.
3. Put the full report, encrypted to the agency, where it says more than the open one.
4. Put others in the place of received linkage tokens; seal what is good to the vault key, which
   this process does not hold, and put it. Of a dry run nothing is sealed: it ends before this step.

What does not fit into memory is in scratch, encrypted under a key that dies with it. Each object
has a key of its own, so that doing it twice leaves at worst an orphan.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime
from functools import partial
from io import BytesIO

from crypto import (
    Certificate,
    CertificateRefused,
    Keyring,
    MeantForAnother,
    MessageRefused,
    Opened,
    Scratch,
    encryption_key,
    open_message,
    seal,
    verify_detached,
)
from gateway.flow.history import DatabaseHistory
from gateway.flow.judgement import Judgement
from gateway.flow.keeping import Keeping
from gateway.flow.linkage import Linkage
from gateway.flow.sealed import sealed_context, write_sealed_archive
from gateway.records import DryRun, Received, Rejection, Submission
from gateway.store.database import Database
from gateway.store.objects import Bucket, ObjectStore, Stored, quarantine_key
from gateway.store.submissions import accepted_package
from validators.bulk.judging import BulkRows
from validators.manifest import Manifest, ManifestSignatureRefused
from validators.package import PackageRefused
from validators.report import Report
from validators.report.machine import render_json
from validators.rules.attachments import Scan
from validators.run import Outcome, validate
from validators.standard import Standard, Standards

Accept = Callable[[Judgement, Outcome], Judgement]
"""What is done with an upload in which everything is in order."""


class Judge:
    """Says what is to become of a submission."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        standards: Standards,
        *,
        linkage: Linkage,
        keyring: Keyring,
        vault: Sequence[Certificate],
        make_scratch: Callable[[], Scratch],
        scan: Scan,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._objects = objects
        self._standards = standards
        self._linkage = linkage
        self._keyring = keyring
        self._vault = vault
        self._make_scratch = make_scratch
        self._scan = scan
        self._clock = clock

    def judge(self, submission: Submission, senders: Sequence[Certificate]) -> Judgement:
        """Judge a submission, and seal it if it is good."""
        return self._judge(
            submission,
            senders,
            stands=lambda manifest: self._refused(submission, manifest) is None,
            accept=partial(self._accept, submission),
        )

    def try_out(self, dry_run: DryRun, senders: Sequence[Certificate]) -> Judgement:
        """Judge what is only tried out, by the same steps up to the sealing.

        What other agencies know is not told: it would be an answer without a question on record.
        """
        return self._judge(
            dry_run, senders, stands=lambda _: False, accept=lambda judgement, _: judgement
        )

    def _judge(
        self,
        received: Received,
        senders: Sequence[Certificate],
        *,
        stands: Callable[[Manifest], bool],
        accept: Accept,
    ) -> Judgement:
        try:
            opened = self._open(received, senders)
        except MessageRefused as refusal:
            return Judgement(opened=False, rejection=_rejection(refusal))
        with ExitStack() as rooms:
            rooms.enter_context(closing(opened.plaintext))
            history = DatabaseHistory(self._database, self._linkage, received, stands=stands)
            judgement = self._validate(received, opened, senders, rooms, history=history)
            if judgement.outcome is not None and judgement.error_code is None:
                judgement = accept(judgement, judgement.outcome)
        return replace(
            judgement,
            signer=opened.signer.fingerprint,
            signing_key=opened.signing_key,
            recipient_key=opened.decrypted_by,
        )

    def discard(self, received: Received) -> None:
        """Remove the ciphertext as received, which the gateway's key would open; safe to repeat."""
        self._objects.delete(Bucket.QUARANTINE, quarantine_key(received.agency_id, received.id))

    def _open(self, received: Received, senders: Sequence[Certificate]) -> Opened:
        key = quarantine_key(received.agency_id, received.id)
        with self._objects.open(Bucket.QUARANTINE, key) as ciphertext:
            return open_message(
                ciphertext,
                keyring=self._keyring,
                senders=senders,
                now=self._clock(),
                make_scratch=self._make_scratch,
            )

    def _validate(
        self,
        received: Received,
        opened: Opened,
        senders: Sequence[Certificate],
        rooms: ExitStack,
        *,
        history: DatabaseHistory,
    ) -> Judgement:
        def verify(manifest: bytes, signature: str) -> None:
            try:
                verify_detached(manifest, signature.encode(), senders=senders, now=self._clock())
            except MessageRefused as refusal:
                raise ManifestSignatureRefused(refusal.code) from refusal

        try:
            outcome = validate(
                opened.plaintext,
                standards=self._standards,
                received_on=received.received_at.date(),
                history=history,
                verify_manifest=verify,
                make_spool=lambda: rooms.enter_context(self._make_scratch()),
                make_rows=BulkRows,
                scan=self._scan,
            )
        except PackageRefused as refusal:
            return Judgement(opened=True, rejection=_rejection(refusal))
        report = replace(outcome.report, sent=isinstance(received, Submission))
        outcome = replace(outcome, report=report)
        judgement = Judgement(
            opened=True,
            outcome=outcome,
            report_key=self._put_report(received, outcome.report, opened.signer),
        )
        if outcome.report.verdict == "rejected" or outcome.manifest is None:
            return judgement
        return replace(judgement, rejection=self._meant_for_another(outcome.manifest))

    def _accept(self, submission: Submission, judgement: Judgement, outcome: Outcome) -> Judgement:
        if outcome.manifest is not None:
            mismatch = self._replacement_mismatch(submission, outcome.manifest)
            if mismatch is not None:
                return replace(judgement, rejection=mismatch)
        now = self._clock()
        case = _standard_of(outcome, self._standards).records["CASE"]
        keeping = self._linkage.keeping(submission, case)
        return replace(
            judgement,
            sealed=self._put_sealed(submission, outcome, keeping, now=now),
            noted=tuple(keeping.noted),
            vault_keys=self._vault_keys(now=now),
        )

    def _refused(self, submission: Submission, manifest: Manifest) -> Rejection | None:
        """Why a package is refused whatever its rows are."""
        return self._meant_for_another(manifest) or self._replacement_mismatch(submission, manifest)

    def _meant_for_another(self, manifest: Manifest) -> Rejection | None:
        """A package that somebody else was sent, who encrypted it anew and passed it on.

        Where the program that signed it could not say for whom, the manifest may.
        """
        named = manifest.gateway
        if named is None or named.upper() in self._keyring.fingerprints:
            return None
        return _rejection(MeantForAnother(f"the manifest names {named.upper()}"))

    def _replacement_mismatch(self, submission: Submission, manifest: Manifest) -> Rejection | None:
        """A delivery that says which submission it replaces must carry a manifest that agrees."""
        if submission.must_replace is None:
            return None
        replaced = None
        if manifest.replaces is not None:
            with self._database.transaction() as session:
                replaced = accepted_package(session, submission.agency_id, manifest.replaces)
        if replaced is not None and replaced.id == submission.must_replace:
            return None
        return Rejection(
            "replacement-mismatch",
            "The manifest does not name the submission that this one was sent to replace.",
            "Set submission_type to REPLACEMENT and replaces to the earlier submission_id.",
            cause="replacement-mismatch",
        )

    def _put_report(self, received: Received, report: Report, reader: Certificate) -> str | None:
        """The full report for the agency's eyes only; None where it says nothing more.

        None also where the certificate has no key left to encrypt to: that may end before the key
        that signed, and is no reason to refuse what was signed.
        """
        if report == report.redacted():
            return None
        text = render_json(report).encode()
        sealed = BytesIO()
        name = f"report-{received.id}.json"
        try:
            seal(BytesIO(text), sealed, recipients=[reader], context=name, now=self._clock())
        except CertificateRefused:
            return None
        sealed.seek(0)
        key = f"{received.agency_id}/{name}.pgp"
        self._objects.put(Bucket.REPORTS, key, sealed)
        return key

    def _vault_keys(self, *, now: datetime) -> tuple[str, ...]:
        """Each certificate that is sealed to at this time, and the key of it that opens."""
        return tuple(
            name
            for vault in self._vault
            for name in (vault.fingerprint, encryption_key(vault, now=now).fingerprint)
        )

    def _put_sealed(
        self, submission: Submission, outcome: Outcome, keeping: Keeping, *, now: datetime
    ) -> Stored:
        with self._make_scratch() as archive, self._make_scratch() as sealed:
            write_sealed_archive(submission, outcome, archive, lines=keeping.lines)
            facts = seal(
                archive.reader(),
                sealed,
                recipients=self._vault,
                context=sealed_context(submission),
                now=now,
            )
            key = f"{submission.id}/{facts.sha256}.pgp"
            return self._objects.put(Bucket.VAULT, key, sealed.reader())


def _rejection(refusal: MessageRefused | PackageRefused) -> Rejection:
    cause = getattr(refusal, "cause_code", refusal.code)
    return Rejection(refusal.code, refusal.message, refusal.mend, cause=cause)


def _standard_of(outcome: Outcome, standards: Standards) -> Standard:
    """The version of the standard that was judged by."""
    return next(each for each in standards.values() if each.label == outcome.report.standard)
