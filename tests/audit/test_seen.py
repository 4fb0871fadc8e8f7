"""The table of events: exact, small, and not to be filled by design."""

from hypothesis import given
from hypothesis import strategies as st

from audit.seen import SeenEvents


@given(st.lists(st.binary(min_size=1, max_size=2), max_size=200))
def test_it_finds_what_a_set_finds(ids: list[bytes]) -> None:
    met: set[bytes] = set()
    repeated = [n for n, one in enumerate(ids) if one in met or met.add(one)]  # type: ignore[func-returns-value]
    assert list(SeenEvents(len(ids)).add(ids)) == repeated


def test_it_remembers_from_call_to_call() -> None:
    seen = SeenEvents(4)
    assert list(seen.add([b"a", b"b"])) == []
    assert list(seen.add([b"c", b"a"])) == [1]


def test_it_holds_as_many_as_were_announced() -> None:
    ids = [number.to_bytes(16, "big") for number in range(10_000)]
    seen = SeenEvents(len(ids))
    assert list(seen.add(ids)) == []
    assert list(seen.add(ids)) == list(range(10_000))
    assert len(seen._table) * 8 <= 48 * len(ids)
