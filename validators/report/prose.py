"""A report in plain sentences for a busy case worker: the outcome first, then what to mend.

Plain text only, no escape sequences; values were made harmless when their findings were made.
"""

import textwrap
from collections.abc import Iterator, Sequence

from validators.filenames import spoken
from validators.report.groups import Group, grouped, row_ranges
from validators.report.outcome import FileCount, Report, standard_named
from validators.rules.group import Place

_LEAST_WIDTH = 40


def render_text(report: Report, width: int = 80) -> str:
    """Return the report as text; lines are at most `width` wide where words allow."""
    width = max(width, _LEAST_WIDTH)
    return "\n".join(_lines(report, width)) + "\n"


def _lines(report: Report, width: int) -> Iterator[str]:
    yield from textwrap.wrap(outcome_of(report), width)
    for line in identity(report):
        yield from textwrap.wrap(line, width)
    if report.files:
        yield ""
        yield from _table(report.files)
    for title, groups in sections(report):
        yield from _section(title, groups, width)
    yield from _closing(report, width)


def outcome_of(report: Report) -> str:
    """Return the verdict in a sentence or two: what became of the rows, and what to do next."""
    rows = sum(file.rows for file in report.files)
    accepted = sum(file.accepted for file in report.files)
    returned = rows - accepted
    those = "it" if returned == 1 else "them"
    if report.verdict == "rejected" and report.sent:
        return (
            "REJECTED. Nothing was accepted. Mend what is listed below, then make the package "
            "again and send it."
        )
    if report.verdict == "rejected":
        return "REJECTED. Nothing would be accepted. Mend what is listed below, and check again."
    if report.verdict == "accepted":
        return f"ACCEPTED. {f'{_counted(rows, report)} accepted.' if rows else _nothing(report)}"
    said = f"ACCEPTED IN PART. {accepted:,} of {_counted(rows, report)} accepted. {returned:,} "
    if report.sent:
        return f"{said}went back: mend {those} and send the package again as a replacement."
    return f"{said}would go back: mend {those}, and check again."


def identity(report: Report) -> list[str]:
    """Return what the report is about, a line each: whose return, which package, which standard."""
    return list(_identity(report))


def _identity(report: Report) -> Iterator[str]:
    if report.agency_id is not None and report.period is not None:
        agency = standard_named(report.standard).agencies.get(report.agency_id)
        name = report.agency_id if agency is None else f"{agency.name} ({report.agency_id})"
        first, last = report.period
        yield f"{name}, {first.day} {first:%B %Y} to {last.day} {last:%B %Y}"
    if report.submission_id is not None:
        yield f"Package {report.submission_id}"
    yield f"Checked against {report.standard}"


def _nothing(report: Report) -> str:
    if "CT-013" in report.totals:  # it does not say that it is a nil return
        return "There were no rows."
    is_nil = "This is" if report.sent else "This would be"
    return f"There were no rows. {is_nil} a nil return: it says that you have nothing to report."


def _table(files: Sequence[FileCount]) -> Iterator[str]:
    names = [spoken(file.name) for file in files]
    longest = max(4, *map(len, names))
    heads = ("Rows", "Accepted", "Returned", "Warnings")
    yield "  ".join(["File".ljust(longest), *(head.rjust(9) for head in heads)])
    for name, file in zip(names, files, strict=True):
        counts = (file.rows, file.accepted, file.returned, file.warnings)
        yield "  ".join([name.ljust(longest), *(f"{count:,}".rjust(9) for count in counts)])


def sections(report: Report) -> list[tuple[str, list[Group]]]:
    """Return the groups of findings under their titles: what to mend first."""
    errors = [found for found in report.findings if found.severity == "error"]
    warnings = [found for found in report.findings if found.severity != "error"]
    titled = (("To mend", errors), ("To check (accepted as it is)", warnings))
    return [(title, grouped(findings)) for title, findings in titled if findings]


def _section(title: str, groups: Sequence[Group], width: int) -> Iterator[str]:
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
    mend = f"{group.mend} ({group.first.rule})"
    yield from _wrapped(mend, width, first=f"{indent}> ", rest=f"{indent}  ")


def remarks(report: Report) -> str:
    """Return what is to be said beside the findings: what is not listed, and what stays open."""
    return " ".join(_remarks(report))


def _remarks(report: Report) -> Iterator[str]:
    parts = ", ".join(f"{number:,} of {rule}" for rule, number in sorted(report.omitted.items()))
    if parts:
        yield f"Counted but not listed, as there are too many: {parts}."
    if report.caseless:
        count = len(report.caseless)
        rows = "1 row names a case" if count == 1 else f"{count:,} rows name a case"
        yield (
            f"Not known here: {rows} (case_id) that is not in this return: "
            f"{'; '.join(_places(report.caseless))}. The gateway takes them if it holds the case "
            "from an earlier return, and gives them back if not (CT-026)."
        )


def _places(rows: Sequence[Place]) -> Iterator[str]:
    by_file: dict[str, list[int]] = {}
    for place in rows:
        by_file.setdefault(place.file, []).append(place.row)
    for file, numbers in by_file.items():
        yield f"{spoken(file)}, {row_ranges(numbers)}"


def _closing(report: Report, width: int) -> Iterator[str]:
    if said := remarks(report):
        yield ""
        yield from textwrap.wrap(said, width)


def _wrapped(text: str, width: int, *, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _counted(number: int, report: Report) -> str:
    rows = "1 row" if number == 1 else f"{number:,} rows"
    if not report.sent:
        return f"{rows} would be"
    return f"{rows} was" if number == 1 else f"{rows} were"
