"""Which field of other standards and forms each field comes from or goes to, row by row.

The data is `mappings.csv`, made once from the column "Maps to" of section 4 and the worked mappings
of section 9, and kept by hand since. A test holds it to that column. A mapping to a concept, as for
IC-TIP, names the concept.
"""

import csv
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from io import StringIO

FILE_NAME = "mappings.csv"

TARGETS = {
    "HTCDS": "IOM Human Trafficking Case Data Standard 2.0",
    "NRM_FORM": "Home Office NRM referral form",
    "NRM_STATS": "Home Office NRM statistics",
    "SSDA903": "DfE children looked after return (SSDA903)",
    "CIN": "DfE children in need census",
    "CTDC": "Counter Trafficking Data Collaborative, 2017 and 2024",
    "UKDS_8910": "UK Data Service SN 8910",
    "IC_TIP": "IC-TIP, at the level of concepts",
    "OTHER": "Other sources",
}
"""What the codes of the column `target` stand for."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """One field and its nearest counterpart elsewhere; `target_field` is blank if there is none."""

    record_type: str
    field: str
    target: str
    target_field: str
    note: str


def read_mappings(folder: Traversable) -> tuple[Mapping, ...]:
    """Return the mappings of a version, in the order of its fields."""
    text = (folder / FILE_NAME).read_text(encoding="utf-8")
    return tuple(Mapping(**row) for row in csv.DictReader(StringIO(text, newline="")))
