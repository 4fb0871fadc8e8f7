"""The findings of one run, held within bounds and counted in full.

Ten million bad rows must not become ten million findings in memory: beyond the caps a finding is
counted by its rule and dropped. Warnings may fill half of the room, and what rejects the package is
always kept, so that no report says "rejected" without saying why.
"""

from collections import Counter
from collections.abc import Iterable

from validators.findings import Finding

MOST_OF_A_RULE = 1_000
MOST_IN_ALL = 10_000
_MOST_WARNINGS = MOST_IN_ALL // 2


class Collected:
    """Findings in the order found."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.totals: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.rejects_package = False

    def add(self, found: Finding) -> None:
        """Keep a finding if there is room, and count it in any case."""
        self.totals[found.rule] += 1
        if found.severity == "error":
            self.rejects_package |= found.level == "submission"
        elif found.file is not None:
            self.warnings[found.file] += 1
        if self._has_room(found):
            self.findings.append(found)

    def add_all(self, found: Iterable[Finding]) -> None:
        """Add several findings."""
        for each in found:
            self.add(each)

    def _has_room(self, found: Finding) -> bool:
        if self.totals[found.rule] > MOST_OF_A_RULE:
            return False
        most = MOST_IN_ALL if found.severity == "error" else _MOST_WARNINGS
        return found.level == "submission" or len(self.findings) < most
