"""An experiment: a fault of some kind under load, and then what became of the submissions.

Senders keep sending while the fault is there and gone and there again. A sender that gets no answer
sends the same bytes again, as an honest one does. When the last fault is over, one more message
says how long it takes until the gateway serves again; when nothing waits any more, every
acknowledged submission must be in its end state exactly once, sealed, and told in the log.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tests.chaos import counting
from tests.chaos.outcome import Outcome
from tests.chaos.site import Site
from tests.chaos.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Span:
    """How long faults go on, and their chances."""

    until: float
    chance: Random

    def goes_on(self) -> bool:
        """Whether there is time for another fault."""
        return time.monotonic() < self.until

    def pause(self, least: float, most: float) -> None:
        """Wait for some seconds."""
        time.sleep(self.chance.uniform(least, most))

    def next_of(self, names: Sequence[str], had: Mapping[str, int]) -> str:
        """Each in turn, in an order of chance: a short run must not miss one."""
        return min(names, key=lambda name: (had.get(name, 0), self.chance.random()))


Inflict = Callable[[Site, Traffic, Span], Counter[str]]
"""Does the harm, mends it, and says how often it did what."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """A kind of fault, and how many senders there are meanwhile."""

    inflict: Inflict
    senders: int = 3


def run(site: Site, experiment: Experiment, *, seconds: float, seed: int) -> Outcome:
    """Inflict for `seconds`, then let the gateway recover, and count."""
    traffic = Traffic(site.doors)
    span = Span(time.monotonic() + seconds, Random(seed))
    with traffic.flowing(experiment.senders):
        faults = experiment.inflict(site, traffic, span)
        ended = time.monotonic()
        traffic.deliver(site.doors.sender.message(1), site.doors.over_https)
        recovery = time.monotonic() - ended
    site.stand.close()  # its own connections may have ended with the database
    counting.await_rest(site.stand)
    drained = time.monotonic() - ended
    entries, misnumbered, mistimed = counting.mistold(site.stand)
    return Outcome(
        faults=dict(faults),
        acknowledged=len(traffic.acknowledged),
        unanswered=traffic.unanswered,
        lost=counting.lost(site.stand, traffic.acknowledged),
        duplicated=counting.duplicated(site.stand) + traffic.named_twice,
        unaudited=counting.unaudited(site.stand),
        misnumbered=misnumbered,
        mistimed=mistimed,
        entries=entries,
        recovery_seconds=round(recovery, 1),
        drained_seconds=round(drained, 1),
    )
