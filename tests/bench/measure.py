"""What every benchmark shares: the line that is printed, and the memory that was used."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal


@dataclass(frozen=True)
class Line:
    """One measurement against something real, in the form of all `make bench` targets."""

    case: str
    against: str
    ours: float
    theirs: float
    unit: str
    better: Literal["higher", "lower"]
    target: float
    peak_mb: float

    def to_json(self) -> str:
        """One JSON object; `ratio` is ours to theirs, and `target` is what it should reach."""
        ratio = self.ours / self.theirs
        met = ratio >= self.target if self.better == "higher" else ratio <= self.target
        return json.dumps(
            {
                "case": self.case,
                "against": self.against,
                "ours": round(self.ours, 3),
                "theirs": round(self.theirs, 3),
                "unit": self.unit,
                "ratio": round(ratio, 3),
                "target": f"{'>=' if self.better == 'higher' else '<='} {self.target}",
                "met": met,
                "peak_mb": round(self.peak_mb, 1),
            }
        )


def middle(values: Iterable[float]) -> float:
    """The median."""
    return median(values)


def peak_mb(pids: Iterable[int]) -> float:
    """The sum of the highest resident memory of each process and its children so far, in MB."""
    return sum(_high_water(pid) for parent in pids for pid in (parent, *_children(parent))) / 1024


def _high_water(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def _children(pid: int) -> list[int]:
    names = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(name) for name in names]
