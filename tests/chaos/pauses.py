"""A worker that stands still until the others have given it up, and then goes on where it stood."""

import time
from collections import Counter

from gateway.worker import STALLED_SECONDS, SWEEP_SECONDS
from tests.chaos.experiment import Span
from tests.chaos.site import Site
from tests.chaos.traffic import Traffic

WORKERS = ("worker-0", "worker-1")
GIVEN_UP_SECONDS = STALLED_SECONDS + SWEEP_SECONDS + 1.0
"""After this nothing changes any more, be it a minute or an hour: its jobs are another's."""


def pause(site: Site, traffic: Traffic, span: Span) -> Counter[str]:
    """Each worker in turn, the other one going on."""
    del traffic
    pauses: Counter[str] = Counter()
    while span.goes_on() or not pauses:
        worker = span.next_of(WORKERS, pauses)
        site.processes.pause(worker)
        try:
            time.sleep(GIVEN_UP_SECONDS)
        finally:
            site.processes.resume(worker)
        pauses[worker] += 1
        span.pause(0.5, 2.0)
    return pauses
