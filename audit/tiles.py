"""Reading a log as published: tiles and entry bundles (C2SP tlog-tiles), from a folder or a store.

Nothing read here is verified. Shapes are checked (a tile is exactly as long as its path says), and
truth is established by whoever checks the root against a signed checkpoint.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from audit.checkpoint import claimed_checkpoint
from audit.entry import MAX_ENTRY_BYTES
from audit.errors import EntryRefused, LogDoesNotFit, TileMissing, TileRefused
from audit.merkle import HASH_BYTES
from audit.noteform import MAX_NOTE_BYTES
from audit.store import LEVELS_A_TILE, TILE_WIDTH, LogStore, level_hashes
from audit.tilepath import CHECKPOINT_PATH, CHECKPOINTS_FOLDER, TilePath, checkpoint_path

LENGTH_BYTES = 2
MAX_BUNDLE_BYTES = TILE_WIDTH * (LENGTH_BYTES + MAX_ENTRY_BYTES)


class TileSource(Protocol):
    """Anywhere a published log can be read: a folder, an HTTPS address, the store itself."""

    def read(self, path: str) -> bytes:
        """What stands under a path; raises TileMissing."""


class FolderSource:
    """A log in a folder, as `export_tiles` writes it, or the copy of a mirror, from anyone.

    In a copy the newest by its own name is the checkpoint: the one called `checkpoint` is replaced
    while the copy is being made, and by whoever may put files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> bytes:
        """The bytes of one file; raises TileMissing, or TileRefused where it is too large."""
        limit = MAX_NOTE_BYTES
        if path == CHECKPOINT_PATH:
            path = self._newest()
        else:
            path, limit = str(TilePath.parse(path)), MAX_BUNDLE_BYTES
        file = os.path.join(self._folder, path)  # pathlib takes as long as the reading
        # A pipe or a device in a prepared folder would block us or never end.
        if not os.path.isfile(file):
            raise TileMissing(path)
        with open(file, "rb", buffering=0) as stream:
            # No more is asked for than there is: room for the limit would be paged in each time.
            data = stream.read(min(os.fstat(stream.fileno()).st_size, limit) + 1)
        if len(data) > limit:
            raise TileRefused(f"{path} is larger than it can be")
        return data

    def _newest(self) -> str:
        names = (file.name for file in self._folder.glob(f"{CHECKPOINTS_FOLDER}/*"))
        sizes = (int(name) for name in names if re.fullmatch("[0-9]{18}", name))
        newest = max(sizes, default=None)
        return CHECKPOINT_PATH if newest is None else checkpoint_path(newest)


class StoreSource:
    """A log in its own store, as its newest checkpoint shows it; later growth stays unseen.

    Raises TileMissing where the log has no checkpoint yet.
    """

    def __init__(self, store: LogStore) -> None:
        head = store.head()
        if head is None:
            raise TileMissing("the log has no checkpoint yet")
        self._store = store
        self._head = head
        self._size = claimed_checkpoint(head).size

    def read(self, path: str) -> bytes:
        """Checkpoint, tile or bundle; raises TileMissing, or LogDoesNotFit for a broken store.

        A partial tile that has since grown is still answered, as the beginning of its successor.
        """
        if path == CHECKPOINT_PATH:
            return self._head
        tile = TilePath.parse(path)
        if tile.start + tile.width > self._size >> LEVELS_A_TILE * (tile.level or 0):
            raise TileMissing(path)
        if tile.level is None:
            return pack_bundle(self._store.entries(tile.start, tile.start + tile.width))
        return self._hashes(tile, tile.level)

    def _hashes(self, tile: TilePath, level: int) -> bytes:
        if tile.width < TILE_WIDTH:
            return b"".join(level_hashes(self._store, level, tile.start, tile.start + tile.width))
        full = self._store.tile(level, tile.number)
        if full is None:
            raise LogDoesNotFit(f"the store lacks {tile}")
        return full.hashes


def render_tile(store: LogStore, path: str) -> bytes:
    """What the log publishes under `path` now; raises TileMissing for all else."""
    return StoreSource(store).read(path)


def read_tile(source: TileSource, tile: TilePath) -> bytes:
    """The hashes of one tile in one piece; raises TileMissing or TileRefused."""
    data = _read_or_full(source, tile)
    if len(data) < tile.width * HASH_BYTES or len(data) % HASH_BYTES:
        raise TileRefused(f"{tile} is not {tile.width} hashes long")
    return data[: tile.width * HASH_BYTES]


def read_hashes(source: TileSource, tile: TilePath) -> list[bytes]:
    """The hashes of one tile; raises TileMissing or TileRefused."""
    data = read_tile(source, tile)
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def read_entries(source: TileSource, bundle: TilePath) -> list[bytes]:
    """The entries of one bundle; raises TileMissing or TileRefused."""
    entries = unpack_bundle(_read_or_full(source, bundle))
    if len(entries) < bundle.width:
        raise TileRefused(f"{bundle} holds fewer entries than it should")
    return entries[: bundle.width]


def pack_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each behind its length in two bytes."""
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise EntryRefused("an entry is at most 4096 bytes long")
    return b"".join(len(entry).to_bytes(LENGTH_BYTES, "big") + entry for entry in entries)


def unpack_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle; raises TileRefused."""
    entries, at, end = [], 0, len(data)
    while at < end:
        start = at + LENGTH_BYTES
        # A length of one byte at the end reads as longer than what is left, too.
        size = data[at] << 8 | data[at + 1] if start <= end else 1
        at = start + size
        if at > end or size > MAX_ENTRY_BYTES:
            raise TileRefused("a bundle is cut short or holds an entry that is too long")
        entries.append(data[start:at])
    if len(entries) > TILE_WIDTH:
        raise TileRefused("a bundle holds at most 256 entries")
    return entries


def _read_or_full(source: TileSource, tile: TilePath) -> bytes:
    # A log may drop a partial tile once the full one is there (tlog-tiles, Partial Tiles).
    try:
        return source.read(str(tile))
    except TileMissing:
        if tile.width == TILE_WIDTH:
            raise
        return source.read(str(tile.full))
