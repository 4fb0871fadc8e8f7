"""Whether the entries of each agency are all there: each says how many there were before it.

The number (`agency_counter`) is taken in the transaction of the act, so that an entry which the
owner of the database takes away before it is sequenced leaves a gap. What is found:

    counter-skips           numbers in between are missing before this entry
    counter-repeats         the number, or a greater one, was there before
    counter-missing         an entry without a number, after one of the agency's that has one
    counter-without-agency  a number, and no agency that it counts

Each number is compared with the one before it of the same agency, so that one wrong step is said
once, and not again at every entry after it. These are findings: no signature is contradicted, and
what else is in the log must be read all the same. But a clock does not explain them.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress, count, repeat
from operator import ne

from audit.entry import Skimmed

SKIPS = "counter-skips"
REPEATS = "counter-repeats"
MISSING = "counter-missing"
WITHOUT_AGENCY = "counter-without-agency"


@dataclass(frozen=True, slots=True)
class CounterFinding:
    """One entry whose number is not the `expected` one; None is no number, or no agency."""

    index: int
    code: str
    agency: str | None
    expected: int | None
    counter: int | None


class Counters:
    """The numbers of a log, entry after entry.

    `first` is what every agency begins with. Whoever does not read from the beginning gives None:
    the first number that is met of an agency is then taken as it is.
    """

    def __init__(self, *, first: int | None = 0) -> None:
        self._first = first
        self._begun: set[bytes] = set()
        # What the next entry of an agency must say, as it is spelt: nothing, before its first.
        self._next: defaultdict[bytes | None, Iterator[bytes | None]] = defaultdict(_nothing)

    def read(self, start: int, entries: Skimmed) -> Iterator[CounterFinding]:
        """Judge the entries that follow; `start` is the index of the first."""
        # Nothing here runs in Python but for an entry that does not say what it must.
        expected = map(next, map(self._next.__getitem__, entries.agencies))
        for at in compress(count(), map(ne, expected, entries.counters)):
            yield from self._judge(start + at, entries.agencies[at], entries.counters[at])

    def _judge(
        self, index: int, agency: bytes | None, counter: bytes | None
    ) -> Iterator[CounterFinding]:
        found = None if counter is None else int(counter)
        if agency is None:
            yield CounterFinding(index, WITHOUT_AGENCY, None, None, found)
            return
        expected = self._expected(agency)
        if found is None:
            self._next[agency] = _numbers(expected or 0)
            yield CounterFinding(index, MISSING, agency.decode(), expected, None)
            return
        self._begun.add(agency)
        self._next[agency] = _numbers(found + 1)
        if expected is not None and found != expected:
            code = SKIPS if found > expected else REPEATS
            yield CounterFinding(index, code, agency.decode(), expected, found)

    def _expected(self, agency: bytes) -> int | None:
        """What the entry in hand should have said."""
        if agency not in self._begun:
            return self._first
        # That was drawn already, so the number after it is the next to come.
        return int(next(self._next[agency]) or 0) - 1


def _nothing() -> Iterator[bytes | None]:
    return repeat(None)


def _numbers(first: int) -> Iterator[bytes | None]:
    return map(b"%d".__mod__, count(first))
