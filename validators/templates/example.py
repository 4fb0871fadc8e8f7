"""The example: an invented return of one local authority for the first quarter of 2026.

It lies beside the standard, one CSV file for each record type, and is published with it. No child,
date or number in it is anybody's.
"""

import csv
from collections.abc import Mapping
from io import StringIO

from validators.standard import Standard, data_folder


def example_rows(standard: Standard) -> Mapping[str, list[dict[str, str]]]:
    """Return the rows of every record type, with the columns that are filled in."""
    folder = data_folder(standard) / "example"
    return {kind: _rows((folder / f"{kind}.csv").read_text("utf-8")) for kind in standard.records}


def _rows(text: str) -> list[dict[str, str]]:
    rows = csv.DictReader(StringIO(text, newline=""))
    return [{name: cell for name, cell in row.items() if cell} for row in rows]
