"""A file in blocks is the file row by row, whatever its octets are and wherever a block ends."""

import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.validators.test_readers import DECN, FAULTY_CSV, HEADER, LINE, table
from validators.bulk import reading
from validators.bulk.reading import ROW, plain_frame, read_blocks
from validators.findings import Finding
from validators.readers import FileUnreadable, read_tables
from validators.standard import load_standard

STANDARD = load_standard()
Read = tuple[dict[int, dict[str, object]], list[Finding]]


def in_blocks(data: bytes, size: int) -> Read:
    records: dict[int, dict[str, object]] = {}
    faults: list[Finding] = []
    given = {"name": "DECN.csv", "record_type": DECN, "standard": STANDARD, "size": size}
    try:
        for block in read_blocks(io.BytesIO(data), **given):  # type: ignore[arg-type]
            records |= {row.pop(ROW): row for row in block.frame.iter_rows(named=True)}
            faults += [fault for row in block.misshapen for fault in row.faults]
    except FileUnreadable as unreadable:
        faults += unreadable.findings
    return records, faults


def row_by_row(data: bytes) -> Read:
    records: dict[int, dict[str, object]] = {}
    faults: list[Finding] = []
    try:
        for each in read_tables(io.BytesIO(data), name="DECN.csv", standard=STANDARD):
            for row in each.rows:
                faults += row.faults
                if row.cells is not None:
                    records[row.number] = dict(row.cells)
    except FileUnreadable as unreadable:
        faults += unreadable.findings
    return records, faults


@pytest.mark.parametrize("size", [1, 700, 1 << 20])
@pytest.mark.parametrize("case", sorted(FAULTY_CSV))
def test_a_faulty_file_has_the_same_faults(case: str, size: int) -> None:
    data = FAULTY_CSV[case][0]
    assert in_blocks(data, size) == row_by_row(data)


CELLS = st.sampled_from(
    ["", "v", " ", "'", "é", "\u2028", "\x0b", "\x85", "=1", "v\r", "x" * 70_000]
)
ODD = st.sampled_from(['"', '""', "\r", "\n", ",", "\0", "\ufeff", "\r\n", "x\x01", "(\u00b5/"])
LINES = st.one_of(
    st.lists(CELLS, min_size=len(DECN.header), max_size=len(DECN.header)).map(",".join),
    st.lists(st.one_of(CELLS, ODD), max_size=4).map("".join),
    st.just('"' + "\n\n" + '"' + "," * (len(DECN.header) - 1)),
    st.just(LINE),
    st.just(LINE.replace("v3", '"v,3"')),
    st.sampled_from([LINE + ",", LINE.rpartition(",")[0]]),
)


@given(
    st.lists(LINES, max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 900),
    st.booleans(),
)
@example([], "\n", 1, False)
@settings(max_examples=300, deadline=None)
def test_any_file_reads_alike(lines: list[str], end: str, size: int, ended: bool) -> None:
    text = end.join([HEADER, *lines]) + end * ended
    data = text.encode()
    assert in_blocks(data, size) == row_by_row(data)


@pytest.mark.parametrize(
    "octets",
    [
        *(b'"a",b\n', b"a\n", b"a,b,c\n", b"a,b\n\nc,d\n", b"\na,b\n", b"a\rb,c\n"),
        *(b"a,\0\n", b"a,\xff\n", b"a,b\n1\n2,3,4\n", b"x" * 70_000 + b",b\n"),
        # What one line lacks must not be made up for by another, nor by what polars passes over.
        *(b"a\nb,c,", b"a,b,", b"a\r,b\n", b"\r,b\r\n", b"a\rb,c\nd,e,", b"a\r,b\r\nc,d\n"),
    ],
)
def test_what_readers_might_not_agree_on_is_not_read_in_bulk(octets: bytes) -> None:
    assert plain_frame(b"one,two\n" + octets, ("one", "two")) is None


@pytest.mark.parametrize("line", [b"\n", b"\r\n", b"v\n"])
def test_short_lines_are_not_made_full_by_the_million(
    monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    """8 MB of them would be 6 GB of cells, all blank, before anybody could count them."""
    monkeypatch.setattr(reading, "pl", None)
    assert (
        plain_frame(b"one,two,three,four\n" + line * 1_000, ("one", "two", "three", "four")) is None
    )


@pytest.mark.parametrize("octets", [b"x\x01,b\n", b"\xef\xbb\xbfa,b\n", b"#a,b\n", b"a,b"])
def test_what_only_looks_odd_is_read_as_it_stands(octets: bytes) -> None:
    frame = plain_frame(b"one,two\n" + octets, ("one", "two"))
    assert frame is not None
    assert frame.rows() == [tuple(octets.decode().strip("\n").split(","))]


@pytest.mark.parametrize("most", [1, 5, 20, 21, 30])
def test_what_stands_before_a_line_too_many_is_read(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("validators.readers.lines.MOST_LINES", most)
    data = table(*[LINE] * 20)
    assert in_blocks(data, 600) == in_blocks(data, 1 << 20) == row_by_row(data)


def test_quotes_in_one_block_do_not_slow_the_others() -> None:
    data = table(*[LINE] * 50, LINE.replace("v3", '"v,3"'), *[LINE] * 50)
    records, faults = in_blocks(data, 1_000)
    assert (len(records), faults) == (101, [])
    assert records[52]["decision_type"] == "v,3" or "v,3" in records[52].values()
