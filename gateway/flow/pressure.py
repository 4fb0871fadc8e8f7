"""Whether what is offered could be kept, asked before a body is read.

Refused at its first octet an upload costs its sender nothing; refused at its last, an hour of a
slow line. Looks at the object store, and at what waits to be judged: of all agencies together, and
of the one that asks, so that none of them takes all the room. What was found holds for two seconds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from gateway.errors import ServiceFailed, TooMany
from gateway.records import Principal
from gateway.store.database import Database
from gateway.store.objects import Bucket, ObjectStore
from gateway.store.submissions import waiting_by_agency

HELD_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Room:
    """How many submissions may wait to be judged."""

    all_agencies: int
    one_agency: int


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    waiting: Mapping[str, int]
    trouble: ServiceFailed | None


class Pressure:
    """One for each process; any thread may ask. `clock` is monotonic, in seconds."""

    def __init__(
        self, database: Database, objects: ObjectStore, room: Room, *, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._objects = objects
        self._room = room
        self._clock = clock
        self._lock = Lock()
        self._last: _Look | None = None

    def admit(self, by: Principal) -> None:
        """Raise ServiceFailed where nothing can be kept now, TooMany where its agency waits."""
        look = self._looked()
        if look.trouble is not None:
            raise look.trouble
        if sum(look.waiting.values()) >= self._room.all_agencies:
            raise ServiceFailed(
                "too-far-behind",
                "More is waiting to be checked than the gateway can check soon.",
                "Try again in some minutes. What was acknowledged is safe.",
            )
        if look.waiting.get(by.agency, 0) >= self._room.one_agency:
            raise TooMany(
                "too-many-waiting",
                f"{self._room.one_agency:,} submissions of your agency are waiting to be checked.",
                "Send more when they have been; they are safe.",
            )

    def _looked(self) -> _Look:
        # One looks and the others wait for it: a store that hangs is asked once, not by everybody.
        with self._lock:
            if self._last is None or self._clock() - self._last.at > HELD_SECONDS:
                self._last = self._look()
            return self._last

    def _look(self) -> _Look:
        try:
            self._objects.ping(Bucket.QUARANTINE)
            with self._database.transaction() as session:
                waiting = waiting_by_agency(session)
        except ServiceFailed as trouble:
            return _Look(self._clock(), {}, trouble)
        return _Look(self._clock(), waiting, None)
