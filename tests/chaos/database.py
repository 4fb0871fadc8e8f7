"""Faults of the database: restarted in good order, and out of connections."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg

from gateway.embedded import EmbeddedServers
from tests.chaos.experiment import Inflict, Span
from tests.chaos.site import Site
from tests.chaos.traffic import Traffic

END_ALL = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s"
)
GATEWAY = "gateway"
"""What the gateway's connections call themselves; those of its queue say nothing."""


RESTARTED, FULL = "postgres-restarted", "out-of-connections"


def harm(*kinds: str) -> Inflict:
    """Do each of these again and again."""

    def inflict(site: Site, traffic: Traffic, span: Span) -> Counter[str]:
        del traffic
        done: Counter[str] = Counter()
        while span.goes_on() or len(done) < len(kinds):
            span.pause(0.2, 2.5)
            kind = span.next_of(kinds, done)
            if kind == RESTARTED:
                restart(site.servers)
            else:
                with none_left(site.servers):
                    span.pause(1.0, 3.0)
            done[kind] += 1
        return done

    return inflict


def restart(servers: EmbeddedServers) -> None:
    """Stop it as its operators do (`pg_ctl restart -m fast`): sessions are ended, and told so."""
    servers.postgres.stop()
    servers.postgres.start()


@contextmanager
def none_left(servers: EmbeddedServers) -> Iterator[None]:
    """Within the block somebody else has every connection that there is; the gateway has none."""
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
