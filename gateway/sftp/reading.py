"""What is being read, and how much of this process's memory that may take.

A report with values is encrypted to its agency and as large as its findings are many. It stays in
the object store and is read from there piece by piece; so many pieces are kept here, since programs
ask for much less at a time than is worth a way to the store. Where there is no room for one more,
the oldest of the agency that has most gives way: one agency's readers push out their own.

What is made when it is read, as a report without values is, is held while it is open. An agency has
room for so much of that, and beyond it is told to close some first.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from threading import Lock
from weakref import WeakValueDictionary

from gateway.errors import TooMany
from gateway.store.objects import Version, misread

PIECE = 1 << 20
MOST_PIECES = 64
MOST_HELD = 32 << 20
"""Octets that an agency may have open besides; one file alone may be larger."""

Fetch = Callable[[Version, int, int], bytes]
_Place = tuple[str, Version, int]


class Reading:
    """One for each process; any thread may use it."""

    def __init__(self) -> None:
        self._pieces: OrderedDict[_Place, bytes] = OrderedDict()
        self._turns: WeakValueDictionary[_Place, Lock] = WeakValueDictionary()
        self._held: Counter[str] = Counter()
        self._lock = Lock()

    def read(
        self, version: Version, offset: int, size: int, *, agency_id: str, fetch: Fetch
    ) -> bytes:
        """Octets of an object; `fetch` gets a piece that is not here. None after its end."""
        end, blocks = min(offset + size, version.size), list[bytes]()
        while offset < end:
            number, begin = divmod(offset, PIECE)
            piece = self._piece((agency_id, version, number), fetch)
            blocks.append(piece[begin : begin + end - offset])
            offset += len(blocks[-1])
        return b"".join(blocks)

    def hold(self, agency_id: str, size: int) -> None:
        """Make room for a file that is held whole; raises TooMany. `let_go` gives it back."""
        with self._lock:
            if self._held[agency_id] and self._held[agency_id] + size > MOST_HELD:
                raise TooMany(
                    "too-much-open",
                    "Your agency has as many large files open as it may.",
                    "Read them one after the other, and close each.",
                )
            self._held[agency_id] += size

    def let_go(self, agency_id: str, size: int) -> None:
        """It was closed."""
        with self._lock:
            self._held[agency_id] -= size

    def _piece(self, place: _Place, fetch: Fetch) -> bytes:
        with self._lock:
            turn = self._turns.setdefault(place, Lock())
        with turn:  # who asks for the same meanwhile waits, and finds it
            return self._kept(place) or self._fetched(place, fetch)

    def _kept(self, place: _Place) -> bytes | None:
        with self._lock:
            found = self._pieces.get(place)
            if found is not None:
                self._pieces.move_to_end(place)
            return found

    def _fetched(self, place: _Place, fetch: Fetch) -> bytes:
        _, version, number = place
        wanted = min(PIECE, version.size - number * PIECE)
        piece = fetch(version, number * PIECE, wanted)
        if len(piece) != wanted:
            raise misread(f"{len(piece)} of {wanted} octets")
        self._keep(place, piece)
        return piece

    def _keep(self, place: _Place, piece: bytes) -> None:
        with self._lock:
            self._pieces[place] = piece
            while len(self._pieces) > MOST_PIECES:
                [(crowded, _)] = Counter(whose for whose, _, _ in self._pieces).most_common(1)
                del self._pieces[next(each for each in self._pieces if each[0] == crowded)]
