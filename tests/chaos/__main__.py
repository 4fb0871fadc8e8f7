"""`make chaos`: minutes of killing, one JSON object an experiment on stdout."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos.experiment import Outcome, run_experiment

EXPERIMENTS = {
    "web": ("web",),
    "sftp": ("sftp",),
    "worker": ("worker-0",),
    "sequencer": ("sequencer",),
    "signer": ("signer",),
    "postgres": ("postgres",),
    "objects": ("objects",),
    "everything": ("web", "sftp", "worker-0", "sequencer", "signer", "postgres", "objects"),
}


def main() -> int:
    """Run the experiments; the exit status is 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=", description=__doc__)
    parser.add_argument("--seconds", type=float, default=40, help="of killing, each experiment")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("experiments", nargs="*", choices=[*EXPERIMENTS, []])
    options = parser.parse_args()
    sound = True
    for name in options.experiments or EXPERIMENTS:
        print(f"killing {name} for {options.seconds:.0f} s", file=sys.stderr)
        with TemporaryDirectory(prefix="gateway-chaos-") as folder:
            outcome = run_experiment(
                Path(folder),
                seconds=options.seconds,
                seed=options.seed,
                victims=EXPERIMENTS[name],
            )
        print(outcome.to_json(name), flush=True)
        sound = sound and is_sound(outcome)
    return 0 if sound else 1


def is_sound(outcome: Outcome) -> bool:
    """Whether nothing was lost, doubled, untold or misnumbered, and something was tried at all."""
    bad = outcome.lost + outcome.duplicated + outcome.unaudited + outcome.misnumbered
    return bad == 0 and outcome.acknowledged > 0


if __name__ == "__main__":
    sys.exit(main())
