"""The numbers of each agency's entries: what is dense, and every way in which it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint
from audit.counters import MISSING, REPEATS, SKIPS, WITHOUT_AGENCY, CounterFinding, Counters
from audit.entry import skim
from audit.replay import MOST_FINDINGS, replay
from audit.tiles import StoreSource
from tests.audit.careless import sequence
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import SIGNER, event

ONE, OTHER = "POL-E23000001", "LA-E10000019"
Numbered = tuple[str | None, int | None]


def rows(entries: list[Numbered], start: int = 0) -> list[bytes]:
    return [
        event(at, agency=agency, agency_counter=counter).to_bytes()
        for at, (agency, counter) in enumerate(entries, start)
    ]


def found(entries: list[Numbered], *, first: int | None = 0) -> list[CounterFinding]:
    return list(Counters(first=first).read(0, skim(rows(entries))))


def of_one(*counters: int | None) -> list[Numbered]:
    return [(ONE, counter) for counter in counters]


def told(*counters: int | None) -> list[tuple[int, str, int | None, int | None]]:
    """What is found where these are the numbers of one agency."""
    return [
        (each.index, each.code, each.expected, each.counter) for each in found(of_one(*counters))
    ]


def test_dense_numbers_are_in_order() -> None:
    assert told(*range(1_000)) == []


def test_each_agency_counts_for_itself() -> None:
    entries: list[Numbered] = [(ONE, 0), (OTHER, 0), (None, None), (OTHER, 1), (ONE, 1), (OTHER, 2)]
    assert found(entries) == []


def test_entries_from_before_there_were_numbers_have_none() -> None:
    assert told(None, None, 0, 1) == []


@pytest.mark.parametrize(
    ("counters", "expected"),
    [
        ((0, 1, 3, 4), [(2, SKIPS, 2, 3)]),
        ((0, 5, 6), [(1, SKIPS, 1, 5)]),
        ((1, 2), [(0, SKIPS, 0, 1)]),
        ((None, 1), [(1, SKIPS, 0, 1)]),
        ((0, 1, 1, 2), [(2, REPEATS, 2, 1)]),
        ((0, 1, 2, 0, 1), [(3, REPEATS, 3, 0)]),
        ((0, 2, 1, 3), [(1, SKIPS, 1, 2), (2, REPEATS, 3, 1), (3, SKIPS, 2, 3)]),
        ((0, None, 1), [(1, MISSING, 1, None)]),
        ((0, None, 2), [(1, MISSING, 1, None), (2, SKIPS, 1, 2)]),
        ((0, 1, None, None), [(2, MISSING, 2, None), (3, MISSING, 2, None)]),
    ],
    ids=[
        "one is missing",
        "several are missing",
        "the first is missing",
        "the first with a number is missing",
        "a number twice",
        "set back",
        "two exchanged",
        "one without",
        "one without, in place of another",
        "no numbers any more",
    ],
)
def test_a_number_that_does_not_follow_is_named(
    counters: tuple[int | None, ...], expected: list[tuple[int, str, int | None, int | None]]
) -> None:
    assert told(*counters) == expected


def test_a_number_counts_an_agency() -> None:
    entries: list[Numbered] = [(None, 0), (ONE, 0), (None, None), (None, 1), (ONE, 1)]
    assert [(each.index, each.code) for each in found(entries)] == [
        (0, WITHOUT_AGENCY),
        (3, WITHOUT_AGENCY),
    ]


def test_who_does_not_read_from_the_beginning_believes_the_first_number() -> None:
    assert found([(ONE, 57), (OTHER, 3), (ONE, 58), (OTHER, 4)], first=None) == []
    assert found(of_one(None, 0, 1), first=None) == []
    (gap,) = found(of_one(57, 59), first=None)
    assert gap == CounterFinding(1, SKIPS, ONE, 58, 59)


def _plain(entries: list[Numbered], first: int | None) -> list[tuple[int, str]]:
    """The same by the words of the documentation, entry after entry."""
    following: dict[str, int] = {}
    seen: list[tuple[int, str]] = []
    for at, (agency, counter) in enumerate(entries):
        if agency is None:
            if counter is not None:
                seen.append((at, WITHOUT_AGENCY))
            continue
        if counter is None:
            if agency in following:
                seen.append((at, MISSING))
            continue
        expected = following.get(agency, first)
        if expected is not None and counter != expected:
            seen.append((at, SKIPS if counter > expected else REPEATS))
        following[agency] = counter + 1
    return seen


@given(
    st.lists(
        st.tuples(st.sampled_from([ONE, OTHER, None]), st.one_of(st.none(), st.integers(0, 4))),
        max_size=20,
    ),
    st.sampled_from([0, None]),
    st.integers(1, 7),
)
def test_what_is_found_is_what_the_rule_says(
    entries: list[Numbered], first: int | None, width: int
) -> None:
    """However the entries are cut into bundles."""
    counters, data = Counters(first=first), rows(entries)
    pairs = [
        (each.index, each.code)
        for start in range(0, len(data), width)
        for each in counters.read(start, skim(data[start : start + width]))
    ]
    assert pairs == _plain(entries, first)


def log_of(*parts: list[bytes]) -> MemoryStore:
    """A log with a checkpoint after each of these."""
    store = MemoryStore()
    for part in parts:
        for row in part:
            store.enqueue(row)
        sequence(store, signer=SIGNER, limit=100_000)
    return store


def checkpoint(store: MemoryStore, at: int) -> Checkpoint:
    return Checkpoint.verify(store.checkpoints[at], verifier=SIGNER.verifier)


def test_a_replay_names_the_gap_and_reads_on() -> None:
    kept = [*range(300), *range(303, 600)]
    replayed = replay(StoreSource(log_of(rows(of_one(*kept)))), verifier=SIGNER.verifier)
    assert replayed.findings == (CounterFinding(300, SKIPS, ONE, 300, 303),)
    assert replayed.entries == len(kept)


def test_a_flood_of_false_times_does_not_hide_a_gap() -> None:
    late = [
        event(n, agency=ONE, agency_counter=n, event_id=event(n + 10**9).event_id).to_bytes()
        for n in range(MOST_FINDINGS + 1)
    ]
    gap = event(9_999, agency=ONE, agency_counter=9_999).to_bytes()
    replayed = replay(StoreSource(log_of([*late, gap])), verifier=SIGNER.verifier)
    assert replayed.findings[0] == CounterFinding(len(late), SKIPS, ONE, len(late), 9_999)
    assert len(replayed.findings) == 1 + MOST_FINDINGS


@pytest.mark.parametrize("read", [1, 255, 256, 300, 512, 700])
def test_who_reads_on_finds_what_is_new(read: int) -> None:
    """What was read last is met again, so that the numbers before the border are known."""
    before, after = of_one(*range(read)), of_one(*range(read + 1, read + 300))
    store = log_of(rows(before), rows(after, read))
    replayed = replay(StoreSource(store), verifier=SIGNER.verifier, after=checkpoint(store, 0))
    assert replayed.findings == (CounterFinding(read, SKIPS, ONE, read, read + 1),)


def test_who_reads_on_takes_an_agency_as_it_comes() -> None:
    """What was found before the border is not said again, and what was long ago is not known."""
    before: list[Numbered] = [(OTHER, 7), *of_one(*range(600))]
    after: list[Numbered] = [(OTHER, 9), (OTHER, 10), (ONE, 600), (OTHER, 12)]
    store = log_of(rows(before), rows(after, len(before)))
    source = StoreSource(store)
    read_on = replay(source, verifier=SIGNER.verifier, after=checkpoint(store, 0))
    gap = CounterFinding(len(before) + 3, SKIPS, OTHER, 11, 12)
    assert read_on.findings == (gap,)
    whole = replay(source, verifier=SIGNER.verifier)
    assert [each.index for each in whole.findings] == [0, len(before), gap.index]


def test_reading_on_from_a_full_tile_meets_nothing_twice() -> None:
    """An event that is met twice would be looked for through the whole log."""
    store = log_of(rows(of_one(*range(512))), rows(of_one(*range(512, 520)), 512))
    source = Counted(store)
    replay(source, verifier=SIGNER.verifier, after=checkpoint(store, 0))
    assert source.bundles == 2, "the last one before, and the new one"


class Counted(StoreSource):
    """A source that counts the bundles which are read."""

    bundles = 0

    def read(self, path: str) -> bytes:
        self.bundles += "entries" in path
        return super().read(path)
