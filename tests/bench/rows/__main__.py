"""`make bench-validate`: a file of cases judged, against others who check the same file, in turns.

Ours is the whole run over a package: inflated, hashed, judged by all rules, good rows written as
typed JSON into encrypted scratch, findings reported; with the environment that its unit gives a
worker. marshmallow loads rows and keeps nothing;
pandera and DuckDB check most of what we check (`checks`) and say less of it. The checks alone are
held against pandera's too, of rows that both have in memory.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from gateway.cli.profile import EXAMPLE, EXAMPLE_AGENCY
from tests.bench.measure import Line
from tests.bench.rows.made import STANDARD, write_cases
from tests.deploy.units import of_process
from tests.validators import books, samples
from tests.validators.test_workbooks import sheets_of
from validators.building import GivenFile, build_package, unsigned

MOST_MB = 700
_MANY = 1_000_000
COLD_SECONDS = 1.0


@dataclass(frozen=True)
class _Run:
    seconds: float
    mb: float


@dataclass(frozen=True)
class _Against:
    way: str
    name: str
    target: float
    ours: str = "ours"


MARSHMALLOW = _Against("marshmallow", "marshmallow alone, fields only", 20)
PANDERA = _Against("pandera", "pandera's polars backend", 2)
DUCKDB = _Against("duckdb", "DuckDB SQL, counting only", 1 / 1.5)
CHECKS = _Against("pandera-alone", "pandera's polars backend, rows in memory", 2, ours="alone")
_OTHERS = [MARSHMALLOW, PANDERA, DUCKDB, CHECKS]


def bench_rows(folder: Path) -> Iterator[Line]:
    """Every case, a line each."""
    yield from _compared(folder, 100_000, 2, rounds=3, others=_OTHERS)
    allbad = _Against("marshmallow", "marshmallow alone, fields only", 3)
    yield from _compared(folder, 100_000, 100, rounds=1, others=[allbad])
    yield from _compared(folder, _MANY, 2, rounds=3, others=_OTHERS)
    yield _cold_start(folder)


def _compared(
    folder: Path, rows: int, bad: int, *, rounds: int, others: list[_Against]
) -> Iterator[Line]:
    file = folder / "CASE.csv"
    write_cases(file, rows, bad_in_100=bad)
    fields = samples.manifest_fields(STANDARD)
    identity = samples.uuid4(samples.rng(rows))
    given = [GivenFile.read(file)]
    built = build_package(given, fields, sign=unsigned, now=samples.NOW, submission_id=identity)
    file.with_suffix(".zip").write_bytes(built.data)
    os.sync()  # else the disk would still be busy with them while ours writes its scratch
    ways = dict.fromkeys(way for other in others for way in (other.ours, other.way))
    runs: dict[str, list[_Run]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in ways:
            # Two minutes for a million rows, and the same each time.
            if number == 0 or way != MARSHMALLOW.way or rows < _MANY:
                runs[way].append(_run(way, file))
    rate = {way: rows / median(run.seconds for run in runs[way]) for way in ways}
    peaks = {way: max(run.mb for run in runs[way]) for way in ways}
    case = f"{rows:,} cases, {bad} % bad"
    for other in others:
        yield Line(
            case if other.ours == "ours" else f"{case}, checks alone",
            other.name,
            rate[other.ours],
            rate[other.way],
            "rows/s",
            "higher",
            round(other.target, 3),
            peaks[other.ours],
        )
    if rows >= _MANY:
        peak = peaks["ours"]
        yield Line(f"{case}, memory", "700 MB", peak, MOST_MB, "MB", "lower", 1.0, peak)


def _run(way: str, file: Path) -> _Run:
    is_ours = way in ("ours", "alone")
    module = [f"tests.bench.rows.{way}"] if is_ours else ["tests.bench.rows.ways", way]
    command = [sys.executable, "-m", *module, str(file)]
    environ = {**os.environ, **of_process("worker")} if is_ours else None
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environ)
    found = json.loads(done.stdout)
    print(f"{way}: {found}", file=sys.stderr)
    return _Run(found["seconds"], found["mb"])


def _cold_start(folder: Path) -> Line:
    """A process that is started, checks a workbook of 200 children and prints the report."""
    workbook, profile = folder / "return.xlsx", folder / "agency.toml"
    workbook.write_bytes(books.xlsx(sheets_of({"CASE": samples.children(200)["CASE"]})))
    profile.write_text(EXAMPLE.replace(EXAMPLE_AGENCY, samples.AGENCY_ID))
    gateway = Path(sys.executable).with_name("gateway")
    command = [gateway, "validate", workbook, "--profile", profile, "--period", "2026Q1"]
    seconds = []
    for _ in range(7):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        seconds.append(time.perf_counter() - began)
    took = median(seconds)
    case = "gateway validate, workbook of 200 rows, cold start"
    return Line(case, "1 s", took, COLD_SECONDS, "s", "lower", 1.0, 0.0)


def main() -> None:
    """Print a line for each case."""
    with TemporaryDirectory(prefix="bench-rows-") as folder:
        for line in bench_rows(Path(folder)):
            print(line.to_json(), flush=True)


if __name__ == "__main__":
    main()
