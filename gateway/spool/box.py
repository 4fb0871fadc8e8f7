"""Files on their way: ciphertext as received, on this machine's disk, until it is handed over.

Clients write out of order, break off and come back. Of a file that is not open only what arrived
without a gap is kept, so that its size says how much is there; of one whose process died nothing
is, for nobody knows where its gaps are. Nothing here has been acknowledged.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gateway.errors import Conflict, NotFound, RequestRefused, TooMany
from gateway.flow.body import require_message, too_large
from gateway.spool.names import Names

KEPT = timedelta(days=7)
"""How long a file waits for its next octet."""

MOST_FILES = 200
_MARK = ".held"
_MOST_GAPS = 4096


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that is not whole, or was not handed over."""

    name: str
    size: int
    changed: float


class Spool:
    """The folder of all agencies' files."""

    def __init__(self, folder: Path, names: Names, *, max_bytes: int, quota: int) -> None:
        self._folder = folder
        self._names = names
        self._max_bytes = max_bytes
        self._quota = quota

    def of(self, agency_id: str) -> "Box":
        """An agency's files."""
        folder = self._folder / self._names.hide("inbox", of=agency_id)
        folder.mkdir(mode=0o700, exist_ok=True)
        return Box(folder, agency_id, self._names, max_bytes=self._max_bytes, quota=self._quota)

    def remove_expired(self, *, now: datetime) -> int:
        """Forget what has waited too long; return how many files it was."""
        oldest, removed = (now - KEPT).timestamp(), 0
        for path in self._folder.glob("*/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
                    removed += 1
        return removed


class Box:
    """The files of one agency, by the names that it gave them."""

    def __init__(
        self, folder: Path, agency_id: str, names: Names, *, max_bytes: int, quota: int
    ) -> None:
        self._folder = folder
        self._agency_id = agency_id
        self._names = names
        self._max_bytes = max_bytes
        self._quota = quota

    def waiting(self) -> Iterator[Waiting]:
        """Every file; one that somebody writes to with the size it has just now."""
        for path in sorted(self._folder.iterdir()):
            name = self._names.show(path.name, of=self._agency_id)
            found = None if name is None else self.find(name)
            if found is not None:
                yield found

    def find(self, name: str) -> Waiting | None:
        """One of them."""
        path = self.path(name)
        if _mark(path).exists():
            with suppress(RequestRefused), _Claim(path):
                pass  # what is left of a process that died is forgotten here
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        return Waiting(name, status.st_size, status.st_mtime)

    def path(self, name: str) -> Path:
        """Where a file lies."""
        return self._folder / self._names.hide(name, of=self._agency_id)

    def open(self, name: str, *, anew: bool) -> "Growing":
        """Begin a file, or go on with one; raises Conflict while somebody else writes to it."""
        path = self.path(name)
        others = self._sizes(but=path)
        if len(others) >= MOST_FILES:
            raise _too_many()
        room = min(self._max_bytes, self._quota - sum(others))
        if room <= 0:
            raise _full()
        claim = _Claim(path)
        claim.__enter__()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if anew else 0)
        try:
            descriptor = os.open(path, flags, 0o600)
        except BaseException:
            claim.give_up()
            raise
        return Growing(name, path, descriptor, claim, limit=room, most=self._max_bytes)

    def _sizes(self, *, but: Path) -> list[int]:
        sizes = []
        for path in self._folder.iterdir():
            if path != but and path.suffix != _MARK:
                with suppress(FileNotFoundError):
                    sizes.append(path.stat().st_size)
        return sizes

    def remove(self, name: str) -> None:
        """Forget a file; raises NotFound, or Conflict while somebody writes to it."""
        path = self.path(name)
        with _Claim(path):
            try:
                path.unlink()
            except FileNotFoundError:
                raise NotFound("file") from None

    @contextmanager
    def held(self, name: str) -> Iterator[Path]:
        """A file that nobody else changes within the block."""
        path = self.path(name)
        with _Claim(path):
            yield path

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; raises NotFound, or Conflict while somebody writes to it."""
        source, target = self.path(old), self.path(new)
        with _Claim(source), _Claim(target):
            try:
                source.rename(target)
            except FileNotFoundError:
                raise NotFound("file") from None


def _mark(path: Path) -> Path:
    return path.with_name(path.name + _MARK)


class _Claim:
    """The right to change a file, held by one session of one process.

    A mark beside the file says that it is held, and a lock on the mark that its holder lives. So a
    mark without a lock tells of a process that died, and the file beside it is worth nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = _mark(path)
        self._descriptor = -1

    def __enter__(self) -> "_Claim":
        while not self._taken():
            pass
        return self

    def __exit__(self, *_: object) -> None:
        self.give_up()

    def give_up(self) -> None:
        """Let others have the file."""
        self._mark.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _taken(self) -> bool:
        """Whether the mark that was locked is the one that is there; raises Conflict."""
        self._descriptor = os.open(self._mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise _in_use() from None
        try:
            return self._marked()
        except OSError:  # a full disk; a descriptor left open would hold the file for ever
            self.give_up()
            raise

    def _marked(self) -> bool:
        status = os.fstat(self._descriptor)
        if status.st_nlink == 0:  # its holder has ended between our two steps
            os.close(self._descriptor)
            return False
        if status.st_size:
            self._path.unlink(missing_ok=True)
        else:
            os.write(self._descriptor, b"held")
        return True


class Growing:
    """A file that a client writes to."""

    def __init__(
        self, name: str, path: Path, descriptor: int, claim: _Claim, *, limit: int, most: int
    ) -> None:
        self.name = name
        self.path = path
        self._descriptor = descriptor
        self._claim = claim
        self._limit = limit
        self._most = most
        size = os.fstat(descriptor).st_size
        self._spans = [(0, size)] if size else []

    @property
    def size(self) -> int:
        """Where the file ends, gaps or not."""
        return self._spans[-1][1] if self._spans else 0

    def write(self, offset: int, data: bytes) -> None:
        """Take octets; raises RequestRefused for what is no message, or too much."""
        end = offset + len(data)
        if end > self._limit:
            raise too_large(self._most) if end > self._most else _full()
        if offset == 0:
            require_message(data)
        elif not self._spans or self._spans[0][0] != 0:
            # What a file is, its first octets tell: before them nothing is put onto the disk.
            raise _from_the_middle()
        at = offset
        while data:
            written = os.pwrite(self._descriptor, data, at)
            at, data = at + written, data[written:]
        self._spans = joined(self._spans, (offset, end))

    def shorten(self, size: int) -> None:
        """Cut the file, as a client does that begins anew; it never grows by this."""
        if size < self.size:
            os.ftruncate(self._descriptor, size)
            cut = [(begin, min(end, size)) for begin, end in self._spans]
            self._spans = [(begin, end) for begin, end in cut if begin < end]

    def settle(self) -> Waiting:
        """Cut the file to what arrived without a gap."""
        size = self._spans[0][1] if self._spans else 0
        os.ftruncate(self._descriptor, size)
        return Waiting(self.name, size, os.fstat(self._descriptor).st_mtime)

    def release(self, *, forget: bool) -> None:
        """Let others have the file, which stays unless it is to be forgotten or is empty."""
        try:
            if forget or not os.fstat(self._descriptor).st_size:
                self.path.unlink(missing_ok=True)
            else:
                os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)
            self._claim.give_up()


def joined(spans: list[tuple[int, int]], new: tuple[int, int]) -> list[tuple[int, int]]:
    """Spans of a file, in order and without touching each other, with one more."""
    if spans and spans[-1][0] <= new[0] <= spans[-1][1]:  # nearly always
        return [*spans[:-1], (spans[-1][0], max(spans[-1][1], new[1]))]
    if len(spans) >= _MOST_GAPS:
        raise _from_the_middle()
    merged: list[tuple[int, int]] = []
    for begin, end in sorted([*spans, new]):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _from_the_middle() -> RequestRefused:
    return RequestRefused(
        "from-the-middle",
        "What is before this part of the file has not arrived.",
        "Send the file from its beginning.",
    )


def _in_use() -> Conflict:
    return Conflict(
        "file-in-use",
        "Another session writes to this file now.",
        "Wait until it has ended, or use another name.",
    )


def _too_many() -> TooMany:
    return TooMany(
        "too-many-files",
        f"More than {MOST_FILES} unfinished files are waiting.",
        "Finish or remove some of them first.",
    )


def _full() -> TooMany:
    return TooMany(
        "inbox-full",
        "Your unfinished files take all the room that there is for them.",
        "Finish or remove some of them first.",
    )
