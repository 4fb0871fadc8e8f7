"""A report in plain sentences for a busy case worker: the outcome first, then what to mend.

Plain text only, no escape sequences; values were made harmless when their findings were made.
"""

import textwrap
from collections.abc import Iterator, Sequence

from validators.findings import Finding
from validators.report.groups import Group, grouped
from validators.report.outcome import FileCount, Report

_LEAST_WIDTH = 40


def render_text(report: Report, width: int = 80) -> str:
    """Return the report as text; lines are at most `width` wide where words allow."""
    width = max(width, _LEAST_WIDTH)
    return "\n".join(_lines(report, width)) + "\n"


def _lines(report: Report, width: int) -> Iterator[str]:
    yield from textwrap.wrap(_outcome(report), width)
    yield from _identity(report)
    if report.files:
        yield ""
        yield from _table(report.files)
    errors = [found for found in report.findings if found.severity == "error"]
    warnings = [found for found in report.findings if found.severity != "error"]
    yield from _section("To mend", errors, width)
    yield from _section("To check (accepted as it is)", warnings, width)
    yield from _omitted(report, width)


def _outcome(report: Report) -> str:
    rows = sum(file.rows for file in report.files)
    accepted = sum(file.accepted for file in report.files)
    if report.verdict == "rejected":
        return (
            "REJECTED. Nothing was accepted. Mend what is listed below, then send the whole "
            "package again under a new submission_id."
        )
    if report.verdict == "accepted":
        said = f"{_counted(rows, 'row')} accepted." if rows else "There were no rows."
        return f"ACCEPTED. {said}"
    returned = rows - accepted
    return (
        f"ACCEPTED IN PART. {accepted:,} of {_counted(rows, 'row')} accepted. {returned:,} went "
        f"back: mend {'it' if returned == 1 else 'them'} and send the package again as a "
        "replacement."
    )


def _identity(report: Report) -> Iterator[str]:
    if report.submission_id is not None:
        yield f"Submission {report.submission_id}"
    yield f"Checked against {report.standard}"


def _table(files: Sequence[FileCount]) -> Iterator[str]:
    longest = max(4, *(len(file.name) for file in files))
    heads = ("Rows", "Accepted", "Returned", "Warnings")
    yield "  ".join(["File".ljust(longest), *(head.rjust(9) for head in heads)])
    for file in files:
        counts = (file.rows, file.accepted, file.returned, file.warnings)
        yield "  ".join([file.name.ljust(longest), *(f"{count:,}".rjust(9) for count in counts)])


def _section(title: str, findings: Sequence[Finding], width: int) -> Iterator[str]:
    groups = grouped(findings)
    if not groups:
        return
    yield ""
    yield title
    yield "-" * len(title)
    for number, group in enumerate(groups, start=1):
        yield ""
        yield from _entry(f"{number}. ", group, width)


def _entry(number: str, group: Group, width: int) -> Iterator[str]:
    indent = " " * len(number)
    place = group.place or "The submission"
    count = len(group.findings)
    head = f"{place} ({count:,} times)" if count > 1 else place
    yield from _wrapped(head, width, first=number, rest=indent)
    yield from _wrapped(group.message, width, first=indent, rest=indent)
    if group.values:
        yield from _wrapped(f"Found: {group.values}.", width, first=indent, rest=indent)
    mend = f"{group.first.mend} ({group.first.rule})"
    yield from _wrapped(mend, width, first=f"{indent}> ", rest=f"{indent}  ")


def _omitted(report: Report, width: int) -> Iterator[str]:
    omitted = report.omitted
    if not omitted:
        return
    parts = ", ".join(f"{number:,} of {rule}" for rule, number in sorted(omitted.items()))
    yield ""
    yield from textwrap.wrap(f"Counted but not listed, as there are too many: {parts}.", width)


def _wrapped(text: str, width: int, *, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun} was" if number == 1 else f"{number:,} {noun}s were"
