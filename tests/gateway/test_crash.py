"""`kill -9` of anything loses nothing that was acknowledged. `make chaos` goes on for longer."""

import json
from pathlib import Path

from tests.chaos.experiment import Experiment, run
from tests.chaos.kills import VICTIMS, kill
from tests.chaos.site import running_site


def test_nothing_acknowledged_is_lost_whatever_is_killed(tmp_path: Path) -> None:
    with running_site(tmp_path) as site:
        outcome = run(site, Experiment(kill(*VICTIMS), senders=2), seconds=20, seed=20261123)
    assert outcome.acknowledged >= 10, outcome
    assert set(outcome.faults) == set(VICTIMS), outcome
    assert json.loads(outcome.to_json("all"))["faults"] == outcome.faults
    assert outcome.sound, outcome
