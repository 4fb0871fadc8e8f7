"""The time, as long as this machine and the database agree on it.

What has ended, what is of the future and when something happened is judged by one clock. Where it
is wrong, a token of yesterday opens again, a package signed a minute ago is rejected for good as
signed in the future, and the audit log gets entries that auditors find. So nobody is told a time
that differs from the database's by more than a minute: ServiceFailed is raised instead, senders are
told to try again, and workers wait. Which of the two clocks is wrong is not decided here.

The database is asked at first, every half minute, and as soon as the clock has jumped: as soon as
it has not gone forward by as much as the monotonic clock has.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from gateway.errors import ServiceFailed

TOLERANCE = timedelta(minutes=1)
"""Auditors allow five (`audit.times`)."""

HELD_SECONDS = 30.0
JUMP = timedelta(seconds=1)


class AgreedClock:
    """One for each process; any thread may ask. `monotonic` is in seconds."""

    def __init__(
        self,
        other: Callable[[], datetime],
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._other = other
        self._clock = clock
        self._monotonic = monotonic
        self._lock = Lock()
        self._agreed: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        """The time; raises ServiceFailed where the database has another one, or cannot be asked."""
        now, ticks = self._clock(), self._monotonic()
        if self._holds(now, ticks):
            return now
        # One asks and the others wait for it. While the two disagree each asks anew.
        with self._lock:
            now, ticks = self._clock(), self._monotonic()
            if not self._holds(now, ticks):
                self._agreed = None
                _require_close(self._clock, self._other())
                self._agreed = now, ticks
        return now

    def _holds(self, now: datetime, ticks: float) -> bool:
        if self._agreed is None:
            return False
        then, ticks_then = self._agreed
        passed = ticks - ticks_then
        return passed < HELD_SECONDS and abs(now - then - timedelta(seconds=passed)) < JUMP


def _require_close(clock: Callable[[], datetime], other: datetime) -> None:
    apart = clock() - other
    if abs(apart) > TOLERANCE:
        raise ServiceFailed(
            "clock-astray",
            "The gateway's clocks do not agree on the time just now.",
            "Nothing was recorded. Try again in some minutes.",
            detail=f"{apart.total_seconds():+.0f} s from the database's clock",
        )
