"""A worker process's loop in a thread of the tests, and waiting for what it does."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from gateway import worker
from gateway.settings import Process
from tests.gateway.stand import Stand


@contextmanager
def running(stand: Stand) -> Iterator[None]:
    """The loop, for a while."""
    stop = Event()
    loop = Thread(target=worker.run_worker, args=(stand.settings(Process.WORKER), stop))
    loop.start()
    try:
        yield
    finally:
        stop.set()
        loop.join()


def eventually(check: Callable[[], bool], *, seconds: float = 40) -> bool:
    """Whether something comes about in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.05)
    return False
