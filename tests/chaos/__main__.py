"""`make chaos`: minutes of faults, one JSON object an experiment on stdout."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos import database, disk, jumps, kills, pauses, senders, storing
from tests.chaos.clocks import PROGRAM, can_jump
from tests.chaos.experiment import Experiment, run
from tests.chaos.site import running_site

EXPERIMENTS = {
    **{f"kill-{name}": Experiment(kills.kill(name)) for name in kills.VICTIMS},
    "kill-everything": Experiment(kills.kill(*kills.VICTIMS)),
    **{f"store-{fault.name.lower()}": Experiment(storing.meet(fault)) for fault in storing.FAULTS},
    "database-restarted": Experiment(database.harm(database.RESTARTED)),
    "database-full": Experiment(database.harm(database.FULL)),
    "disk-full": Experiment(disk.fill),
    "clocks-jump": Experiment(jumps.jump),
    "worker-paused": Experiment(pauses.pause),
    "worker-paused-midway": Experiment(pauses.pause_midway),
    "lines-cut": Experiment(senders.cut(senders.EVERY_PERCENT), senders=0),
    "fifty-at-once": Experiment(senders.at_once, senders=0),
}


def main() -> int:
    """Run the experiments; the exit status is 1 if any did harm."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="of faults, each experiment")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("experiments", nargs="*", choices=[*EXPERIMENTS, []])
    options = parser.parse_args()
    if not can_jump():
        parser.error(f"needs {PROGRAM}, of the package of that name")
    sound = True
    for name in options.experiments or EXPERIMENTS:
        print(f"{name}, for {options.seconds:.0f} s", file=sys.stderr)
        with (
            TemporaryDirectory(prefix="gateway-chaos-") as folder,
            running_site(Path(folder)) as site,
        ):
            outcome = run(site, EXPERIMENTS[name], seconds=options.seconds, seed=options.seed)
        print(outcome.to_json(name), flush=True)
        sound = sound and outcome.sound
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
