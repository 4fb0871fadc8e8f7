"""The paths of C2SP tlog-tiles: `tile/<level>/<number>[.p/<width>]` and `tile/entries/...`.

Ours is `checkpoints/<size>`, under which a mirror keeps each checkpoint that it took. One spelling
for each tile. Every path that comes from outside is read here first, and only the numbers are used
afterwards, so that no path can climb out of a folder.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from audit.errors import TileMissing
from audit.store import LEVELS_A_TILE, TILE_WIDTH

CHECKPOINT_PATH = "checkpoint"
CHECKPOINTS_FOLDER = "checkpoints"
# A tree of 2^63 leaves ends below level 8.
_PATH = re.compile(
    r"tile/(?:(?P<level>[0-7])|entries)/(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class TilePath:
    """Which tile: level None means the bundle of entries."""

    level: int | None
    number: int
    width: int = TILE_WIDTH

    @classmethod
    def parse(cls, text: str) -> "TilePath":
        """Read a path; raises TileMissing for anything but its one spelling."""
        found = _PATH.fullmatch(text)
        if found is None:
            raise TileMissing("this is not the path of a tile")
        number = int(found["number"].replace("x", "").replace("/", ""))
        level = None if found["level"] is None else int(found["level"])
        path = cls(level, number, int(found["width"] or TILE_WIDTH))
        # The second refuses needless groups of zeros, and a full width that is spelt out.
        if path.width > TILE_WIDTH or str(path) != text:
            raise TileMissing("this is not the path of a tile")
        return path

    def __str__(self) -> str:
        """The path."""
        kind = "entries" if self.level is None else self.level
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{kind}/{_grouped(self.number)}{partial}"

    @property
    def start(self) -> int:
        """The first of this tile's hashes (or entries) within its level."""
        return self.number * TILE_WIDTH

    @property
    def full(self) -> "TilePath":
        """The same tile once it is complete."""
        return TilePath(self.level, self.number)


def checkpoint_path(size: int) -> str:
    """The name under which a mirror keeps a checkpoint; as text it sorts as by number."""
    return f"{CHECKPOINTS_FOLDER}/{size:018}"


def tile_of(level: int | None, number: int, size: int) -> TilePath:
    """A tile (or bundle) as a tree of so many leaves has it: full, or as wide as it reaches."""
    hashes = size >> LEVELS_A_TILE * (level or 0)
    return TilePath(level, number, min(TILE_WIDTH, hashes - number * TILE_WIDTH))


def tile_paths(level: int | None, hashes: int) -> Iterator[TilePath]:
    """All tiles of a level that holds so many hashes, the partial one last."""
    for number in range(hashes // TILE_WIDTH):
        yield TilePath(level, number)
    if hashes % TILE_WIDTH:
        yield TilePath(level, hashes // TILE_WIDTH, hashes % TILE_WIDTH)


def _grouped(number: int) -> str:
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03}")
    return "/".join(reversed(groups))
