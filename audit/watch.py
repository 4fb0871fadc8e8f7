"""Watching a log grow: what was verified is remembered, and only what came since is read.

The memory is a folder: `checkpoint` (the signed note) and `seen-at` (when it was read, by the
watcher's own clock). Both are replaced as a whole, and only by what has verified, so that the note
which a tamperer contradicts is still there afterwards. Losing `seen-at` in a crash between the two
costs nothing but a finding: an older moment is a weaker claim, and never a false one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from audit.durable import replace_file
from audit.errors import EvidenceRefused
from audit.keyring import LogKeys
from audit.noteform import MAX_NOTE_BYTES
from audit.replay import Progress, Replayed, replay
from audit.tilepath import CHECKPOINT_PATH
from audit.tiles import TileSource
from audit.times import Chronology, SeenAt


@dataclass(frozen=True, slots=True)
class Seen:
    """The checkpoint that verified last, and when it did."""

    note: bytes
    at: datetime


class WatchMemory:
    """What a watcher remembers, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._note = folder / "checkpoint"
        self._at = folder / "seen-at"

    def recall(self) -> Seen | None:
        """What was seen last, or None at the first time. Raises EvidenceRefused."""
        if not self._note.exists():
            return None
        try:
            at = datetime.fromisoformat(self._at.read_text("ascii").strip())
        except (OSError, ValueError):
            raise EvidenceRefused(f"{self._at} is missing or not a time") from None
        if at.tzinfo is None:
            raise EvidenceRefused(f"{self._at} does not name its time zone")
        return Seen(self._note.read_bytes()[: MAX_NOTE_BYTES + 1], at)

    def keep(self, seen: Seen) -> None:
        """Remember, durably: first the note, since its time may be older but not younger."""
        self._note.parent.mkdir(parents=True, exist_ok=True)
        if not self._at.exists():
            replace_file(self._at, seen.at.isoformat().encode())
        replace_file(self._note, seen.note)
        replace_file(self._at, seen.at.isoformat().encode())


def look(
    source: TileSource,
    memory: WatchMemory,
    *,
    keys: LogKeys,
    now: datetime,
    on_progress: Progress | None = None,
) -> Replayed:
    """Verify what came since the last look, or everything at the first; remember and return it.

    Raises LogTampered, or the error of what cannot be read; then the memory stays as it was.
    """
    seen = memory.recall()
    after = None if seen is None else keys.checkpoint(seen.note)
    note = source.read(CHECKPOINT_PATH)
    border = None if seen is None or after is None else SeenAt(after.size, seen.at)
    replayed = replay(
        source,
        verifier=keys,
        after=after,
        times=Chronology(now=now, seen=border),
        on_progress=on_progress,
    )
    if replayed.checkpoint != after:
        memory.keep(Seen(note, now.astimezone(UTC)))
    return replayed
