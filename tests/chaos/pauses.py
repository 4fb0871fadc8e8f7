"""A worker that stands still until the others have given it up, and then goes on where it stood."""

import time
from collections import Counter

import psycopg

from gateway.embedded import EmbeddedServers
from gateway.store.database import IDLE_SECONDS
from gateway.worker import STALLED_SECONDS, SWEEP_SECONDS
from tests.chaos.experiment import Span
from tests.chaos.site import Site
from tests.chaos.traffic import Traffic

WORKERS = ("worker-0", "worker-1")
GIVEN_UP_SECONDS = STALLED_SECONDS + SWEEP_SECONDS + 1.0
"""After this nothing changes any more, be it a minute or an hour: its jobs are another's."""

MIDWAY = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gateway'"
    " AND state = 'idle in transaction' AND state_change < now() - make_interval(secs => %s)"
)
"""Whoever stands still in the middle of a transaction, holding what it has locked."""

GLANCE_SECONDS, LOOK_SECONDS = 0.1, 1.0
"""On a busy machine also those who are not stopped may stand in a transaction for a moment."""


def pause(site: Site, traffic: Traffic, span: Span) -> Counter[str]:
    """Each worker in turn, wherever it stands; the other one goes on."""
    pauses: Counter[str] = Counter()
    while span.goes_on() or not pauses:
        worker = span.next_of(WORKERS, pauses)
        _stand_still(site, traffic, worker, GIVEN_UP_SECONDS)
        pauses[worker] += 1
        span.pause(0.5, 2.0)
    return pauses


def pause_midway(site: Site, traffic: Traffic, span: Span) -> Counter[str]:
    """The same in the middle of a transaction, where it holds rows that others wait for."""
    pauses: Counter[str] = Counter()
    while not pauses:
        worker = span.chance.choice(WORKERS)
        site.processes.pause(worker)
        if all(_midway(site.servers, seconds) for seconds in (GLANCE_SECONDS, LOOK_SECONDS)):
            _stand_still(site, traffic, worker, IDLE_SECONDS + GIVEN_UP_SECONDS)
            pauses[f"{worker}-midway"] += 1
        site.processes.resume(worker)
        span.pause(0.0, 0.1)
    return pauses


def _stand_still(site: Site, traffic: Traffic, worker: str, seconds: float) -> None:
    """What is sent meanwhile must be acknowledged meanwhile."""
    site.processes.pause(worker)
    try:
        time.sleep(seconds)
        traffic.deliver(site.doors.sender.message(1), site.doors.over_https)
    finally:
        site.processes.resume(worker)


def _midway(servers: EmbeddedServers, seconds: float) -> bool:
    """Whether anybody stands so for some seconds, from now on."""
    time.sleep(1.2 * seconds)
    address = servers.postgres.admin_url.replace("+psycopg", "", 1)
    with psycopg.connect(address, autocommit=True) as superuser:
        row = superuser.execute(MIDWAY, [seconds]).fetchone()
        return row is not None and bool(row[0])
