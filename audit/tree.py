"""Roots and proofs of a tree of a given size, computed from its tiles.

The proofs are those of RFC 6962 sections 2.1.1 and 2.1.2. They are as good as the tiles they come
from: the receiver verifies them against a signed root (`audit.merkle`).
"""

from audit.errors import OutOfRange
from audit.merkle import EMPTY_ROOT, node_hash, subtree_root
from audit.store import LEVELS_A_TILE, TILE_WIDTH
from audit.tilepath import tile_of
from audit.tiles import TileSource, read_hashes

_CACHED_TILES = 256


class TileTree:
    """A tree of `size` leaves whose hashes are read from `source` as needed.

    Where the source serves a later tree, of `published` leaves, its tiles are read and cut: a
    mirror need not keep partial tiles that have grown since.
    """

    def __init__(self, size: int, source: TileSource, *, published: int | None = None) -> None:
        self._published = size if published is None else published
        if not 0 <= size <= self._published:
            raise OutOfRange("a tree has no negative size, and no more leaves than are published")
        self.size = size
        self._source = source
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def root(self) -> bytes:
        """The root of the whole tree."""
        return self.subtree(0, self.size) if self.size else EMPTY_ROOT

    def inclusion(self, index: int) -> list[bytes]:
        """The audit path of one leaf, from its sibling upwards."""
        if not 0 <= index < self.size:
            raise OutOfRange("the tree has no such leaf")
        return self._path(index, 0, self.size)

    def consistency(self, old_size: int) -> list[bytes]:
        """The proof that this tree begins with its first `old_size` leaves."""
        if not 0 < old_size <= self.size:
            raise OutOfRange("the tree was never of that size, or it was empty")
        proof: list[bytes] = []
        start, stop, known = 0, self.size, True
        while old_size < stop:
            split = start + _split(stop - start)
            if old_size <= split:
                proof.append(self.subtree(split, stop))
                stop = split
            else:
                proof.append(self.subtree(start, split))
                start, known = split, False
        # The verifier knows the old root already, so only a part of it has to be sent.
        if not known:
            proof.append(self.subtree(start, stop))
        return proof[::-1]

    def subtree(self, start: int, stop: int) -> bytes:
        """The root over the leaves from `start` to before `stop`, cut as section 2.1 cuts."""
        width = stop - start
        if width & (width - 1) == 0:
            return self.node(width.bit_length() - 1, start // width)
        split = start + _split(width)
        return node_hash(self.subtree(start, split), self.subtree(split, stop))

    def node(self, height: int, index: int) -> bytes:
        """The root of the `index`-th complete subtree of 2**height leaves."""
        level, rest = divmod(height, LEVELS_A_TILE)
        tile, offset = divmod(index << rest, TILE_WIDTH)
        return subtree_root(self._tile(level, tile)[offset : offset + (1 << rest)])

    def _path(self, index: int, start: int, stop: int) -> list[bytes]:
        proof = []
        while stop - start > 1:
            split = start + _split(stop - start)
            if index < split:
                proof.append(self.subtree(split, stop))
                stop = split
            else:
                proof.append(self.subtree(start, split))
                start = split
        return proof[::-1]

    def _tile(self, level: int, number: int) -> list[bytes]:
        key = (level, number)
        if key not in self._tiles:
            path = tile_of(level, number, self._published)
            width = tile_of(level, number, self.size).width
            if len(self._tiles) >= _CACHED_TILES:
                self._tiles.clear()
            self._tiles[key] = read_hashes(self._source, path)[:width]
        return self._tiles[key]


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)
