"""Writing the log into a folder, for an auditor to take away or a web server to serve.

The layout is that of C2SP tlog-tiles. The checkpoint is written last and each file appears whole,
so that a reader never meets a checkpoint whose tiles are not there.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from audit.checkpoint import Checkpoint, claimed_checkpoint
from audit.errors import LogDoesNotFit, TileMissing
from audit.store import LEVELS_A_TILE
from audit.tilepath import CHECKPOINT_PATH, TilePath, tile_paths
from audit.tiles import FolderSource, TileSource
from audit.tree import TileTree


def export_tiles(
    source: TileSource, folder: Path, *, on_progress: Callable[[int, int], None] | None = None
) -> Checkpoint:
    """Write everything up to the newest checkpoint; return it, as the source claims it.

    A folder that was exported to before is continued: full tiles never change and stay. Raises
    TileMissing where the log has no checkpoint, LogDoesNotFit where the folder holds another past.
    """
    note = source.read(CHECKPOINT_PATH)
    head = claimed_checkpoint(note)
    _require_same_past(source, head, FolderSource(folder))
    paths = list(log_paths(head.size))
    for done, path in enumerate(paths, start=1):
        file = folder / str(path)
        if not file.exists():
            write_whole(file, source.read(str(path)))
        if on_progress is not None:
            on_progress(done, len(paths))
    write_whole(folder / CHECKPOINT_PATH, note)
    return head


def log_paths(size: int) -> Iterator[TilePath]:
    """Every tile and bundle of a log of this size."""
    yield from tile_paths(None, size)
    level = 0
    while hashes := size >> LEVELS_A_TILE * level:
        yield from tile_paths(level, hashes)
        level += 1


def _require_same_past(source: TileSource, head: Checkpoint, before: FolderSource) -> None:
    try:
        old = claimed_checkpoint(before.read(CHECKPOINT_PATH))
    except TileMissing:
        return
    if old.origin != head.origin or old.size > head.size:
        raise LogDoesNotFit("the folder holds another log, or more of this one than the store")
    if TileTree(old.size, source).root() != old.root:
        raise LogDoesNotFit("the folder holds another past of this log")


def write_whole(file: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.new")
    draft.write_bytes(data)
    draft.replace(file)
