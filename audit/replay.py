"""Checking a whole log, offline, trusting only its key.

1. The checkpoint is signed by the log's key.
2. Every entry is canonical, and no event occurs twice.
3. Every hash tile is the one that follows from the entries.
4. The root that follows from the entries is the one signed.
5. Where an earlier checkpoint is given, the log begins with exactly what that one covered.

Memory grows by the event ids only, some 100 bytes an entry.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from audit.actions import Action
from audit.checkpoint import Checkpoint
from audit.edge import RightEdge
from audit.entry import Entry
from audit.errors import EntryRefused, LogTampered, TileMissing
from audit.merkle import HASH_BYTES, leaf_hash
from audit.note import Verifier
from audit.store import TILE_WIDTH, FullTile
from audit.tilepath import CHECKPOINT_PATH, TilePath, tile_paths
from audit.tiles import TileSource, read_entries, read_hashes

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Replayed:
    """A log of which every entry was checked."""

    checkpoint: Checkpoint
    actions: Mapping[Action, int]

    @property
    def entries(self) -> int:
        """How many entries were checked."""
        return self.checkpoint.size


def replay(
    source: TileSource,
    *,
    verifier: Verifier,
    since: Checkpoint | None = None,
    on_progress: Progress | None = None,
) -> Replayed:
    """Return the log's checkpoint and what it holds, all verified.

    `since` is a checkpoint that the caller verified earlier. `on_progress` is called with the
    number of entries done and the number of all. Raises LogTampered naming the first entry or tile
    that does not fit, TileMissing, TileRefused, or an error of the checkpoint's note.
    """
    head = Checkpoint.verify(source.read(CHECKPOINT_PATH), verifier=verifier)
    _require_later(head, since)
    reader = _Replay(source, since)
    for bundle in tile_paths(None, head.size):
        reader.read(bundle)
        if on_progress is not None:
            on_progress(reader.edge.size, head.size)
    reader.finish()
    if reader.edge.root() != head.root:
        raise LogTampered("the entries lead to another root than the one signed")
    return Replayed(head, dict(reader.actions))


class _Replay:
    """The state of one run through a log."""

    def __init__(self, source: TileSource, since: Checkpoint | None) -> None:
        self.edge = RightEdge()
        self.actions: Counter[Action] = Counter()
        self._source = source
        self._since = since
        self._events: set[bytes] = set()

    def read(self, bundle: TilePath) -> None:
        """Check the entries of one bundle and every tile that they complete."""
        entries = read_entries(self._source, bundle)
        for offset, data in enumerate(entries):
            self._take(data, bundle.start + offset)
        leaves = [leaf_hash(data) for data in entries]
        known = self._up_to_since(leaves)
        for part in (leaves[:known], leaves[known:]):
            for tile in self.edge.extend(part):
                self._compare(TilePath(tile.level, tile.number), _hashes(tile))
            self._require_since()

    def finish(self) -> None:
        """Check the partial tiles."""
        for level, hashes in enumerate(self.edge.levels):
            number = (self.edge.size >> 8 * level) // TILE_WIDTH
            if hashes:
                self._compare(TilePath(level, number, len(hashes)), hashes)

    def _take(self, data: bytes, index: int) -> None:
        try:
            entry = Entry.from_bytes(data)
        except EntryRefused as error:
            raise LogTampered(f"entry {index}: {error}") from error
        event = UUID(entry.event_id).bytes
        if event in self._events:
            raise LogTampered(f"entry {index} repeats an earlier event")
        self._events.add(event)
        self.actions[entry.action] += 1

    def _up_to_since(self, leaves: Sequence[bytes]) -> int:
        if self._since is None:
            return 0
        return min(max(self._since.size - self.edge.size, 0), len(leaves))

    def _require_since(self) -> None:
        since = self._since
        if since is not None and self.edge.size == since.size and self.edge.root() != since.root:
            raise LogTampered(f"the first {since.size} entries are not those of the checkpoint")

    def _compare(self, path: TilePath, hashes: Sequence[bytes]) -> None:
        try:
            published = read_hashes(self._source, path)
        except TileMissing as error:
            raise LogTampered(f"{path} is missing") from error
        for offset, (ours, theirs) in enumerate(zip(hashes, published, strict=True)):
            if ours != theirs:
                what = "entry" if path.level == 0 else f"level {path.level} hash"
                raise LogTampered(f"{what} {path.start + offset} is not what the tree holds")


def _hashes(tile: FullTile) -> list[bytes]:
    data = tile.hashes
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def _require_later(head: Checkpoint, since: Checkpoint | None) -> None:
    if since is None:
        return
    if since.origin != head.origin:
        raise LogTampered("the earlier checkpoint is of another log")
    if since.size > head.size:
        raise LogTampered("the log is shorter than it once was")
    if since.size == head.size and since.root != head.root:
        raise LogTampered("two roots for one size: the log has forked")
