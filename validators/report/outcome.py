"""The report on one submission: verdict, counts by file, findings.

Owns what the agency reads and what the gateway keeps of it: the full report goes to the agency
alone, `redacted()` is the form to store and to show. Counts are honest: `totals` counts every
breach, also those beyond the number of findings that a report holds, and `omitted` says how many.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from validators.findings import Finding
from validators.rules.group import Place
from validators.standard import Standard, load_standard, load_standards


@dataclass(frozen=True, slots=True)
class FileCount:
    """What became of the rows of one file; `warnings` counts findings, not rows."""

    name: str
    record_type: str
    rows: int
    accepted: int
    returned: int
    warnings: int


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one submission; verdict is accepted, accepted-in-part or rejected.

    `agency_id` and `period`, its first and last day, are None where no manifest could be believed.
    `sent` is False where it was only checked, and nothing became of it. `caseless` are the rows
    about a case that did not come with them, where nobody knows what is held: offline alone.
    """

    submission_id: str | None
    standard: str
    verdict: str
    files: tuple[FileCount, ...]
    findings: tuple[Finding, ...]
    totals: Mapping[str, int]
    agency_id: str | None = None
    period: tuple[date, date] | None = None
    sent: bool = True
    caseless: tuple[Place, ...] = ()

    @property
    def omitted(self) -> dict[str, int]:
        """By rule, how many breaches were counted and are not among the findings."""
        listed = Counter(found.rule for found in self.findings)
        rest = {rule: total - listed[rule] for rule, total in self.totals.items()}
        return {rule: number for rule, number in rest.items() if number > 0}

    def redacted(self) -> "Report":
        """Return the report without anything that the sender wrote."""
        return replace(self, findings=tuple(found.redacted() for found in self.findings))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able facts."""
        return {
            "submission_id": self.submission_id,
            "agency_id": self.agency_id,
            "period": None if self.period is None else [day.isoformat() for day in self.period],
            "sent": self.sent,
            "standard": self.standard,
            "verdict": self.verdict,
            "files": [asdict(file) for file in self.files],
            "findings": [found.to_dict() for found in self.findings],
            "totals": dict(self.totals),
            "omitted": self.omitted,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "Report":
        """Return the report that `to_dict` described; further keys are ignored.

        Findings are told by the version that was judged by, where it is carried here.
        """
        standard = standard_named(raw["standard"])
        period = [date.fromisoformat(day) for day in raw["period"] or ()]
        return cls(
            submission_id=raw["submission_id"],
            standard=raw["standard"],
            verdict=raw["verdict"],
            files=tuple(FileCount(**file) for file in raw["files"]),
            findings=tuple(Finding.from_dict(each, standard) for each in raw["findings"]),
            totals=dict(raw["totals"]),
            agency_id=raw["agency_id"],
            period=(period[0], period[1]) if period else None,
            sent=raw["sent"],
        )


def standard_named(label: str) -> Standard:
    """Return the version of this label, or the newest where it is not carried here."""
    versions = load_standards().values()
    return next((each for each in versions if each.label == label), load_standard())
