"""The findings of one run, held within bounds and counted in full.

Ten million bad rows must not become ten million findings in memory: beyond the caps a finding is
counted by its rule and dropped. Warnings may fill half of the room, and what rejects the package is
always kept, so that no report says "rejected" without saying why.

Every finding of a run passes here, and is told as the version of the standard tells it that the
package is judged by. A rule that this version does not have says nothing.
"""

from collections import Counter
from collections.abc import Iterable

from validators.findings import Finding
from validators.standard import Standard

MOST_OF_A_RULE = 1_000
MOST_IN_ALL = 10_000
_MOST_WARNINGS = MOST_IN_ALL // 2


class Collected:
    """Findings in the order found, under one version of the standard."""

    def __init__(self, standard: Standard) -> None:
        self._standard = standard
        self.findings: list[Finding] = []
        self.totals: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.rejects_package = False

    def add(self, found: Finding) -> bool:
        """Keep a finding if there is room, count it in any case; tell whether it is an error."""
        if found.rule not in self._standard.rules:
            return False
        found = found.under(self._standard)
        self.totals[found.rule] += 1
        if found.severity == "error":
            self.rejects_package |= found.level == "submission"
        elif found.file is not None:
            self.warnings[found.file] += 1
        if self._has_room(found):
            self.findings.append(found)
        return found.severity == "error"

    def add_all(self, found: Iterable[Finding]) -> bool:
        """Add several findings; tell whether one of them is an error."""
        return sum(self.add(each) for each in found) > 0

    def _has_room(self, found: Finding) -> bool:
        if self.totals[found.rule] > MOST_OF_A_RULE:
            return False
        most = MOST_IN_ALL if found.severity == "error" else _MOST_WARNINGS
        return found.level == "submission" or len(self.findings) < most
