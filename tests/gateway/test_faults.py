"""Every kind of fault under load, in short: nothing acknowledged is lost, doubled or untold.

All are done to one gateway, one after the other. `make chaos` does each to a gateway of its own,
and for longer.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.chaos import database, disk, jumps, pauses, senders, storing
from tests.chaos.clocks import can_jump
from tests.chaos.experiment import Experiment, run
from tests.chaos.outcome import MUST_BE_NONE, Outcome
from tests.chaos.site import Site, running_site

PERCENTS = (1, 50, 100)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A gateway that is broken again and again. Not in pytest's folder: see `tests/conftest.py`."""
    with TemporaryDirectory(prefix="gateway-chaos-") as folder, running_site(Path(folder)) as site:
        yield site


def inflict(site: Site, experiment: Experiment, *, seconds: float) -> Outcome:
    outcome = run(site, experiment, seconds=seconds, seed=20261129)
    assert outcome.sound, outcome
    return outcome


def test_a_store_that_is_slow_fails_refuses_says_nothing_or_does_it_twice(site: Site) -> None:
    outcome = inflict(site, Experiment(storing.meet(*storing.FAULTS), senders=2), seconds=0)
    assert set(outcome.faults) == set(storing.FAULTS)


def test_a_database_that_is_restarted_and_one_that_is_full(site: Site) -> None:
    kinds = (database.RESTARTED, database.FULL)
    outcome = inflict(site, Experiment(database.harm(*kinds), senders=2), seconds=0)
    assert set(outcome.faults) == set(kinds)


def test_a_spool_without_room(site: Site) -> None:
    inflict(site, Experiment(disk.fill, senders=1), seconds=0)


def test_a_file_that_may_grow_no_further(site: Site) -> None:
    """What stands for a full disk where no small one can be mounted."""
    nowhere = replace(site.disk, mounted=False)
    inflict(replace(site, disk=nowhere), Experiment(disk.fill, senders=1), seconds=0)


@pytest.mark.skipif(not can_jump(), reason="needs faketime")
def test_clocks_that_jump_by_a_day(site: Site) -> None:
    outcome = inflict(site, Experiment(jumps.jump, senders=2), seconds=4)
    assert {"all +1d", "all -1d"} <= set(outcome.faults)


def test_a_worker_that_stands_still_and_goes_on_later(site: Site) -> None:
    inflict(site, Experiment(pauses.pause, senders=1), seconds=0)


def test_lines_that_are_cut(site: Site) -> None:
    outcome = inflict(site, Experiment(senders.cut(PERCENTS), senders=0), seconds=0)
    assert outcome.faults == dict.fromkeys(senders.CHANNELS, len(PERCENTS))


def test_one_message_fifty_times_at_once(site: Site) -> None:
    outcome = inflict(site, Experiment(senders.at_once, senders=0), seconds=0)
    assert outcome.acknowledged == outcome.faults["fifty-at-once"] + 1, "and the probe"


def test_what_is_told_to_end_ends_though_the_database_is_away(site: Site) -> None:
    site.servers.postgres.kill()
    try:
        for name in site.processes.names:
            site.processes.end(name, seconds=25)
    finally:
        site.servers.postgres.start()
    site.processes.await_ready()


@pytest.mark.parametrize("harm", MUST_BE_NONE)
def test_an_outcome_with_harm_is_not_sound(harm: str) -> None:
    good = {"faults": {"some": 1}, "acknowledged": 1, "unanswered": 0, "entries": 1}
    times = {"recovery_seconds": 0.0, "drained_seconds": 0.0}
    counts = dict.fromkeys(MUST_BE_NONE, 0)
    assert Outcome(**good, **counts, **times).sound  # type: ignore[arg-type]
    assert not Outcome(**good, **{**counts, harm: 1}, **times).sound  # type: ignore[arg-type]
