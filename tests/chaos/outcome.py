"""What an experiment counted, and when that is good."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """One experiment. Of what is in `MUST_BE_NONE` there must be none."""

    faults: dict[str, int]
    acknowledged: int
    unanswered: int
    lost: int
    duplicated: int
    unaudited: int
    misnumbered: int
    mistimed: int
    entries: int
    recovery_seconds: float
    """From the last fault until what a sender begins to send then is acknowledged."""
    drained_seconds: float
    """From the last fault until nothing waits any more: no sender, no submission, no entry."""

    def to_json(self, case: str) -> str:
        """One line of `make chaos`."""
        return json.dumps({"case": case, **asdict(self)})

    @property
    def harm(self) -> dict[str, int]:
        """What there must be none of, where there is some."""
        return {name: count for name in MUST_BE_NONE if (count := getattr(self, name))}

    @property
    def sound(self) -> bool:
        """Whether no harm was done, and something was tried at all."""
        return not self.harm and self.acknowledged > 0 and bool(self.faults)


MUST_BE_NONE = ("lost", "duplicated", "unaudited", "misnumbered", "mistimed")
