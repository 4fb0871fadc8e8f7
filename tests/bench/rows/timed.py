"""One run, timed from within: starting and importing count for nobody."""

import json
import resource
import time
from collections.abc import Callable
from pathlib import Path


def timed(way: Callable[[Path], int], file: Path) -> None:
    """Print seconds, rows found bad, and the highest memory in MB as JSON."""
    began = time.perf_counter()
    bad = way(file)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "bad": bad, "mb": peak}))
