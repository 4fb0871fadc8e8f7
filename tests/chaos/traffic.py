"""Senders that do not give up: what was not acknowledged is sent again as it is."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from itertools import cycle, islice
from threading import Event, Lock, Thread

from tests.chaos.doors import UNNAMED, Doors, Surprise, Way

PATIENCE_SECONDS = 120.0
"""How long a sender tries to be acknowledged."""

PAUSE_SECONDS = 0.1
BREATH_SECONDS = 0.3
"""Between two messages of a sender: what is looked for are faults, and not how much can be done."""


class Traffic:
    """What is sent to a gateway, and what its senders know of it."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._stop = Event()
        self._lock = Lock()
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        self._surprises: list[Exception] = []
        self.unanswered = 0

    @property
    def acknowledged(self) -> list[str]:
        """The SHA-256 of each message of which a sender knows that it is safe."""
        return list(self._names)

    @property
    def named_twice(self) -> int:
        """How often the same octets were acknowledged under another name than before."""
        return sum(max(0, len(names - {UNNAMED}) - 1) for names in self._names.values())

    @contextmanager
    def flowing(self, senders: int) -> Iterator[None]:
        """New messages all the time, over all channels; at the end each sender finishes its own."""
        ways = islice(cycle(self._doors.ways), senders)
        with self._all([partial(self._go_on, way) for way in ways]):
            try:
                yield
            finally:
                self._stop.set()

    def at_once(self, steps: list[Callable[[], None]]) -> None:
        """Do several things at the same time; return when all are done."""
        with self._all(steps):
            pass

    def deliver(self, message: bytes, way: Way) -> None:
        """Send a message until it is acknowledged."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (name := way(message)) is None:
            if time.monotonic() > deadline:
                raise Surprise("no acknowledgement in time")
            with self._lock:
                self.unanswered += 1
            time.sleep(PAUSE_SECONDS)
        with self._lock:
            self._names[sha256(message).hexdigest()].add(name)

    def _go_on(self, way: Way) -> None:
        while not self._stop.is_set():
            self.deliver(self._doors.sender.message(1), way)
            self._stop.wait(BREATH_SECONDS)

    @contextmanager
    def _all(self, steps: list[Callable[[], None]]) -> Iterator[None]:
        threads = [Thread(target=self._watched, args=(step,)) for step in steps]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.join()
        if self._surprises:
            raise self._surprises[0]

    def _watched(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - raised again where the thread is waited for
            self._surprises.append(error)
            self._stop.set()
