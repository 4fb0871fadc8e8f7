"""`make bench-channels`: how fast submissions arrive, one JSON line a case.

The size of a large file in MB as argument; 1000 if none is given.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.channels.https import bench_https
from tests.bench.channels.sftp import bench_sftp
from tests.bench.channels.small import bench_small
from tests.bench.channels.workers import bench_workers
from tests.bench.measure import Line


def _lines(folder: Path, megabytes: int) -> Iterator[Line]:
    yield from bench_small(_own(folder, bench_small.__name__))
    for bench in (bench_sftp, bench_https):
        yield from bench(_own(folder, bench.__name__), megabytes)
    yield from bench_workers(_own(folder, bench_workers.__name__))


def _own(folder: Path, name: str) -> Path:
    own = folder / name
    own.mkdir()
    return own


def main() -> None:
    """Print a line for each case."""
    megabytes = int(sys.argv[1]) if sys.argv[1:] else 1000
    with TemporaryDirectory(prefix="bench-channels-") as name:
        for line in _lines(Path(name), megabytes):
            print(line.to_json(), flush=True)


if __name__ == "__main__":
    main()
