"""CASE rows to measure on: like those of a return, each child another, two in a hundred bad."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from tests.validators import samples
from validators.standard import load_standard

STANDARD = load_standard()
HEADER = list(STANDARD.records["CASE"].header)
_MODELS = 5_000
_BAD = (("sex", "X"), ("identification_date", "2026-02-30"), ("age_at_referral", "seventeen"))


def write_cases(path: Path, rows: int, *, bad_in_100: int) -> None:
    """Write a CSV file of amended cases: alone, a new case would miss its exploitation."""
    source = random.Random(rows)
    models = samples.children(_MODELS)["CASE"]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, HEADER, restval="", lineterminator="\r\n")
        writer.writeheader()
        for number, row in enumerate(_cases(models, rows, source)):
            if number % 100 < bad_in_100:
                column, value = _BAD[number % len(_BAD)]
                row[column] = value
            writer.writerow(row)


def _cases(
    models: list[dict[str, str]], rows: int, source: random.Random
) -> Iterator[dict[str, str]]:
    for number in range(rows):
        row = dict(models[number % len(models)])
        row["record_id"] = str(UUID(int=source.getrandbits(128), version=4))
        row["record_action"] = "AMEND"
        row["person_ref"] = f"P-{source.getrandbits(64):016x}"
        row |= {
            name: f"{source.getrandbits(256):064x}"
            for name in row
            if name.startswith("lt_") and row[name]
        }
        yield row
