"""What one agency may take of a process: so many requests a second, and so many at once.

Kept in the memory of each process, so that a request pays no round trip for it; where several
processes serve, an agency has its share in each of them. nginx limits addresses before anything is
asked; here an agency is limited, from however many addresses it comes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from gateway.errors import TooFast

BURST_SECONDS = 10.0
"""What was not used for so long may be used at once."""

TELL_SECONDS = 60.0
"""How often the log is told that an agency asks too much: refusing must cost less than serving."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many requests one agency may make."""

    a_second: int
    at_once: int


@dataclass(slots=True)
class _Used:
    left: float
    at: float
    running: int = 0
    told_at: float | None = None


class Shares:
    """One for each process; any thread may ask. `clock` is monotonic, in seconds."""

    def __init__(self, share: Share, *, clock: Callable[[], float]) -> None:
        self._share = share
        self._most = share.a_second * BURST_SECONDS
        self._clock = clock
        self._lock = Lock()
        self._used: dict[str, _Used] = {}  # agencies that are enrolled, so of bounded size

    def take(self, agency_id: str) -> None:
        """Begin a request; raises TooFast. What was taken is given back by `give_back`."""
        with self._lock:
            used = self._now(agency_id)
            if used.running >= self._share.at_once:
                raise TooFast(
                    "too-many-at-once",
                    f"{used.running} requests of your agency are being answered just now.",
                    "Wait for one of them, and send fewer at once.",
                )
            if used.left < 1:
                raise TooFast(
                    "too-many-requests",
                    f"Your agency makes more than {self._share.a_second} requests a second.",
                    "Wait a few seconds and try again, and ask less often.",
                )
            used.left -= 1
            used.running += 1

    def give_back(self, agency_id: str) -> None:
        """End a request that was begun."""
        with self._lock:
            self._used[agency_id].running -= 1

    def is_worth_telling(self, agency_id: str) -> bool:
        """Whether the log should be told of a refusal; True at most once a minute."""
        with self._lock:
            used = self._now(agency_id)
            if used.told_at is not None and used.at - used.told_at < TELL_SECONDS:
                return False
            used.told_at = used.at
            return True

    def _now(self, agency_id: str) -> _Used:
        now = self._clock()
        used = self._used.setdefault(agency_id, _Used(self._most, now))
        used.left = min(self._most, used.left + (now - used.at) * self._share.a_second)
        used.at = now
        return used
