"""One package from its bytes to a report and the records that are good.

1. Open the ZIP safely (PackageRefused is raised: there is nothing to report on).
2. Read the manifest, take the version of the standard that it names, and have the agency's
   signature over it verified.
3. Judge the manifest: sender, period, repetition. An unregistered sender learns no more than that.
4. Hold every file against its listed size and checksum; what does not pass is not judged.
5. Judge the rows, one by one and against each other, and compare their number with the manifest.
6. Draw the verdict. An error at submission level rejects the whole package; any other error returns
   its row alone.

Knows no network, database or clock: `received_on` is the only today there is, so that one package
gives one report for ever.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, BinaryIO
from uuid import UUID

from validators.accepted import AcceptedRows, MakeSpool, MemorySpool
from validators.collected import Collected
from validators.filenames import MANIFEST_NAME, is_workbook, record_type_of
from validators.findings import Finding
from validators.manifest import (
    Manifest,
    ManifestRefused,
    ManifestSignatureRefused,
    canonical_manifest,
    incomplete,
    load_manifest,
    read_manifest,
    standard_of,
)
from validators.package import Package, open_package
from validators.report import FileCount, Report
from validators.rows import JudgedFile, Rows
from validators.rules import RecordContext
from validators.rules.activity import Total
from validators.rules.attachments import Scan, unscanned
from validators.rules.linked import LinkedCase, Token
from validators.rules.submission import (
    History,
    SubmissionContext,
    check_submission,
    counts_fit,
    is_as_listed,
    unfit_files,
)
from validators.standard import Standard, Standards, newest

__all__ = ["History", "NoHistory", "Outcome", "VerifyManifest", "validate"]

VerifyManifest = Callable[[bytes, str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a package: the report, and the accepted records by record type.

    `attachments` are the names in `package` that go with the accepted records; they can be opened
    as long as the source of the package is. `new_records` are the ids of those that were accepted
    as new, by record type.
    """

    report: Report
    manifest: Manifest | None
    accepted: Mapping[str, AcceptedRows]
    package: Package
    nil: bool = False
    attachments: tuple[str, ...] = ()
    new_records: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class NoHistory:
    """For agencies checking offline: nothing was sent before, and the sender is who it says."""

    def is_registered_sender(self, agency_id: str) -> bool:
        """Let every agency of the register pass."""
        del agency_id  # whoever it is
        return True

    def first_received(self, submission_id: str) -> date | None:
        """Know of no earlier submission."""

    def replaceable(self, submission_id: UUID, period: tuple[date, date]) -> bool | None:
        """Not know what was accepted."""
        del submission_id, period  # whichever they are
        return None

    def has_accepted_return(self, period_start: date, period_end: date) -> bool:
        """Know of no earlier return."""
        del period_start, period_end  # whichever it is
        return False

    def held(
        self, record_type: str | None, record_ids: Collection[str], *, replacing: UUID | None
    ) -> Collection[str] | None:
        """Not know what is held."""
        del record_type, record_ids, replacing  # whichever they are
        return None

    def totals(self, asked: Collection[Total]) -> Mapping[Total, int]:
        """Know of no earlier total."""
        del asked  # whichever they are
        return {}

    def tells_links(self, manifest: Manifest) -> bool:
        """Know of no other agency's case."""
        del manifest  # whichever it is
        return False

    def linked_cases(self, cases: Sequence[Sequence[Token]]) -> Sequence[Sequence[LinkedCase]]:
        """Know of no other agency's case."""
        return [()] * len(cases)


def validate(
    source: BinaryIO,
    *,
    standards: Standards,
    received_on: date,
    history: History,
    verify_manifest: VerifyManifest | None = None,
    make_spool: MakeSpool = MemorySpool,
    make_rows: type[Rows] = Rows,
    scan: Scan = unscanned,
) -> Outcome:
    """Judge a package; raises PackageRefused when it cannot be opened safely, and nothing else.

    Of `standards` the manifest names the one that it is judged by; any other is refused (CT-002).
    `verify_manifest` gets the canonical manifest and its armored signature, and raises
    ManifestSignatureRefused; without it the signature is not checked. `scan` looks for malware in
    attachments, and what it raises is raised. Accepted rows go to a spool for each file.
    `make_rows` judges them one by one, or in bulk (`validators.bulk`), which says the same sooner.
    """
    package = open_package(source)
    standard = newest(standards)
    try:
        raw = _raw_manifest(package)
        standard = standard_of(raw, standards)
        manifest = _manifest(raw, standard, verify_manifest)
    except ManifestRefused as refused:
        collected = Collected(standard)
        collected.add_all(refused.findings)
        return _outcome(package, collected, standard, manifest=None, rows=None)
    ctx = SubmissionContext(standard, received_on, history)
    about_submission = tuple(check_submission(manifest, ctx))

    def rows_for(collected: Collected) -> Rows:
        agency = standard.agencies[manifest.agency_id]
        context = RecordContext(standard, manifest, agency, received_on)
        return make_rows(context, collected, history=history, scan=scan, make_spool=make_spool)

    judge = partial(_judged, package, manifest, standard, about_submission, rows_for)
    try:
        return judge(read_twice=False)
    except _NotAsListed:
        return judge(read_twice=True)


