"""`make bench-audit`: the log measured, one JSON line a case. Each module here owns its cases."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.audit.database import bench_database
from tests.bench.audit.verification import bench_verification
from tests.bench.audit.writers import bench_writers
from tests.bench.measure import Line

CASES: tuple[Callable[[Path], Iterator[Line]], ...] = (
    bench_verification,
    bench_database,
    bench_writers,
)


def main() -> None:
    """Print a line for each case; names as arguments choose among the functions."""
    chosen = [case for case in CASES if not sys.argv[1:] or case.__name__ in sys.argv[1:]]
    with TemporaryDirectory(prefix="bench-audit-") as folder:
        for case in chosen:
            for line in case(Path(folder)):
                print(line.to_json(), flush=True)


if __name__ == "__main__":
    main()
