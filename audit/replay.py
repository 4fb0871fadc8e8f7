"""Checking a whole log, offline, trusting only its key.

1. The checkpoint is signed by the log's key.
2. Every entry is canonical, and no event occurs twice.
3. Every hash tile is the one that follows from the entries.
4. The root that follows from the entries is the one signed.
5. Where earlier checkpoints are given, the log begins with exactly what each of them covered.
6. The times of the entries can be true (`audit.times`): what cannot is a finding, not a failure.
7. The entries of each agency are numbered without a gap (`audit.counters`), or it is a finding.

Memory grows by some 16 bytes an entry (`audit.seen`), and a little for each agency. What is found
wrong is raised as LogTampered, which says where, and up to which size the log is proven good all
the same.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from audit.actions import Action
from audit.checkpoint import Checkpoint
from audit.counters import CounterFinding, Counters
from audit.edge import RightEdge
from audit.entry import Entry, Skimmed, skim
from audit.errors import EntryRefused, Fault, LogTampered, TileMissing
from audit.keyring import LogKeys, open_checkpoint
from audit.merkle import HASH_BYTES
from audit.note import Verifier
from audit.seen import SeenEvents
from audit.store import LEVELS_A_TILE, TILE_WIDTH
from audit.tilepath import CHECKPOINT_PATH, TilePath, tile_of, tile_paths
from audit.tiles import TileSource, read_entries, read_hashes, read_tile
from audit.times import Chronology, TimeFinding

Progress = Callable[[int, int], None]
TakeEntries = Callable[[Sequence[bytes]], None]
Finding = CounterFinding | TimeFinding
MOST_FINDINGS = 1000
"""How many findings of a kind are kept; a clock that is wrong for a day makes one an entry."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A log of which every entry was checked."""

    checkpoint: Checkpoint
    actions: Mapping[Action, int]
    findings: Sequence[Finding] = ()

    @property
    def entries(self) -> int:
        """How many entries were checked."""
        return self.checkpoint.size


def replay(
    source: TileSource,
    *,
    verifier: Verifier | LogKeys,
    since: Sequence[Checkpoint] = (),
    times: Chronology | None = None,
    after: Checkpoint | None = None,
    on_entries: TakeEntries | None = None,
    on_progress: Progress | None = None,
) -> Replayed:
    """Return the log's checkpoint and what it holds, all verified.

    `since` are checkpoints that the caller verified earlier. Given `after`, a checkpoint up to
    which the caller replayed the log before, only what came since is read; that it extends this
    one is proven all the same, and of each agency the first number that is met is believed.
    `on_entries` gets the entries, bundle after bundle: they are
    canonical, but the signature covers them only once this function returns. `on_progress` is
    called with the number of entries done and the number of all. Raises LogTampered naming the
    first entry or tile that does not fit, TileMissing, TileRefused, or an error of the note.
    """
    head = open_checkpoint(source.read(CHECKPOINT_PATH), verifier)
    known = sorted(since, key=lambda checkpoint: checkpoint.size)
    for checkpoint in known:
        require_later(head, checkpoint)
    if after is not None:
        require_later(head, after)
    reader = _Replay(source, head, known, times or Chronology())
    if after is not None:
        reader.resume(after)
    for bundle in tile_paths(None, head.size):
        if bundle.start + bundle.width <= reader.edge.size:
            continue
        entries = reader.read(bundle)
        if on_entries is not None:
            on_entries(entries)
        if on_progress is not None:
            on_progress(reader.edge.size, head.size)
    reader.finish()
    actions = {Action(action.decode("ascii")): n for action, n in reader.actions.items()}
    return Replayed(head, actions, reader.findings)


def require_later(head: Checkpoint, since: Checkpoint) -> None:
    """Raise LogTampered unless one checkpoint could be later than the other, by what they say."""
    if since.origin != head.origin:
        raise LogTampered("the earlier checkpoint is of another log", Fault.OTHER_LOG)
    if since.size > head.size:
        raise LogTampered("the log is shorter than it once was", Fault.SHORTER)
    if since.size == head.size and since.root != head.root:
        raise LogTampered("two roots for one size: the log has forked", Fault.FORKED)


