"""A log store in memory, whose parts tests may change at will to play the tamperer."""

from collections.abc import Collection, Sequence

from audit.entry import Entry
from audit.store import FullTile, Pending


class MemoryStore:
    """`audit.store.LogStore` without a database."""

    def __init__(self) -> None:
        self.outbox: dict[int, bytes] = {}
        self.leaves: list[tuple[bytes, bytes]] = []
        self.tiles: dict[tuple[int, int], FullTile] = {}
        self.checkpoints: list[bytes] = []
        self._last_id = 0
        self._events: set[str] = set()

    def enqueue(self, entry: bytes) -> int:
        """What a business transaction does: commit one event to the outbox."""
        outbox_id = self._next_id()
        self.outbox[outbox_id] = entry
        return outbox_id

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def pending(self, limit: int) -> Sequence[Pending]:
        rows = list(self.outbox.items())[:limit]
        return [Pending(outbox_id, entry) for outbox_id, entry in rows]

    def head(self) -> bytes | None:
        return self.checkpoints[-1] if self.checkpoints else None

    def leaf_hashes(self, start: int, stop: int) -> Sequence[bytes]:
        return [digest for _, digest in self.leaves[start:stop]]

    def entries(self, start: int, stop: int) -> Sequence[bytes]:
        return [entry for entry, _ in self.leaves[start:stop]]

    def tile(self, level: int, number: int) -> FullTile | None:
        return self.tiles.get((level, number))

    def known_events(self, event_ids: Sequence[str]) -> Collection[str]:
        return self._events.intersection(event_ids)

    def append(
        self,
        *,
        first_index: int,
        pending: Sequence[Pending],
        leaf_hashes: Sequence[bytes],
        tiles: Sequence[FullTile],
        checkpoint: bytes,
    ) -> None:
        if first_index != len(self.leaves):
            raise ValueError("a leaf of that index is already there, or one before it is not")
        entries = [row.entry for row in pending]
        events = [Entry.from_bytes(entry).event_id for entry in entries]
        if not self._events.isdisjoint(events):
            raise ValueError("a leaf of that event is already there")
        self._events.update(events)
        self.leaves.extend(zip(entries, leaf_hashes, strict=True))
        for row in pending:
            del self.outbox[row.outbox_id]
        self.tiles.update({(tile.level, tile.number): tile for tile in tiles})
        self.checkpoints.append(checkpoint)
