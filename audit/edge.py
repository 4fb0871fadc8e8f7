"""The right edge of a growing tree: enough to add leaves, make tiles and know the root.

For each tile level it holds the hashes not yet gathered into a full tile, never more than 255.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from audit.merkle import EMPTY_ROOT, subtree_root
from audit.store import LEVELS_A_TILE, TILE_WIDTH, FullTile, LogStore, level_hashes
from audit.tilepath import TilePath
from audit.tiles import TileSource, read_hashes


class RightEdge:
    """A tree of `size` leaves, seen from its right."""

    def __init__(self, size: int = 0, levels: Sequence[Sequence[bytes]] = ()) -> None:
        self.size = size
        self._levels = [list(hashes) for hashes in levels]

    @classmethod
    def load(cls, store: LogStore, size: int) -> "RightEdge":
        """The right edge of a stored tree; raises LogDoesNotFit where the store lacks hashes."""
        return cls(size, list(_partial(size, partial(level_hashes, store))))

    @classmethod
    def published(cls, source: TileSource, size: int) -> "RightEdge":
        """The right edge of a published tree, unverified; raises TileMissing or TileRefused."""

        def read(level: int, start: int, stop: int) -> Sequence[bytes]:
            return read_hashes(source, TilePath(level, start // TILE_WIDTH, stop - start))

        return cls(size, list(_partial(size, read)))

    @property
    def levels(self) -> Sequence[Sequence[bytes]]:
        """The partial tiles, by level; an empty one means that the level ends on a full tile."""
        return self._levels

    def extend(self, leaves: Iterable[bytes]) -> Iterator[FullTile]:
        """Add leaf hashes; yield each tile that becomes full, lower levels first."""
        waiting = list(leaves)
        while waiting:
            hashes = self._level(0)
            room = TILE_WIDTH - len(hashes)
            hashes.extend(waiting[:room])
            self.size += len(waiting[:room])
            waiting = waiting[room:]
            yield from self._full(0)

    def root(self) -> bytes:
        """The root now."""
        root: bytes | None = None
        for hashes in self._levels:
            row = hashes if root is None else [*hashes, root]
            root = subtree_root(row) if row else None
        return EMPTY_ROOT if root is None else root

    def _level(self, level: int) -> list[bytes]:
        if level == len(self._levels):
            self._levels.append([])
        return self._levels[level]

    def _full(self, level: int) -> Iterator[FullTile]:
        hashes = self._level(level)
        if len(hashes) < TILE_WIDTH:
            return
        number = (self.size >> LEVELS_A_TILE * (level + 1)) - 1
        tile = FullTile(level, number, b"".join(hashes), subtree_root(hashes))
        hashes.clear()
        yield tile
        self._level(level + 1).append(tile.root)
        yield from self._full(level + 1)


def _partial(
    size: int, read: Callable[[int, int, int], Sequence[bytes]]
) -> Iterator[Sequence[bytes]]:
    """What is in no full tile of each level; `read` gives the hashes of one from start to stop."""
    width, level = size, 0
    while width:
        start = width - width % TILE_WIDTH
        yield read(level, start, width) if start < width else []
        width, level = width // TILE_WIDTH, level + 1
