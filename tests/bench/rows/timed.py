"""One run, timed from within: starting and importing count for nobody."""

import json
import os
import time
from collections.abc import Callable
from typing import TypeVar

from tests.bench.measure import peak_mb

Given = TypeVar("Given")


def timed(way: Callable[[Given], int], given: Given) -> None:
    """Print seconds, rows found bad, and the highest memory in MB as JSON."""
    began = time.perf_counter()
    bad = way(given)
    seconds = time.perf_counter() - began
    peak = peak_mb([os.getpid()])
    print(json.dumps({"seconds": seconds, "bad": bad, "mb": peak}))
