"""Submission rules: the manifest against the register, the calendar, what is held, and the files.

Owns CT-003 to CT-010 and CT-013 (CTDS section 8). What only the gateway knows comes through
History. An error here rejects the whole package; each rule still speaks, so that one report tells
everything.
"""

import calendar
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol
from uuid import UUID

from validators.filenames import MANIFEST_NAME
from validators.findings import Finding, finding
from validators.manifest import Manifest, incomplete
from validators.package import Package
from validators.rules.activity import Total
from validators.rules.linked import LinkedCase, Token
from validators.standard import Standard

_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_COUNTS_ONLY = "a return for a year holds counts (ACTV) and no other records"


class History(Protocol):
    """What only the gateway knows about the sender and about earlier submissions."""

    def is_registered_sender(self, agency_id: str) -> bool:
        """Tell whether this agency is active and is the one that signed."""

    def first_received(self, submission_id: str) -> date | None:
        """Return the day on which this agency's submission of this id first came (CT-008)."""

    def replaceable(self, submission_id: UUID, period: tuple[date, date]) -> bool | None:
        """Tell whether this agency has it accepted, for this period; None where nobody can know.

        This is CT-009.
        """

    def has_accepted_return(self, period_start: date, period_end: date) -> bool:
        """Tell whether this agency has an accepted return for the period (CT-010)."""

    def held(
        self, record_type: str | None, record_ids: Collection[str], *, replacing: UUID | None
    ) -> Collection[str] | None:
        """Return which of these records, of a type or of any, are held; None if nobody can know.

        Each is an id that a record can have. What is being replaced counts as not held (CT-025,
        CT-026).
        """

    def totals(self, asked: Collection[Total]) -> Mapping[Total, int]:
        """Return which of these totals this agency has sent, and what it counted (CT-094)."""

    def tells_links(self, manifest: Manifest) -> bool:
        """Tell whether the report on this package may say what other agencies know.

        Whoever can ask without being held to what they sent can find out whether a child is known.
        """

    def linked_cases(self, cases: Sequence[Sequence[Token]]) -> Sequence[Sequence[LinkedCase]]:
        """Return for each case, given by its tokens, other agencies' cases that share one of them.

        Asked about many at once, for each question takes a journey (CT-104 to CT-106).
        """


@dataclass(frozen=True, slots=True)
class SubmissionContext:
    """What a manifest is judged against."""

    standard: Standard
    received_on: date
    history: History


def check_submission(manifest: Manifest, ctx: SubmissionContext) -> Iterator[Finding]:
    """Yield the findings of every rule that needs the manifest alone."""
    for check in _CHECKS:
        yield from check(manifest, ctx)


def sender_is_registered(manifest: Manifest, ctx: SubmissionContext) -> Iterator[Finding]:
    """CT-003: on the register, active, and the holder of the key that signed."""
    agency = ctx.standard.agencies.get(manifest.agency_id)
    if agency is None or not ctx.history.is_registered_sender(manifest.agency_id):
        yield _found("CT-003", value=manifest.agency_id)
    elif agency.agency_type != manifest.agency_type:
        yield incomplete("agency_type is not the one in the register")


def period_is_calendar_period(manifest: Manifest, _ctx: SubmissionContext) -> Iterator[Finding]:
    """CT-004: one calendar month or quarter; a year only without records about children."""
    start, end = manifest.period_start, manifest.period_end
    months = _MONTHS[manifest.period_type]
    starts_well = start.day == 1 and (start.month - 1) % min(months, 3) == 0
    other_types = any(rows for kind, rows in manifest.record_counts.items() if kind != "ACTV")
    if not starts_well or end != _last_day(start, months):
        detail = f"the period is not one calendar {manifest.period_type}, as period_type says"
        yield _found("CT-004", detail=detail, given=f"{start} to {end}")
    elif months == 12 and other_types:
        yield _found("CT-004", detail=_COUNTS_ONLY)


