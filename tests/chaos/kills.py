"""`kill -9` of processes, database and object store, each in turn at random moments."""

from collections import Counter
from collections.abc import Callable

from tests.chaos.experiment import Inflict, Span
from tests.chaos.site import Site
from tests.chaos.traffic import Traffic

VICTIMS = ("web", "sftp", "worker-0", "sequencer", "signer", "postgres", "objects")


def kill(*victims: str) -> Inflict:
    """Kill each of these again and again."""

    def inflict(site: Site, traffic: Traffic, span: Span) -> Counter[str]:
        del traffic
        kills: Counter[str] = Counter()
        while span.goes_on():
            span.pause(0.2, 2.5)
            victim = span.next_of(victims, kills)
            killer(site, victim)()
            kills[victim] += 1
        return kills

    return inflict


def killer(site: Site, victim: str) -> Callable[[], None]:
    """What ends one of them, and has it start again."""
    servers = {"postgres": site.servers.postgres, "objects": site.servers.objects}
    if victim not in servers:
        return lambda: site.processes.kill(victim)

    def again() -> None:
        servers[victim].kill()
        servers[victim].start()

    return again
