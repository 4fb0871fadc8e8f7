"""`make bench-channels`: how fast submissions arrive, one JSON line a case.

The size of a large file in MB as argument; 1000 if none is given.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.channels.https import bench_https
from tests.bench.channels.sftp import bench_sftp
from tests.bench.measure import Line


def _lines(folder: Path, megabytes: int) -> Iterator[Line]:
    for bench in (bench_sftp, bench_https):
        own = folder / bench.__name__
        own.mkdir()
        yield from bench(own, megabytes)


def main() -> None:
    """Print a line for each case."""
    megabytes = int(sys.argv[1]) if sys.argv[1:] else 1000
    with TemporaryDirectory(prefix="bench-channels-") as name:
        for line in _lines(Path(name), megabytes):
            print(line.to_json(), flush=True)


if __name__ == "__main__":
    main()
