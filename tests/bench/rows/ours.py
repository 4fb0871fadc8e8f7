"""How we check a CSV file of cases, in a process that has loaded nothing of the others."""

import sys
from pathlib import Path
from tempfile import gettempdir

from crypto import Scratch
from tests.bench.rows.timed import timed
from tests.validators import samples
from validators.bulk.judging import BulkRows
from validators.run import NoHistory, validate
from validators.standard import load_standards

STANDARDS = load_standards()
"""Loaded when a worker starts."""


def ours(file: Path) -> int:
    """The whole run over a package of it: opened, hashed, judged by every rule, kept, reported."""
    scratches: list[Scratch] = []

    def make_spool() -> Scratch:
        scratches.append(Scratch(folder=Path(gettempdir())))
        return scratches[-1]

    with file.with_suffix(".zip").open("rb") as package:
        outcome = validate(
            package,
            standards=STANDARDS,
            received_on=samples.RECEIVED_ON,
            history=NoHistory(),
            make_spool=make_spool,
            make_rows=BulkRows,
        )
        outcome.report.to_dict()
    [count] = outcome.report.files
    for scratch in scratches:
        scratch.close()
    return count.returned


if __name__ == "__main__":
    timed(ours, Path(sys.argv[1]))
