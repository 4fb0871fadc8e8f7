"""Read by processes whose clocks jump, before anything else.

With libfaketime 0.9.10 `clock_nanosleep` fails (EINVAL) where the monotonic clock is left alone,
and with it `time.sleep` of CPython from 3.11 on. Sleeping another way is all that is changed here.
"""

import select
import time


def sleep(seconds: float) -> None:
    """Sleep without naming a clock."""
    select.select((), (), (), seconds)


time.sleep = sleep
