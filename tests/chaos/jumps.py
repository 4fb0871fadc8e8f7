"""Clocks that jump by a day, of one process or of all of them at once, and come back.

All the while somebody tries a token that ended before the experiment began: it must be accepted by
no clock, also not by one of yesterday.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

import requests

from gateway.records import Role
from tests.chaos.experiment import Span
from tests.chaos.site import Site
from tests.chaos.traffic import Traffic
from tests.gateway.stand import POLICE

JUMPS = ("+1d", "-1d")
ALL = "all"
SEEN_SECONDS = 1.2
"""After this a process has seen the jump."""


def jump(site: Site, traffic: Traffic, span: Span) -> Counter[str]:
    """Each clock a day ahead and a day behind, in turn."""
    del traffic
    jumps: Counter[str] = Counter()
    each = [f"{name} {offset}" for name in site.processes.names for offset in JUMPS]
    together = [f"{ALL} {offset}" for offset in JUMPS]
    with _intruder(site):
        while span.goes_on():
            first = [case for case in together if case not in jumps]
            case = span.next_of(first or together + each, jumps)
            name, _, offset = case.partition(" ")
            moved = site.processes.names if name == ALL else [name]
            for process in moved:
                site.clocks.set(process, offset)
            span.pause(SEEN_SECONDS, 2 * SEEN_SECONDS)
            for process in moved:
                site.clocks.set(process, "+0")
            jumps[case] += 1
            span.pause(0.2, SEEN_SECONDS)
    return jumps


@contextmanager
def _intruder(site: Site) -> Iterator[None]:
    """Somebody with a token that has ended, who tries it all the time."""
    token = site.stand.token(Role.SUBMITTER, agency_id=POLICE, valid_for=timedelta(milliseconds=1))
    stop, got_in = Event(), []

    def try_on_and_on() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        while not stop.wait(0.1):
            try:
                answer = requests.get(
                    f"{site.processes.url}/v1/submissions", headers=headers, timeout=20
                )
            except requests.RequestException:
                continue
            if answer.status_code not in (401, 503):
                got_in.append(answer.status_code)

    thread = Thread(target=try_on_and_on)
    time.sleep(0.01)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if got_in:
        raise AssertionError(f"a token that had ended was answered: {got_in[:3]}")
