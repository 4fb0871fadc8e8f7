"""What the log needs of whoever keeps it. The only way from here to storage.

Leaves and full tiles are immutable once appended. Partial tiles are not kept: the right edge is
computed, level 0 from the leaf hashes and each level above from the roots of the full tiles below.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from audit.errors import LogDoesNotFit
from audit.merkle import HASH_BYTES

TILE_WIDTH = 256
LEVELS_A_TILE = 8  # a tile's root stands eight tree levels above its hashes


@dataclass(frozen=True, slots=True)
class Pending:
    """A committed event that waits to be sequenced."""

    outbox_id: int
    entry: bytes


@dataclass(frozen=True, slots=True)
class FullTile:
    """256 hashes of one level, and their root, which is one hash of the level above."""

    level: int
    number: int
    hashes: bytes
    root: bytes


class LogStore(Protocol):
    """A log at rest. Implementations are checked by `tests/audit/store_suite.py`."""

    def pending(self, limit: int) -> Sequence[Pending]:
        """At most `limit` committed outbox rows, in any order; the caller holds the lock."""

    def head(self) -> bytes | None:
        """The newest signed checkpoint, or None before the first."""

    def leaf_hashes(self, start: int, stop: int) -> Sequence[bytes]:
        """The leaf hashes from `start` to before `stop`; fewer where the log ends."""

    def entries(self, start: int, stop: int) -> Sequence[bytes]:
        """The entries from `start` to before `stop`; fewer where the log ends."""

    def tile(self, level: int, number: int) -> FullTile | None:
        """A full tile, or None where there is none."""

    def known_events(self, event_ids: Sequence[str]) -> Collection[str]:
        """Those of some events that are in the log."""

    def append(
        self,
        *,
        first_index: int,
        pending: Sequence[Pending],
        leaf_hashes: Sequence[bytes],
        tiles: Sequence[FullTile],
        checkpoint: bytes,
    ) -> None:
        """In one transaction: add leaves, tiles and checkpoint, delete exactly those outbox rows.

        Raises, and changes nothing, where a leaf of that index or of that event (the `event_id` of
        its entry) is already there.
        """


@runtime_checkable
class TileRoots(Protocol):
    """A store that can read many tile roots at once may offer this; it saves up to 255 queries."""

    def tile_roots(self, level: int, start: int, stop: int) -> Sequence[bytes]:
        """The roots of the full tiles from `start` to before `stop`; fewer where they end."""


def level_hashes(store: LogStore, level: int, start: int, stop: int) -> Sequence[bytes]:
    """The hashes of one tile level from `start` to before `stop`; LogDoesNotFit if any is missing.

    The number matters: a row of fewer hashes can have the root of a longer one.
    """
    hashes = _hashes(store, level, start, stop)
    if len(hashes) != stop - start or any(len(digest) != HASH_BYTES for digest in hashes):
        raise LogDoesNotFit(f"the store lacks hashes of level {level} from {start} on")
    return hashes


def _hashes(store: LogStore, level: int, start: int, stop: int) -> Sequence[bytes]:
    if level == 0:
        return store.leaf_hashes(start, stop)
    if isinstance(store, TileRoots):
        return store.tile_roots(level - 1, start, stop)
    tiles = (store.tile(level - 1, number) for number in range(start, stop))
    return [tile.root for tile in tiles if tile is not None]
