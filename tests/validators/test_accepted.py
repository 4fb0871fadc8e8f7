"""Accepted rows: read as they were added, less what was withdrawn, and from nobody's memory."""

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from validators.accepted import AcceptedRows, MemorySpool

VALUES = st.none() | st.integers() | st.text() | st.lists(st.text())
ROWS = st.lists(st.dictionaries(st.text(min_size=1), VALUES))


@given(rows=ROWS, withdrawn=st.sets(st.integers(0, 20)), gap=st.integers(1, 3))
def test_rows_come_back_in_order_less_what_was_withdrawn(
    rows: list[dict[str, object]], withdrawn: set[int], gap: int
) -> None:
    accepted = AcceptedRows(MemorySpool())
    numbers = [2 + at * gap for at in range(len(rows))]
    for number, row in zip(numbers, rows, strict=True):
        accepted.add(number, row)
    for number in withdrawn:
        accepted.withdraw(number)
        accepted.withdraw(number)
    expected = [row for number, row in zip(numbers, rows, strict=True) if number not in withdrawn]
    assert list(accepted) == expected
    assert list(accepted) == expected
    assert len(accepted) == len(expected)
    assert bool(accepted) == bool(expected)


def test_a_line_break_inside_a_value_breaks_no_line() -> None:
    accepted = AcceptedRows(MemorySpool())
    accepted.add(2, {"text": "one\ntwo\r\n\tthree\u2028four"})
    (line,) = accepted.lines()
    assert line.count(b"\n") == 1
    assert list(accepted) == [{"text": "one\ntwo\r\n\tthree\u2028four"}]


class _Counting(BytesIO):
    """A spool that shows what went into it."""

    def reader(self) -> BytesIO:
        return self


def test_rows_are_in_the_spool_and_nowhere_else() -> None:
    spool = _Counting()
    accepted = AcceptedRows(spool)
    for number in range(2, 1002):
        accepted.add(number, {"person_ref": f"P{number}"})
    assert spool.getvalue().count(b"\n") == 1000
    held = [value for name, value in vars(accepted).items() if name != "_spool"]
    assert "person_ref" not in repr(held)
    assert "P500" not in repr(held)
