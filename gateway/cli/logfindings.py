"""How findings of a replay are said to a person: not all of a thousand."""

from collections.abc import Sequence

from audit.times import TimeFinding

MOST_SAID = 20


def finding_lines(findings: Sequence[TimeFinding]) -> list[str]:
    """A line each, up to a number that can be read, and then how many there are."""
    lines = [
        f"entry {finding.index}: {finding.code}, by {finding.seconds:.0f} seconds"
        for finding in findings[:MOST_SAID]
    ]
    if len(findings) > MOST_SAID:
        lines.append(f"{len(findings)} findings in all")
    return lines
