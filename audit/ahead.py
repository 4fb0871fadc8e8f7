"""Reading a published log over a network without waiting for each answer.

Latency, not bandwidth, is what reading tile after tile costs. What a replay reads, and in which
order, is known from the size alone, so some files are asked for ahead. Nothing is believed here.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path

from audit.export import write_whole
from audit.store import LEVELS_A_TILE, TILE_WIDTH
from audit.tilepath import CHECKPOINT_PATH, TilePath, tile_paths
from audit.tiles import FolderSource, TileSource


class AheadSource:
    """Another source, `depth` files ahead of the reader; anything unforeseen is read at once."""

    def __init__(
        self, source: TileSource, executor: Executor, paths: Iterable[TilePath], *, depth: int = 32
    ) -> None:
        self._source = source
        self._executor = executor
        self._paths = iter(paths)
        self._asked: deque[tuple[str, Future[bytes]]] = deque()
        for _ in range(depth):
            self._ask()

    def read(self, path: str) -> bytes:
        """What the other source answers, or its error."""
        if not self._asked or self._asked[0][0] != path:
            return self._source.read(path)
        _, future = self._asked.popleft()
        self._ask()
        return future.result()

    def _ask(self) -> None:
        path = next(self._paths, None)
        if path is not None:
            text = str(path)
            self._asked.append((text, self._executor.submit(self._source.read, text)))


class KeptSource:
    """Another source, whose full tiles and bundles are kept in a folder and asked for once.

    They never change, so a run that was interrupted continues where it was. What is kept is checked
    like everything else: a folder that was tampered with is found out, not trusted.
    """

    def __init__(self, source: TileSource, folder: Path) -> None:
        self._source = source
        self._folder = folder
        self._kept = FolderSource(folder)

    def read(self, path: str) -> bytes:
        """The file that was kept, or the other source's answer."""
        if path == CHECKPOINT_PATH or TilePath.parse(path).width < TILE_WIDTH:
            return self._source.read(path)
        file = self._folder / path
        if not file.exists():
            write_whole(file, self._source.read(path))
        return self._kept.read(path)


def replay_order(size: int, *, after: int = 0) -> Iterator[TilePath]:
    """What `audit.replay` reads of a log, in its order, but for the partial tiles at the end."""
    for bundle in tile_paths(None, size):
        if bundle.start + bundle.width <= after:
            continue
        yield bundle
        if bundle.width == TILE_WIDTH:
            yield from _completed(bundle.number)


def _completed(number: int) -> Iterator[TilePath]:
    level = 0
    while True:
        yield TilePath(level, number)
        if (number + 1) % TILE_WIDTH:
            return
        level, number = level + 1, number >> LEVELS_A_TILE
