"""Watching a log grow: what was verified is remembered, and only what came since is read.

The memory is a folder: `checkpoint` (the signed note) and `seen-at` (when it was read, by the
watcher's own clock); where there are timestamps, `stamped` (the size and time of the newest that
verified). The first two are replaced as a whole, and only by what has verified, so that the note
which a tamperer contradicts is still there afterwards. Losing `seen-at` in a crash between the two
costs nothing but a finding: an older moment is a weaker claim, and never a false one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from audit.checkpoint import Checkpoint
from audit.durable import replace_file
from audit.errors import EvidenceRefused, Fault, LogTampered
from audit.keyring import LogKeys
from audit.noteform import MAX_NOTE_BYTES
from audit.proving import prove_growth
from audit.replay import Replayed, replay
from audit.tilepath import CHECKPOINT_PATH
from audit.tiles import TileSource
from audit.times import Chronology, SeenAt
from audit.timestamp import Stamp


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
        self._stamped = folder / "stamped"

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

    def stamped(self) -> SeenAt | None:
        """The newest timestamp that verified so far, or None. Raises EvidenceRefused."""
        if not self._stamped.exists():
            return None
        try:
            size, at = self._stamped.read_text("ascii").split()
            return SeenAt(int(size), datetime.fromisoformat(at).astimezone(UTC))
        except (OSError, ValueError):
            raise EvidenceRefused(f"{self._stamped} holds no size and time") from None

    def keep_stamped(self, newest: SeenAt) -> None:
        """Remember the newest timestamp."""
        replace_file(self._stamped, f"{newest.size} {newest.at.isoformat()}".encode())


def look(
    source: TileSource,
    memory: WatchMemory,
    *,
    keys: LogKeys,
    now: datetime,
    stamps: Sequence[Stamp] = (),
) -> Replayed:
    """Verify what came since the last look, or everything at the first; remember and return it.

    `stamps` are those since the last look: the log must extend what they are over, and the times of
    new entries fit them and the newest one before them. Raises LogTampered, or the error of what
    cannot be read; then the memory stays as it was.
    """
    seen = memory.recall()
    after = None if seen is None else keys.checkpoint(seen.note)
    note = source.read(CHECKPOINT_PATH)
    border = None if seen is None or after is None else SeenAt(after.size, seen.at)
    stamped, last = [SeenAt(each.checkpoint.size, each.at) for each in stamps], memory.stamped()
    borders = stamped if last is None else [last, *stamped]
    replayed = replay(
        source,
        verifier=keys,
        since=[each.checkpoint for each in stamps],
        after=after,
        times=Chronology(now=now, seen=border, stamps=borders),
    )
    for each in stamps:
        if after is not None and 0 < each.checkpoint.size <= after.size:
            _require_beginning(source, each.checkpoint, replayed.checkpoint, keys)
    if replayed.checkpoint != after:
        memory.keep(Seen(note, now.astimezone(UTC)))
    if stamped:
        # Of two over one size the earlier: a weaker claim, and never a false one.
        memory.keep_stamped(max(borders, key=lambda each: (each.size, now - each.at)))
    return replayed


def _require_beginning(
    source: TileSource, earlier: Checkpoint, head: Checkpoint, keys: LogKeys
) -> None:
    """Raise LogTampered unless the log begins so; what was read at an earlier look no replay sees.

    Without this one history could be shown to the watcher and another one be stamped.
    """
    growth = prove_growth(source, earlier.size, head.size, keys)
    if growth.first_root != earlier.root:
        said = f"the first {earlier.size} entries are not those of the checkpoint"
        raise LogTampered(said, Fault.REWRITTEN, index=earlier.size)
