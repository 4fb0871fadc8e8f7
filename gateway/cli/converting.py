"""What every conversion shares: the agency's facts, and the writing, checking and telling.

A conversion ends as it would end at the gateway: what it made is judged by the same rules before
anybody is told that it is done. Problems of the source are told all at once, by place.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from gateway.cli.failures import OK, REJECTED, Failure, Stop
from gateway.cli.files import write_secret
from gateway.cli.output import print_facts, print_json, say, say_table
from gateway.cli.package import naming
from gateway.cli.profile import read_profile
from gateway.cli.validate import STATUS
from validators.building import GivenFile
from validators.checking import Facts, check_files
from validators.converting.made import Addition, Conversion
from validators.converting.problems import SourceUnfit
from validators.profile import agency_of, quarter
from validators.report import Report, render_text
from validators.report.prose import outcome_of
from validators.standard import Agency, Standard, load_standard

_MOST_SHOWN = 20
_WHERE_TO_ADD = (
    "Not known from the export. Add what you know: for CASE and EXPL as columns of these names in "
    "the list of children, else in the files."
)
_ADDITIONS = ("record type", "column", "now", "which says", "rows")


@dataclass(frozen=True)
class Return:
    """The return that records are converted for."""

    standard: Standard
    facts: Facts
    agency: Agency
    now: datetime

    @classmethod
    def read(cls, profile: Path, period: str) -> "Return":
        """From the profile and the quarter; raises Failure and FactsRefused."""
        standard = load_standard()
        facts = Facts(read_profile(profile), quarter(period), further={})
        with naming(profile):
            agency = agency_of(facts.profile, standard=standard)
        return cls(standard, facts, agency, datetime.now(UTC))


@contextmanager
def problems_told(*, as_json: bool) -> Iterator[None]:
    """Around a conversion: says what is wrong with its sources, and fails."""
    try:
        yield
    except SourceUnfit as refused:
        found = refused.problems
        if as_json:
            kept = [each.to_dict() for each in found.kept]
            print_json({"problems": kept, "problem_count": found.count})
        for each in found.kept[:_MOST_SHOWN]:
            say(each.sentence())
        if found.count > _MOST_SHOWN:
            say(f"and {found.count - _MOST_SHOWN:,} more")
        raise Failure(refused.message, refused.mend, status=REJECTED) from refused


def finish(conversion: Conversion, made_for: Return, out: Path, *, as_json: bool) -> None:
    """Check the records, write them, and tell what came of it; raises Stop with the verdict."""
    files = conversion.files(made_for.standard)
    for note in conversion.notes:
        say(f"{note}.")
    if not files:
        _tell({}, conversion, None, out, standard=made_for.standard, as_json=as_json)
        raise Stop(OK)
    given = [GivenFile(name, data) for name, data in files.items()]
    report = check_files(given, made_for.facts, now=made_for.now, submission_id=uuid4())
    _write(files, out)
    _tell(files, conversion, report, out, standard=made_for.standard, as_json=as_json)
    raise Stop(STATUS[report.verdict])


def _write(files: Mapping[str, bytes], out: Path) -> None:
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Looked at before the first is written: half a folder of the old and half of the new is worse.
    if any(out.iterdir()):
        raise Failure(
            f"{out} is not empty.", "Nothing is ever overwritten: name a new folder with --out."
        )
    for name, data in files.items():
        write_secret(out / name, data)


def _tell(
    files: Mapping[str, bytes],
    conversion: Conversion,
    report: Report | None,
    out: Path,
    *,
    standard: Standard,
    as_json: bool,
) -> None:
    counts = {kind: len(rows) for kind, rows in conversion.records.items() if rows}
    verdict = None if report is None else report.verdict
    if as_json:
        print_json(_document(files, conversion, report, out))
    else:
        print_facts({"folder": str(out) if files else None, **counts, "verdict": verdict})
    if conversion.additions:
        say(_WHERE_TO_ADD)
        say_table(_ADDITIONS, [_addition(each, standard) for each in conversion.additions])
    if report is None:
        say("There is nothing to write.")
        return
    say("Checked as the gateway will:")
    say(outcome_of(report) if report.verdict == "accepted" else render_text(report))
    if report.verdict == "accepted" and report.totals:
        warned = sum(report.totals.values())
        say(f"To check: {warned:,}. `gateway validate` lists them.")


def _addition(each: Addition, standard: Standard) -> tuple[str, ...]:
    """A row of the table of what is to be added, with the code in words."""
    names = (*standard.records[each.record_type].field(each.column).codelists, "CL_SENTINEL")
    labels = (standard.codelists[name].items.get(each.value) for name in names)
    said = next(filter(None, labels), "")
    return (each.record_type, each.column, each.value, said, f"{each.rows:,}")


def _document(
    files: Mapping[str, bytes], conversion: Conversion, report: Report | None, out: Path
) -> dict[str, Any]:
    return {
        "folder": str(out) if files else None,
        "files": sorted(files),
        "records": {kind: len(rows) for kind, rows in conversion.records.items() if rows},
        "to_add": [
            {
                "record_type": each.record_type,
                "column": each.column,
                "value": each.value,
                "rows": each.rows,
            }
            for each in conversion.additions
        ],
        "notes": list(conversion.notes),
        "verdict": None if report is None else report.verdict,
        "totals": {} if report is None else dict(report.totals),
    }
