"""The published counts as the returns that agencies would have sent, and their sums.

One return is what one agency counted in one quarter. Each record gets a new random id and the
agency's own area; everything else is as published.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

from validators.areas import own_area
from validators.standard import Standard

COUNTS = Path(__file__).parent / "data" / "nrm_activity_2022q2_2023q3.csv"

Sums = Counter[tuple[str, str, str]]
"""Children by first day of the quarter, exploitation type and sex."""


@dataclass(frozen=True, slots=True)
class Return:
    """What one agency counted in one quarter."""

    agency_id: str
    period_start: str
    period_end: str
    rows: tuple[Mapping[str, str], ...]

    def records(self, standard: Standard) -> list[dict[str, Any]]:
        """The rows as ACTV records of this agency."""
        agency = standard.agencies.get(self.agency_id)
        area = "UK" if agency is None else own_area(agency)
        return [self._record(row, area) for row in self.rows]

    def _record(self, row: Mapping[str, str], area: str) -> dict[str, Any]:
        sent = {name: value for name, value in row.items() if name != "agency_id"}
        return {**sent, "area": area, "record_id": str(uuid4())}


def published_returns() -> list[Return]:
    """Every agency's every quarter, in order."""

    with COUNTS.open(encoding="utf-8", newline="") as table:
        rows = sorted(csv.DictReader(table), key=_quarter)
    return [Return(*key, tuple(group)) for key, group in groupby(rows, _quarter)]


def _quarter(row: Mapping[str, str]) -> tuple[str, str, str]:
    return row["agency_id"], row["period_start"], row["period_end"]


def sums(rows: Iterable[Mapping[str, Any]]) -> Sums:
    """Children by quarter, exploitation type and sex."""
    total: Sums = Counter()
    for row in rows:
        total[row["period_start"], row["exploitation_type"], row["sex"]] += int(row["count"])
    return total
