"""`kill -9` of anything loses nothing that was acknowledged. `make chaos` goes on for longer."""

import json
from pathlib import Path

from tests.chaos.experiment import run_experiment

VICTIMS = ("web", "sftp", "worker-0", "sequencer", "signer", "postgres", "objects")


def test_nothing_acknowledged_is_lost_whatever_is_killed(tmp_path: Path) -> None:
    outcome = run_experiment(tmp_path, seconds=20, seed=20261123, victims=VICTIMS, senders=2)
    assert outcome.acknowledged >= 10, outcome
    assert set(outcome.kills) == set(VICTIMS), outcome
    assert json.loads(outcome.to_json("all"))["kills"] == outcome.kills
    assert (outcome.lost, outcome.duplicated, outcome.unaudited) == (0, 0, 0), outcome
    assert outcome.misnumbered == 0, outcome
