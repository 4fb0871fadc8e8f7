"""Whether the times of entries can be true. The log's keeper writes them, so they prove little.

What they are held to, with a tolerance of five minutes for late commits and clocks that differ:

    time-not-of-event-id    the time and the one within the event id (RFC 9562 section 5.7) differ
    time-runs-back          an entry before this one is younger
    time-ahead              the time is later than the reader's clock
    time-before-checkpoint  the entry was added after a checkpoint that the reader has had since a
                            later time: it was dated back, or had waited to be added
    time-before-stamp       the entry was added after a checkpoint that an authority has stamped at
                            a later time: dated back likewise, whoever reads
    time-after-stamp        the time is later than that of a stamp over the entry

A fault of time is a finding, not yet a proof of tampering: a wrong clock makes them, too. But all
of it is signed, so that somebody has to explain it.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate

from audit.entry import Skimmed, moment

TOLERANCE = timedelta(minutes=5)
NOT_OF_EVENT_ID = "time-not-of-event-id"
RUNS_BACK = "time-runs-back"
AHEAD = "time-ahead"
BEFORE_CHECKPOINT = "time-before-checkpoint"
BEFORE_STAMP = "time-before-stamp"
AFTER_STAMP = "time-after-stamp"

_MINUTE = timedelta(minutes=1)
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimeFinding:
    """One entry whose time cannot be true, and by how many seconds it is wrong."""

    index: int
    code: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SeenAt:
    """When somebody had a checkpoint in hand: the reader by their own clock, or an authority."""

    size: int
    at: datetime


class Chronology:
    """The times of a log, entry after entry.

    Nearly all bundles are cleared whole, by comparing text; entries of any other are looked at one
    by one, and those that are then in doubt are judged to the millisecond.
    """

    def __init__(
        self,
        *,
        now: datetime | None = None,
        seen: SeenAt | None = None,
        stamps: Sequence[SeenAt] = (),
    ) -> None:
        self._latest = b"9" if now is None else _text(now + TOLERANCE)
        self._seen = seen
        self._borders = _Borders(stamps)
        self._newest = b"0"
        self._newest_minute = b""
        self._floor = b""

    def read(self, start: int, entries: Skimmed) -> Iterator[TimeFinding]:
        """Judge the entries that follow; `start` is the index of the first."""
        if entries.times and not self._cleared(entries):
            yield from self._one_by_one(start, entries)
        if self._seen is not None and start + len(entries.times) > self._seen.size:
            yield from self._since(start, entries, self._seen)
        yield from self._borders.read(start, entries.times)

    def _cleared(self, entries: Skimmed) -> bool:
        """Whether all of them lie so close together that none can break a rule."""
        oldest, newest = min(entries.times), max(entries.times)
        low, high = _ids_of(newest[:16])[0], _ids_of(oldest[:16])[1]
        if not low <= min(entries.event_ids)[:13] or not max(entries.event_ids)[:13] <= high:
            return False
        floor = _floor_of(newest[:16]) if newest > self._newest else self._floor
        if oldest < floor or newest > self._latest:
            return False
        if newest > self._newest:
            self._advance(newest)
        return True

    def _one_by_one(self, start: int, entries: Skimmed) -> Iterator[TimeFinding]:
        minute, low, high = b"-", b"", b""
        for index, (event_id, time) in enumerate(
            zip(entries.event_ids, entries.times, strict=True), start
        ):
            if not time.startswith(minute):
                minute = time[:16]
                low, high = _ids_of(minute)
            if not (low <= event_id[:13] <= high and self._floor <= time <= self._latest):
                yield from self._judge(index, event_id, time)
            if time > self._newest:
                self._advance(time)

    def _advance(self, time: bytes) -> None:
        self._newest = time
        if time[:16] != self._newest_minute:
            self._newest_minute = time[:16]
            self._floor = _floor_of(time[:16])

    def _judge(self, index: int, event_id: bytes, time: bytes) -> Iterator[TimeFinding]:
        at, most = moment(time), TOLERANCE / timedelta(milliseconds=1)
        off = abs(made(event_id) - at)
        if off > most:
            yield TimeFinding(index, NOT_OF_EVENT_ID, off / 1000)
        back = moment(self._newest) - at if self._newest_minute else 0
        if back > most:
            yield TimeFinding(index, RUNS_BACK, back / 1000)
        if time > self._latest:
            yield TimeFinding(index, AHEAD, (at - moment(self._latest) + most) / 1000)

    def _since(self, start: int, entries: Skimmed, seen: SeenAt) -> Iterator[TimeFinding]:
        floor = _text(seen.at - TOLERANCE)
        for index, time in enumerate(entries.times, start):
            if index >= seen.size and time < floor:
                late = moment(_text(seen.at)) - moment(time)
                yield TimeFinding(index, BEFORE_CHECKPOINT, late / 1000)


class _Borders:
    """Stamps: an entry that one covers is not younger than it, and one beyond it is not older."""

    def __init__(self, stamps: Sequence[SeenAt]) -> None:
        at: defaultdict[int, list[datetime]] = defaultdict(list)
        for each in stamps:
            at[each.size].append(each.at)
        self._sizes = sorted(at)
        # What is larger and was there earlier was there as well.
        backwards = accumulate((min(at[size]) for size in reversed(self._sizes)), min)
        self._youngest = list(backwards)[::-1]
        # Anybody can have an old checkpoint stamped today, and nothing beyond it is then dated
        # back: where a larger one was there by then, this one was not the newest.
        ends = [*self._youngest, _END][1:]
        proven = (
            max((one for one in at[size] if one < end), default=_BEGIN)
            for size, end in zip(self._sizes, ends, strict=True)
        )
        self._oldest = list(accumulate(proven, max))

    def read(self, start: int, times: Sequence[bytes]) -> Iterator[TimeFinding]:
        """Judge the entries from `start` on, between one border and the next."""
        at = start
        while at < start + len(times):
            part = bisect_right(self._sizes, at)
            stop = self._sizes[part] if part < len(self._sizes) else start + len(times)
            yield from self._between(part, at, times[at - start : stop - start])
            at = stop

    def _between(self, part: int, start: int, times: Sequence[bytes]) -> Iterator[TimeFinding]:
        if part and min(times) < (floor := _text(self._oldest[part - 1] - TOLERANCE)):
            at = moment(_text(self._oldest[part - 1]))
            for index, time in enumerate(times, start):
                if time < floor:
                    yield TimeFinding(index, BEFORE_STAMP, (at - moment(time)) / 1000)
        if part < len(self._sizes) and max(times) > (
            ceiling := _text(self._youngest[part] + TOLERANCE)
        ):
            at = moment(_text(self._youngest[part]))
            for index, time in enumerate(times, start):
                if time > ceiling:
                    yield TimeFinding(index, AFTER_STAMP, (moment(time) - at) / 1000)


def made(event_id: bytes) -> int:
    """The milliseconds since 1970 within a UUID of version 7."""
    return int(event_id[:8] + event_id[9:13], 16)


@lru_cache(maxsize=64)
def _floor_of(minute: bytes) -> bytes:
    """A time from this one on is not too far behind any moment of the minute."""
    return _text(_start(minute) + _MINUTE - TOLERANCE)


@lru_cache(maxsize=64)
def _ids_of(minute: bytes) -> tuple[bytes, bytes]:
    """Ids between these belong to every moment of the minute."""
    start = _start(minute)
    return _id(start + _MINUTE - TOLERANCE), _id(start + TOLERANCE)


def _start(minute: bytes) -> datetime:
    return datetime.fromisoformat(minute.decode("ascii")).replace(tzinfo=UTC)


def _id(time: datetime) -> bytes:
    digits = f"{int(time.timestamp()) * 1000:012x}"
    return f"{digits[:8]}-{digits[8:]}".encode()


def _text(time: datetime) -> bytes:
    moment_ = time.astimezone(UTC).isoformat(timespec="milliseconds")
    return moment_.replace("+00:00", "Z").encode()
