"""Counts on their way into ACTV: rows that count the same are added up, and told apart by a key.

A count that is not exact is not made exact by adding to it: of a sum one part of which is
suppressed nothing is known, and it is sent as suppressed.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

ACTUAL, ESTIMATE, SUPPRESSED = "ACTUAL", "ESTIMATE", "SUPPRESSED"
NOT_AVAILABLE, NOT_APPLICABLE = "NOT_AVAILABLE", "NOT_APPLICABLE"
TOTAL = "TOTAL"
_WEAKEST_FIRST = (SUPPRESSED, NOT_AVAILABLE, NOT_APPLICABLE, ESTIMATE, ACTUAL)

# Symbols of the Government Statistical Service, and what tables used before them.
_SYMBOLS = {
    "[c]": SUPPRESSED,
    "c": SUPPRESSED,
    "*": SUPPRESSED,
    "[x]": NOT_AVAILABLE,
    "..": NOT_AVAILABLE,
    ":": NOT_AVAILABLE,
    "[z]": NOT_APPLICABLE,
    ".": NOT_APPLICABLE,
}
_LESS_THAN = re.compile(r"(?:<|less than|fewer than) ?[0-9]{1,3}", re.IGNORECASE)
_NUMBER = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,7})(?:\.0+)?( ?\[(?:e|p|r)\])?")
_MOST = 1_000_000


class Key(NamedTuple):
    """What tells one count of a measure and period from another."""

    age_band: str
    sex: str
    exploitation_type: str
    nationality: str

    @property
    def is_whole(self) -> bool:
        """Whether nothing in it is a total, so that it can be a part of one."""
        return TOTAL not in self


@dataclass(frozen=True, slots=True)
class Amount:
    """How many, or why that is not said."""

    count: int | None
    status: str

    def __add__(self, other: "Amount") -> "Amount":
        status = min(self.status, other.status, key=_WEAKEST_FIRST.index)
        if self.count is None or other.count is None:
            return Amount(None, status)
        return Amount(self.count + other.count, status)


def amount(cell: str) -> Amount | None:
    """Return what a cell says, or None for what is neither a number nor a known symbol."""
    text = cell.strip()
    if (status := _SYMBOLS.get(text.casefold())) is not None:
        return Amount(None, status)
    if _LESS_THAN.fullmatch(text):
        return Amount(None, SUPPRESSED)
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    count = int(found[1].replace(",", ""))
    estimated = (found[2] or "").strip() == "[e]"
    return Amount(count, ESTIMATE if estimated else ACTUAL) if count <= _MOST else None
