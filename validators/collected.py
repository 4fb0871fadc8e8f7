"""The findings of one run, held within bounds and counted in full.

Ten million bad rows must not become ten million findings in memory: beyond the caps a finding is
counted by its rule and dropped. Warnings may fill half of the room, and what rejects the package is
always kept, so that no report says "rejected" without saying why.

Every finding of a run passes here, and is told as the version of the standard tells it that the
package is judged by. A rule that this version does not have says nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from validators.findings import Finding
from validators.rules.group import Place, finding_at
from validators.standard import RuleText, Standard

Values = Mapping[str, object]

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
        rule = self._standard.rules.get(found.rule)
        if rule is None:
            return False
        if self._count(rule, found.file):
            self.findings.append(found.under(self._standard))
        return rule.severity == "error"

    def add_at(self, code: str, place: Place, column: str | None, values: Values) -> bool:
        """Do the same with a finding about a row, which is made only if there is room."""
        rule = self._standard.rules.get(code)
        if rule is None:
            return False
        if self._count(rule, place.file):
            self.findings.append(finding_at(code, place, column, values).under(self._standard))
        return rule.severity == "error"

    def add_all(self, found: Iterable[Finding]) -> bool:
        """Add several findings; tell whether one of them is an error."""
        return sum(self.add(each) for each in found) > 0

    def _count(self, rule: RuleText, file: str | None) -> bool:
        """Count a breach of this rule; tell whether there is room for the finding."""
        self.totals[rule.code] += 1
        if rule.severity == "error":
            self.rejects_package |= rule.level == "submission"
        elif file is not None:
            self.warnings[file] += 1
        if self.totals[rule.code] > MOST_OF_A_RULE:
            return False
        most = MOST_IN_ALL if rule.severity == "error" else _MOST_WARNINGS
        return rule.level == "submission" or len(self.findings) < most
