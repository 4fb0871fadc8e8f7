"""A mirror of the log: files that keep what they were given, and take only what extends it.

The layout is that of C2SP tlog-tiles. Beside it stands every checkpoint that was mirrored, under a
name of its own (`checkpoints/<size>`), since `checkpoint` itself is replaced each time.

1. A checkpoint is taken under the log's keys alone, and where it could be later than the last one.
2. The tree is grown from the right edge that the mirror itself holds, over entries that are hashed
   here; hashes that the log's store keeps are not asked for. Where this leads to another root than
   the one signed, nothing is written.
3. A file is written once. What stands under its name already must be the same.
4. Tiles and bundles come first, then `checkpoints/<size>`, then `checkpoint`: whichever checkpoint
   is there can be verified. What a crash leaves is met again and compared.

Where the files lie is the shelf's business; that they cannot be removed is what makes a mirror.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.checkpoint import Checkpoint
from audit.edge import RightEdge
from audit.errors import EvidenceRefused, LogDoesNotFit, TileMissing
from audit.keyring import LogKeys
from audit.merkle import EMPTY_ROOT, leaf_hash, subtree_root
from audit.replay import require_later
from audit.store import LEVELS_A_TILE, TILE_WIDTH, FullTile
from audit.tilepath import CHECKPOINT_PATH, TilePath, checkpoint_path, tile_of
from audit.tiles import TileSource, pack_bundle


class PublishedLog(Protocol):
    """What is read of a log. Nothing of it is believed."""

    def published(self) -> bytes | None:
        """The newest checkpoint that is published, or None before the first."""

    def entries(self, start: int, stop: int) -> Sequence[bytes]:
        """The entries from `start` to before `stop`; fewer where the log ends."""


class Shelf(TileSource, Protocol):
    """Where a mirror's files lie; `read` is that of a TileSource."""

    def add(self, path: str, data: bytes) -> bytes:
        """Keep a file unless one of that name is kept; return what is kept."""

    def replace(self, path: str, data: bytes) -> None:
        """Keep a file in the place of the one of that name."""

    def newest(self, since: int) -> int | None:
        """The largest size from `since` on under `checkpoints/`; None where there is none."""


@dataclass(frozen=True, slots=True)
class _Mirrored:
    """The state of a mirror: its newest checkpoint, and the right edge of its tree."""

    checkpoint: Checkpoint
    edge: RightEdge


@dataclass(frozen=True, slots=True)
class _Grown:
    """A tree that has the root that was signed: what to write of it, but for its leaves."""

    edge: RightEdge
    tiles: Sequence[FullTile]
    roots: Sequence[bytes]
    """Of the leaves of each bundle: so that what is written is what was verified."""