class _Replay:
    """The state of one run through a log."""

    def __init__(
        self,
        source: TileSource,
        head: Checkpoint,
        known: Sequence[Checkpoint],
        times: Chronology,
    ) -> None:
        self.edge = RightEdge()
        self.actions: Counter[bytes] = Counter()
        self._wrong_times: list[TimeFinding] = []
        self._wrong_counters: list[CounterFinding] = []
        self._source = source
        self._head = head
        self._known = list(known)
        self._times = times
        self._counters = Counters()
        self._events = SeenEvents(head.size)
        self._good = 0

    @property
    def findings(self) -> Sequence[Finding]:
        """What was found so far; first what is not explained by a clock."""
        return (*self._wrong_counters, *self._wrong_times)

    def resume(self, after: Checkpoint) -> None:
        """Take up the tree where a checkpoint left it; its last events are met again."""
        self.edge = RightEdge(after.size, list(self._right_edge(after.size)))
        if self.edge.root() != after.root:
            said = f"the first {after.size} entries are not those of the checkpoint"
            raise self._tampered(said, Fault.REWRITTEN, after.size)
        self._good = after.size
        self._known = [known for known in self._known if known.size > after.size]
        self._counters = Counters(first=None)
        first = max(after.size - TILE_WIDTH, 0) // TILE_WIDTH
        for number in range(first, -(-after.size // TILE_WIDTH)):
            self._meet(tile_of(None, number, self._head.size), after.size)
        self.actions.clear()
        self._wrong_times.clear()
        self._wrong_counters.clear()

    def _meet(self, bundle: TilePath, size: int) -> None:
        entries = read_entries(self._source, bundle)[: size - bundle.start]
        self._take(self._skim(entries, bundle.start), bundle.start)

    def _right_edge(self, size: int) -> Iterator[list[bytes]]:
        level = 0
        while width := size >> LEVELS_A_TILE * level:
            number, partial = divmod(width, TILE_WIDTH)
            path = tile_of(level, number, self._head.size)
            yield read_hashes(self._source, path)[:partial] if partial else []
            level += 1

    def read(self, bundle: TilePath) -> Sequence[bytes]:
        """Check the new entries of one bundle and every tile that they complete; return them."""
        start = max(bundle.start, self.edge.size)
        entries = read_entries(self._source, bundle)[start - bundle.start :]
        self._take(self._skim(entries, start), start)
        leaves = [sha256(b"\x00" + data).digest() for data in entries]
        for part in self._parts(leaves):
            for tile in self.edge.extend(part):
                self._compare(TilePath(tile.level, tile.number), tile.hashes)
            self._require_known()
        return entries

    def finish(self) -> None:
        """Check the partial tiles and the root."""
        for level, hashes in enumerate(self.edge.levels):
            number = (self.edge.size >> LEVELS_A_TILE * level) // TILE_WIDTH
            if hashes:
                self._compare(TilePath(level, number, len(hashes)), b"".join(hashes))
        self._require_known()
        if self._known:
            raise AssertionError("a known checkpoint was not looked at")
        if self.edge.root() != self._head.root:
            raise self._tampered("the entries lead to another root than the one signed", Fault.ROOT)

    def _skim(self, entries: Sequence[bytes], start: int) -> Skimmed:
        try:
            return skim(entries)
        except EntryRefused as refused:
            raise self._no_entry(entries, start) from refused

    def _no_entry(self, entries: Sequence[bytes], start: int) -> LogTampered:
        for index, data in enumerate(entries, start):
            try:
                Entry.from_bytes(data)
            except EntryRefused as error:
                return self._tampered(f"entry {index}: {error}", Fault.NO_ENTRY, index)
        raise AssertionError("what was skimmed and what is read differ")

    def _take(self, skimmed: Skimmed, start: int) -> None:
        for position in self._events.add(skimmed.event_ids):
            self._settle(skimmed.event_ids[position], start + position)
        self.actions.update(skimmed.actions)
        room = MOST_FINDINGS - len(self._wrong_counters)
        self._wrong_counters.extend(islice(self._counters.read(start, skimmed), room))
        room = MOST_FINDINGS - len(self._wrong_times)
        self._wrong_times.extend(islice(self._times.read(start, skimmed), room))

    def _settle(self, event: bytes, index: int) -> None:
        """Raise LogTampered where the event of an entry is in one before it."""
        for bundle in tile_paths(None, self._head.size):
            ids = skim(read_entries(self._source, bundle)).event_ids
            for earlier, other in enumerate(ids, bundle.start):
                if earlier == index:
                    return
                if other == event:
                    said = f"entry {index} repeats the event of entry {earlier}"
                    raise self._tampered(said, Fault.REPEATED, index, earlier)

    def _parts(self, leaves: list[bytes]) -> Iterator[list[bytes]]:
        """The leaves, cut where a known checkpoint ends: its root is looked at there."""
        done, first = 0, self.edge.size
        for checkpoint in tuple(self._known):
            cut = checkpoint.size - first
            if cut >= len(leaves):
                break
            if done <= cut:
                yield leaves[done:cut]
                done = cut
        yield leaves[done:]

    def _require_known(self) -> None:
        while self._known and self._known[0].size == self.edge.size:
            checkpoint = self._known.pop(0)
            if self.edge.root() != checkpoint.root:
                said = f"the first {checkpoint.size} entries are not those of the checkpoint"
                raise self._tampered(said, Fault.REWRITTEN, checkpoint.size)
            self._good = checkpoint.size

    def _compare(self, path: TilePath, ours: bytes) -> None:
        try:
            theirs = read_tile(self._source, path)
        except TileMissing as error:
            raise self._tampered(f"{path} is missing", Fault.MISSING) from error
        if ours == theirs:
            return
        at = next(at for at in range(0, len(ours), HASH_BYTES) if _differ(ours, theirs, at))
        index = path.start + at // HASH_BYTES
        what = "entry" if path.level == 0 else f"level {path.level} hash"
        said = f"{what} {index} is not what the tree holds"
        raise self._tampered(said, Fault.ALTERED if path.level == 0 else Fault.TILE, index)

    def _tampered(
        self, said: str, fault: Fault, index: int | None = None, earlier: int | None = None
    ) -> LogTampered:
        good = f"; its first {self._good} are what was signed before" if self._good else ""
        return LogTampered(
            f"{said}{good}", fault, index=index, earlier=earlier, good_size=self._good
        )


def _differ(ours: bytes, theirs: bytes, at: int) -> bool:
    return ours[at : at + HASH_BYTES] != theirs[at : at + HASH_BYTES]
