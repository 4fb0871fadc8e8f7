"""How findings of a replay are said: to a machine each, to a person not all of a thousand."""

from collections.abc import Sequence
from typing import Any

from audit.counters import CounterFinding
from audit.replay import Finding
from gateway.cli.output import some_of


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """A line each, up to a number that can be read, and then how many there are."""
    lines = [f"entry {each.index}: {each.code}, {_said(each)}" for each in findings]
    return some_of(lines, "findings in all")


def finding_facts(finding: Finding) -> dict[str, Any]:
    """A finding for JSON."""
    facts = {"entry": finding.index, "code": finding.code}
    if not isinstance(finding, CounterFinding):
        return {**facts, "seconds": finding.seconds}
    return {
        **facts,
        "agency": finding.agency,
        "expected": finding.expected,
        "counter": finding.counter,
    }


def _said(finding: Finding) -> str:
    if not isinstance(finding, CounterFinding):
        return f"by {finding.seconds:.0f} seconds"
    found = "no number" if finding.counter is None else f"number {finding.counter}"
    if finding.agency is None:
        return found
    expected = "one" if finding.expected is None else finding.expected
    return f"{finding.agency}: {found} where {expected} was next"
