"""Times that cannot be true: each rule, and a millisecond on either side of its border."""

from datetime import datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.entry import skim
from audit.times import (
    AFTER_STAMP,
    AHEAD,
    BEFORE_CHECKPOINT,
    BEFORE_STAMP,
    NOT_OF_EVENT_ID,
    RUNS_BACK,
    TOLERANCE,
    Chronology,
    SeenAt,
)
from tests.audit.samples import START, event, id_at

MILLISECOND = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)


def found(
    times: list[datetime], made: list[datetime] | None = None, *, start: int = 0, **known: object
) -> list[tuple[int, str, float]]:
    skimmed = skim(
        event(n, time=time, event_id=id_at(of, n)).to_bytes()
        for n, (time, of) in enumerate(zip(times, made or times, strict=True))
    )
    findings = Chronology(**known).read(start, skimmed)  # type: ignore[arg-type]
    return [(finding.index, finding.code, finding.seconds) for finding in findings]


@given(st.lists(st.tuples(st.integers(-700, 700), st.integers(-310, 310)), max_size=20))
def test_a_bundle_is_cleared_only_where_every_entry_would_be(steps: list[tuple[int, int]]) -> None:
    """All at once or one at a time, the findings are the same."""
    times = [START + timedelta(seconds=step) for step, _ in steps]
    made = [time + timedelta(seconds=off) for time, (_, off) in zip(times, steps, strict=True)]
    rows = [
        event(n, time=time, event_id=id_at(of, n)).to_bytes()
        for n, (time, of) in enumerate(zip(times, made, strict=True))
    ]
    now = START + timedelta(seconds=200)
    together, apart = Chronology(now=now), Chronology(now=now)
    singly = [one for n, row in enumerate(rows) for one in apart.read(n, skim([row]))]
    assert list(together.read(0, skim(rows))) == singly
    exact = Chronology(now=now)
    assert list(exact._one_by_one(0, skim(rows))) == singly


def test_a_day_of_entries_has_nothing_to_find() -> None:
    assert found([START + timedelta(seconds=30 * n) for n in range(3_000)]) == []


@pytest.mark.parametrize("seconds", [0, 31, 59.999])
def test_late_commits_are_no_finding_up_to_the_tolerance(seconds: float) -> None:
    newest = START + timedelta(seconds=seconds)
    assert found([newest, newest - TOLERANCE]) == []
    back = newest - TOLERANCE - MILLISECOND
    assert found([newest, back]) == [(1, RUNS_BACK, 300.001)]


def test_an_entry_dated_back_among_true_ones_is_found_and_they_are_not() -> None:
    times = [START, START - HOUR, START + MILLISECOND]
    assert found(times) == [(1, RUNS_BACK, 3600.0)]


@pytest.mark.parametrize("sign", [1, -1])
def test_time_and_event_id_agree(sign: int) -> None:
    assert found([START], [START + sign * TOLERANCE]) == []
    made = START + sign * (TOLERANCE + MILLISECOND)
    assert found([START], [made]) == [(0, NOT_OF_EVENT_ID, 300.001)]


def test_the_future_is_not_yet() -> None:
    assert found([START + TOLERANCE], now=START) == []
    assert found([START + HOUR], now=START) == [(0, AHEAD, 3600.0)]
    assert found([START + HOUR]) == []


def test_what_came_after_a_checkpoint_did_not_happen_before_it() -> None:
    seen = SeenAt(2, START + HOUR)
    times = [START, START, START + HOUR - TOLERANCE, START + HOUR - TOLERANCE - MILLISECOND]
    assert found(times, seen=seen) == [(3, BEFORE_CHECKPOINT, 300.001)]
    assert found(times) == []


def test_indices_are_those_of_the_log() -> None:
    assert found([START, START - HOUR], start=512) == [(513, RUNS_BACK, 3600.0)]


def test_what_an_authority_stamped_is_not_younger_and_what_came_after_is_not_older() -> None:
    stamp = SeenAt(1, START + HOUR)
    late, early = stamp.at + TOLERANCE, stamp.at - TOLERANCE
    assert found([early, early], stamps=[stamp]) == []
    assert found([late, late], stamps=[stamp]) == []
    assert found([late + MILLISECOND] * 2, stamps=[stamp]) == [(0, AFTER_STAMP, 300.001)]
    assert found([early - MILLISECOND] * 2, stamps=[stamp]) == [(1, BEFORE_STAMP, 300.001)]


@pytest.mark.parametrize("start", [0, 1, 2, 5])
def test_every_entry_lies_between_the_stamps_around_it(start: int) -> None:
    stamps = [SeenAt(size, START + size * HOUR) for size in (6, 2, 4)]
    times = [START + n * HOUR for n in range(8)]
    assert found(times[start:], start=start, stamps=stamps) == []
    back = [START - HOUR] * 8
    assert [index for index, code, _ in found(back, stamps=stamps) if code == BEFORE_STAMP] == [
        *range(2, 8)
    ]
    ahead = [START + 9 * HOUR] * 8
    assert [index for index, code, _ in found(ahead, stamps=stamps) if code == AFTER_STAMP] == [
        *range(6)
    ]


def test_of_several_authorities_the_tightest_counts() -> None:
    stamps = [SeenAt(2, START + HOUR), SeenAt(2, START + 2 * HOUR)]
    assert found([START + 2 * HOUR] * 3, stamps=stamps) == [
        (0, AFTER_STAMP, 3600.0),
        (1, AFTER_STAMP, 3600.0),
    ]
    assert found([START + HOUR] * 3, stamps=stamps) == [(2, BEFORE_STAMP, 3600.0)]


def test_an_old_checkpoint_that_somebody_has_stamped_today_accuses_nobody() -> None:
    """Anybody can: a checkpoint is public. A larger one, stamped before, shows that it was old."""
    times = [START + n * HOUR for n in range(6)]
    honest = [SeenAt(2, START + 2 * HOUR), SeenAt(4, START + 4 * HOUR)]
    assert found(times, stamps=[*honest, SeenAt(2, START + 99 * HOUR)]) == []


@given(st.data())
def test_stamps_of_an_honest_log_find_nothing_however_it_is_cut(data: st.DataObject) -> None:
    steps = data.draw(st.lists(st.integers(0, 900), min_size=1, max_size=30))
    times = [START + timedelta(seconds=second) for second in accumulate(steps)]
    cuts = data.draw(st.lists(st.integers(1, len(times)), max_size=5))
    stamps = [SeenAt(size, times[size - 1]) for size in cuts]
    start = data.draw(st.integers(0, len(times) - 1))
    assert found(times[start:], start=start, stamps=stamps) == []
