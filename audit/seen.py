"""Which events a replay has met: exact, in some 16 bytes an entry, whatever a log holds.

A Python set takes 100 bytes an entry. This is an open table of 64-bit hashes, sized once for the
whole log. Python's hash of bytes is SipHash under a key of the process, so nobody can prepare ids
that fall into one place. Two ids may still have one hash by chance (one log of ten million in
200,000): so a hit is a suspicion, which the caller settles by looking at the entries.
"""

from array import array
from collections.abc import Iterable, Iterator

_BITS = (1 << 64) - 1


class SeenEvents:
    """The hashes of at most `capacity` ids."""

    def __init__(self, capacity: int) -> None:
        # At most two thirds full, so that a search ends after a step or two.
        size = 1 << max(capacity * 3 // 2, 15).bit_length()
        self._table = array("Q", bytes(8)) * size
        self._mask = size - 1

    def add(self, ids: Iterable[bytes]) -> Iterator[int]:
        """Add ids; yield the position of each whose hash was there before."""
        table, mask = self._table, self._mask
        for position, identifier in enumerate(ids):
            # Zero marks an empty place.
            digest = hash(identifier) & _BITS or 1
            place = digest & mask
            while found := table[place]:
                if found == digest:
                    yield position
                    break
                place = (place + 1) & mask
            else:
                table[place] = digest
