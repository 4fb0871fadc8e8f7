"""Faults of the database: restarted in good order, and out of connections."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg

from gateway.embedded import EmbeddedServers
from tests.chaos.experiment import Span
from tests.chaos.site import Site
from tests.chaos.traffic import Traffic

END_ALL = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s"
)
GATEWAY = "gateway"
"""What the gateway's connections call themselves; those of its queue say nothing."""


def restart(site: Site, traffic: Traffic, span: Span) -> Counter[str]:
    """Stop it as its operators do (`pg_ctl restart -m fast`): sessions are ended, and told so."""
    del traffic
    restarts: Counter[str] = Counter()
    while span.goes_on():
        span.pause(0.2, 2.5)
        site.servers.postgres.stop()
        site.servers.postgres.start()
        restarts["postgres-restarted"] += 1
    return restarts


def exhaust(site: Site, traffic: Traffic, span: Span) -> Counter[str]:
    """Let somebody else take every connection that there is, and end those of the gateway."""
    del traffic
    exhausted: Counter[str] = Counter()
    while span.goes_on():
        span.pause(0.2, 2.5)
        with none_left(site.servers):
            span.pause(1.0, 3.0)
        exhausted["out-of-connections"] += 1
    return exhausted


@contextmanager
def none_left(servers: EmbeddedServers) -> Iterator[None]:
    """Within the block the database refuses whoever comes new, and nobody else is in."""
    with ExitStack() as held:
        _take_all(servers, held)
        with psycopg.connect(_plain(servers.postgres.admin_url), autocommit=True) as superuser:
            superuser.execute(END_ALL, [GATEWAY])
        _take_all(servers, held)
        yield


def _take_all(servers: EmbeddedServers, held: ExitStack) -> None:
    while True:
        try:
            held.enter_context(psycopg.connect(_plain(servers.postgres.url)))
        except psycopg.OperationalError:
            return


def _plain(url: str) -> str:
    return url.replace("+psycopg", "", 1)