def _judged(
    package: Package,
    manifest: Manifest,
    standard: Standard,
    about_submission: Sequence[Finding],
    rows_for: Callable[[Collected], Rows],
    *,
    read_twice: bool,
) -> Outcome:
    """Judge the files; raises _NotAsListed, unless all are read for their checksums before."""
    collected = Collected(standard)
    collected.add_all(about_submission)
    rows = None
    if "CT-003" not in collected.totals:
        with rows_for(collected) as rows:
            _judge_files(package, manifest, rows, collected, read_twice=read_twice)
    return _outcome(package, collected, standard, manifest=manifest, rows=rows)


def _raw_manifest(package: Package) -> Mapping[str, Any]:
    if MANIFEST_NAME not in package.names:
        raise ManifestRefused([incomplete(f"there is no {MANIFEST_NAME}")])
    with package.open(MANIFEST_NAME) as stream:
        return read_manifest(stream.read())


def _manifest(
    raw: Mapping[str, Any], standard: Standard, verify_manifest: VerifyManifest | None
) -> Manifest:
    manifest = load_manifest(raw, standard=standard)
    signed = canonical_manifest(raw)
    if verify_manifest is not None:
        try:
            verify_manifest(signed, manifest.signature)
        except ManifestSignatureRefused as refused:
            fault = f"its signature is not accepted ({refused.code})"
            raise ManifestRefused([incomplete(fault)]) from refused
    return manifest


class _NotAsListed(Exception):
    """A file that was judged is not the one that is listed; what was said of it is void."""


def _judge_files(
    package: Package, manifest: Manifest, rows: Rows, collected: Collected, *, read_twice: bool
) -> None:
    records = [name for name in package.names if record_type_of(name) or is_workbook(name)]
    # To read a file for its checksum first, and then to judge it, would inflate it twice.
    unfit = unfit_files(package, manifest, by_size=() if read_twice else records)
    collected.add_all(unfit.values())
    for name in records:
        if name not in unfit:
            rows.judge(package, name)
            if not is_as_listed(package, manifest, name):
                raise _NotAsListed
    collected.add_all(counts_fit(manifest, _counted(rows, manifest, unfit)))
    rows.judge_together(package)


def _counted(rows: Rows, manifest: Manifest, unfit: Collection[str]) -> dict[str, int]:
    """Return the number of rows by record type, where it is known."""
    unread = {*unfit, *rows.unread}
    if any(map(is_workbook, unread)):
        return {}
    kinds = {record_type_of(name) for name in unread}
    counted = {kind: 0 for kind in manifest.record_counts if kind not in kinds}
    for file in rows.files.values():
        counted[file.record_type] = file.rows
        if not file.read_to_end:
            del counted[file.record_type]
    return counted


def _outcome(
    package: Package,
    collected: Collected,
    standard: Standard,
    *,
    manifest: Manifest | None,
    rows: Rows | None,
) -> Outcome:
    files, known = () if rows is None else tuple(rows.files.values()), standard.agencies
    verdict = _verdict(collected, files)
    report = Report(
        submission_id=None if manifest is None else str(manifest.submission_id),
        standard=standard.label,
        verdict=verdict,
        files=tuple(_count(file, collected, verdict) for file in files),
        findings=tuple(collected.findings),
        totals=dict(collected.totals),
        # Whoever is not registered may have written anything there.
        agency_id=manifest.agency_id if manifest and manifest.agency_id in known else None,
        period=None if manifest is None else (manifest.period_start, manifest.period_end),
        caseless=() if rows is None else rows.caseless(),
    )
    if rows is None or verdict == "rejected":
        return Outcome(report, manifest, {}, package=package)
    kept = _accepted(files)
    nil = verdict == "accepted" and not kept and manifest is not None and manifest.nil_return
    brought = rows.attachments()
    attachments = tuple(name for name in package.attachments if name in brought)
    return Outcome(
        report,
        manifest,
        kept,
        package=package,
        nil=nil,
        attachments=attachments,
        new_records=rows.new_records(),
    )


def _verdict(collected: Collected, files: Sequence[JudgedFile]) -> str:
    rows = sum(file.rows for file in files)
    accepted = sum(len(file.accepted) for file in files)
    if collected.rejects_package or (rows and not accepted):
        return "rejected"
    withheld = collected.totals["CT-100"]  # an attachment may go back though no row does
    return "accepted-in-part" if withheld or accepted < rows else "accepted"


def _accepted(files: Sequence[JudgedFile]) -> dict[str, AcceptedRows]:
    return {file.record_type: file.accepted for file in files if file.accepted}


def _count(file: JudgedFile, collected: Collected, verdict: str) -> FileCount:
    # Of a rejected package everything goes back, good rows too.
    accepted = 0 if verdict == "rejected" else len(file.accepted)
    return FileCount(
        name=file.name,
        record_type=file.record_type,
        rows=file.rows,
        accepted=accepted,
        returned=file.rows - accepted,
        warnings=collected.warnings[file.name],
    )