class Mirror:
    """Copies one log, as it is published, to one shelf."""

    def __init__(self, log: PublishedLog, shelf: Shelf, keys: LogKeys) -> None:
        self._log = log
        self._shelf = shelf
        self._keys = keys
        nothing = Checkpoint(keys.keys[0].name, 0, EMPTY_ROOT)
        self._last = _Mirrored(nothing, RightEdge())

    def catch_up(self) -> Checkpoint | None:
        """Mirror what is published now and return its checkpoint; None where nothing is new.

        Raises LogTampered where the log is shorter than it was or has forked, LogDoesNotFit where
        its entries or the shelf contradict what was signed, or an error of the note.
        """
        self._last = last = self._newest()
        note = self._log.published()
        nothing = Checkpoint(last.checkpoint.origin, 0, EMPTY_ROOT)
        head = nothing if note is None else self._keys.checkpoint(note)
        require_later(head, last.checkpoint)
        if note is None or head.size == last.checkpoint.size:
            return None
        grown = self._grow(last.edge, head)
        self._write(last.edge, grown)
        self._close(head, note)
        self._last = _Mirrored(head, grown.edge)
        return head

    def _newest(self) -> _Mirrored:
        """What the shelf holds; the memory of this process is no more than a way to find it."""
        known = self._last.checkpoint.size
        since = known or self._named_last()
        size = self._shelf.newest(since) or self._shelf.newest(0) or 0
        if size < known:
            raise LogDoesNotFit("the mirror no longer shows what was mirrored last")
        return self._last if size == known else self._load(size)

    def _named_last(self) -> int:
        """The size in `checkpoint`: a place to begin to look, even where somebody replaced it."""
        try:
            return self._keys.checkpoint(self._shelf.read(CHECKPOINT_PATH)).size
        except (TileMissing, EvidenceRefused):
            return 0

    def _load(self, size: int) -> _Mirrored:
        note = self._shelf.read(checkpoint_path(size))
        checkpoint = self._keys.checkpoint(note)
        edge = RightEdge.published(self._shelf, size)
        if checkpoint.size != size or edge.root() != checkpoint.root:
            raise LogDoesNotFit("the mirror's own tiles are not those of its newest checkpoint")
        # Whoever wrote it may have died before the last step.
        self._shelf.replace(CHECKPOINT_PATH, note)
        return _Mirrored(checkpoint, edge)

    def _grow(self, before: RightEdge, head: Checkpoint) -> _Grown:
        edge, tiles, roots = RightEdge(before.size, before.levels), list[FullTile](), []
        for bundle in _bundles(before.size, head.size):
            leaves = [leaf_hash(entry) for entry in self._entries(bundle)]
            known = edge.size - bundle.start
            if known and leaves[:known] != edge.levels[0]:
                raise LogDoesNotFit(f"entries before {edge.size} are not those that were mirrored")
            tiles.extend(tile for tile in edge.extend(leaves[known:]) if tile.level)
            roots.append(subtree_root(leaves))
        if edge.root() != head.root:
            raise LogDoesNotFit("the entries lead to another root than the one signed")
        return _Grown(edge, tiles, roots)

    def _write(self, before: RightEdge, grown: _Grown) -> None:
        bundles = _bundles(before.size, grown.edge.size)
        for bundle, root in zip(bundles, grown.roots, strict=True):
            entries = self._entries(bundle)
            leaves = [leaf_hash(entry) for entry in entries]
            if subtree_root(leaves) != root:
                raise LogDoesNotFit(f"{bundle} changed while it was read")
            self._add(bundle, pack_bundle(entries))
            self._add(TilePath(0, bundle.number, bundle.width), b"".join(leaves))
        for tile in grown.tiles:
            self._add(TilePath(tile.level, tile.number), tile.hashes)
        for path, hashes in _partial_tiles(before, grown.edge):
            self._add(path, b"".join(hashes))

    def _close(self, head: Checkpoint, note: bytes) -> None:
        kept = self._shelf.add(checkpoint_path(head.size), note)
        # Another mirror may have been first, with other cosignatures on the same checkpoint.
        if self._keys.checkpoint(kept) != head:
            raise LogDoesNotFit(f"the mirror holds another checkpoint of {head.size} entries")
        self._shelf.replace(CHECKPOINT_PATH, kept)

    def _add(self, path: TilePath, data: bytes) -> None:
        if self._shelf.add(str(path), data) != data:
            raise LogDoesNotFit(f"the mirror holds another {path}")

    def _entries(self, bundle: TilePath) -> Sequence[bytes]:
        entries = self._log.entries(bundle.start, bundle.start + bundle.width)
        if len(entries) != bundle.width:
            raise LogDoesNotFit(f"the log lacks entries from {bundle.start} on")
        return entries


def _bundles(before: int, size: int) -> Iterator[TilePath]:
    """The bundles that a tree has and the one that it grew from had not, or not so wide."""
    for number in range(before // TILE_WIDTH, -(-size // TILE_WIDTH)):
        yield tile_of(None, number, size)


def _partial_tiles(
    before: RightEdge, edge: RightEdge
) -> Iterator[tuple[TilePath, Sequence[bytes]]]:
    """Likewise the partial tiles above level 0: most of them change once in 256 entries."""
    for level, hashes in enumerate(edge.levels):
        reached = edge.size >> LEVELS_A_TILE * level
        if level and hashes and reached != before.size >> LEVELS_A_TILE * level:
            yield TilePath(level, reached // TILE_WIDTH, len(hashes)), hashes