def period_has_ended(manifest: Manifest, ctx: SubmissionContext) -> Iterator[Finding]:
    """CT-005: the last day of the period is not after the day of receipt."""
    if manifest.period_end > ctx.received_on:
        yield _found("CT-005")


def submission_is_new(manifest: Manifest, ctx: SubmissionContext) -> Iterator[Finding]:
    """CT-008: the submission_id was never used by this agency."""
    received = ctx.history.first_received(str(manifest.submission_id))
    if received is not None:
        yield _found("CT-008", value=manifest.submission_id, date=received)


def replaced_is_held(manifest: Manifest, ctx: SubmissionContext) -> Iterator[Finding]:
    """CT-009: a replacement names an accepted submission of the same period."""
    if manifest.replaces is None:
        return
    period = (manifest.period_start, manifest.period_end)
    if ctx.history.replaceable(manifest.replaces, period) is False:
        yield _found("CT-009")


def return_is_first(manifest: Manifest, ctx: SubmissionContext) -> Iterator[Finding]:
    """CT-010: no return for this period was accepted before."""
    if manifest.submission_type not in {"RETURN", "LATE"}:
        return
    if ctx.history.has_accepted_return(manifest.period_start, manifest.period_end):
        yield _found("CT-010")


def nil_is_true(manifest: Manifest, _ctx: SubmissionContext) -> Iterator[Finding]:
    """CT-013: nil_return says the same as the counts."""
    has_rows = any(manifest.record_counts.values())
    if manifest.nil_return and has_rows:
        yield _found("CT-013", detail="nil_return is true, and there are rows")
    elif not manifest.nil_return and not has_rows:
        yield _found("CT-013")


_Check = Callable[[Manifest, SubmissionContext], Iterator[Finding]]
_CHECKS: tuple[_Check, ...] = (
    sender_is_registered,
    period_is_calendar_period,
    period_has_ended,
    submission_is_new,
    replaced_is_held,
    return_is_first,
    nil_is_true,
)


def unfit_files(
    package: Package, manifest: Manifest, *, by_size: Collection[str] = ()
) -> dict[str, Finding]:
    """CT-007: return a finding for each file that is missing, unlisted or not as listed.

    Of the files `by_size` the size alone is compared: whoever reads them asks `is_as_listed` then.
    """
    present = {name for name in package.names if name != MANIFEST_NAME}
    listed = {each.name for each in manifest.files}
    unfit = present ^ listed
    sizes = {each.name: each.bytes for each in manifest.files}
    unfit |= {name for name in present & listed if package.sizes[name] != sizes[name]}
    read = (present & listed) - unfit - set(by_size)
    unfit |= {name for name in read if not is_as_listed(package, manifest, name)}
    return {name: finding("CT-007", file=name, name=name) for name in sorted(unfit)}


def is_as_listed(package: Package, manifest: Manifest, name: str) -> bool:
    """Tell whether a listed file has the checksum that the manifest gives (CT-007)."""
    listed = manifest.file(name)
    return listed is not None and package.digest(name) == listed.sha256


def counts_fit(manifest: Manifest, counted: Mapping[str, int]) -> Iterator[Finding]:
    """CT-006: what the manifest counts, in all and for each file, is what arrived.

    `counted` holds the record types whose files could be read to the end.
    """
    for kind, actual in counted.items():
        stated = {manifest.record_counts.get(kind, 0)}
        listed = (each for each in manifest.files if each.record_type == kind)
        stated |= {each.rows for each in listed if each.rows is not None}
        for expected in sorted(stated - {actual}):
            yield _found("CT-006", expected=expected, type=kind, actual=actual)


def _found(code: str, **values: object) -> Finding:
    texts = {name: str(value) for name, value in values.items()}
    return finding(code, file=MANIFEST_NAME, row=None, column=None, **texts)


def _last_day(start: date, months: int) -> date:
    if start.year == date.max.year:
        return start - timedelta(days=1)
    month = start.month + months - 1
    year, month = start.year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, calendar.monthrange(year, month)[1])
