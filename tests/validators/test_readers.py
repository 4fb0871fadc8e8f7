"""CSV and JSON Lines as agencies' tools write them, and as nobody should."""

import csv
import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.findings import Finding
from validators.readers import FileUnreadable, Row, reader_for
from validators.readers.columns import letters
from validators.readers.lines import LONGEST_LINE
from validators.standard import load_standard

DECN = load_standard().records["DECN"]
HEADER = ",".join(DECN.header)
WIDTH = len(DECN.header)
LINE = ",".join(f"v{n}" for n in range(WIDTH))


def rows_of(data: bytes, name: str = "DECN.csv") -> list[Row]:
    standard = load_standard()
    kind = standard.records[name.partition(".")[0]]
    return list(reader_for(name)(io.BytesIO(data), name=name, record_type=kind, standard=standard))


def faults_of(data: bytes, name: str = "DECN.csv") -> tuple[Finding, ...]:
    """Every structural finding, whether it stopped the file or cost one row."""
    try:
        return tuple(fault for row in rows_of(data, name) for fault in row.faults)
    except FileUnreadable as unreadable:
        return unreadable.findings


def table(*lines: str, header: str = HEADER, end: str = "\r\n") -> bytes:
    return "".join(line + end for line in (header, *lines)).encode()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_is_read_with_either_line_end_and_with_or_without_mark(end: str, mark: bytes) -> None:
    rows = rows_of(mark + table(LINE, end=end))
    assert [(row.number, row.cells) for row in rows] == [
        (2, dict(zip(DECN.header, LINE.split(","), strict=True)))
    ]


def test_last_line_needs_no_line_end_and_mixed_ends_are_read() -> None:
    assert len(rows_of(f"{HEADER}\r\n{LINE}\n{LINE}".encode())) == 2


def test_columns_may_stand_in_any_order() -> None:
    backwards = ",".join(reversed(DECN.header))
    [row] = rows_of(table(LINE, header=backwards))
    assert row.cells is not None
    assert row.cells["record_id"] == f"v{WIDTH - 1}"


def test_rows_are_numbered_as_a_spreadsheet_numbers_them() -> None:
    broken = '"one\ntwo\r\nthree"' + "," * (WIDTH - 1)
    blank, blanks = "", "," * (WIDTH - 1)
    rows = rows_of(table(broken, blank, LINE, blanks, LINE))
    assert [row.number for row in rows] == [2, 4, 6]


FAULTY_CSV: dict[str, tuple[bytes, str, int | None]] = {
    # what arrives: (bytes, a part of the clause that says so, row)
    "nothing": (b"", "no header", 1),
    "only a mark": (b"\xef\xbb\xbf", "no header", 1),
    "blank header": (b"\r\n" + LINE.encode(), "no header", 1),
    "UTF-16 with mark": (table(LINE).decode().encode("utf-16"), "UTF-16", None),
    "UTF-16 without mark": (table(LINE).decode().encode("utf-16-le"), "UTF-16", None),
    "Windows-1252": (table(LINE.replace("v3", "Zo\u00eb")).decode().encode("cp1252"), "1252", None),
    "neither": (table(LINE) + b"\x81\x8d\xff", "not UTF-8", None),
    "overlong UTF-8": (table(LINE) + b"\xc0\xaf", "1252", None),
    "a workbook": (b"PK\x03\x04" + bytes(100), "workbook", None),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "workbook", None),
    "NUL": (table(LINE.replace("v3", "a\0b")), "NUL", None),
    "carriage returns alone": (table(LINE, LINE, end="\r"), "carriage return", 1),
    "one carriage return": (table(LINE, LINE.replace("v3", "a\rb")), "carriage return", 3),
    "quote never closed": (table(LINE, '"' + LINE, LINE), "never closed", 3),
    "quote never closed in a long file": (table('"' + LINE, *[LINE] * 3000), "too long", 2),
    "stray quote": (table('"a"b' + LINE), "quote is out of place", 2),
    "a cell of 100 MB": (table("x" * 2_000_000), "longer than", None),
    "a cell over the cap": (table("x" * 70_000 + "," * (WIDTH - 1)), "longer than 65,536", 2),
    "short row": (table(LINE, "a,b"), "2 cells", 3),
    "long row": (table(LINE + ",more"), f"{WIDTH + 1} cells", 2),
    "header repeats a column": (table(header=HEADER + ",record_id"), "2 times", 1),
    "unknown column": (table(header=HEADER + ",shoe_size"), "column O is not part", 1),
    "blank column": (table(header=HEADER + ","), "column O is without a name", 1),
    "missing column": (table(header=HEADER.replace(",child_told", "")), "missing", 1),
    "column in other case": (
        table(header=HEADER.replace("child_told", "Child_Told")),
        "not part",
        1,
    ),
    "semicolons": (table(header=HEADER.replace(",", ";")), "semicolons stand between", 1),
    "501 columns": (table(header=",".join(map(str, range(501)))), "more than 500", 1),
    "100,000 columns": (table(header="," * 99_999 + "x"), "more than 500", 1),
}


@pytest.mark.parametrize("case", FAULTY_CSV)
def test_faulty_csv_gets_a_finding_that_says_what_is_wrong(case: str) -> None:
    data, clause, row = FAULTY_CSV[case]
    first = faults_of(data)[0]
    assert first.rule == "CT-011"
    assert clause in first.values["detail"]
    assert first.row == row


@pytest.mark.parametrize(
    "column",
    ["surname", "SURNAME", "First Name", "first-name", "firstname", "DOB", "address_line_3", "upn"],
)
def test_column_named_like_a_direct_identifier_is_refused(column: str) -> None:
    [found] = faults_of(table(header=f"{HEADER},{column}"))
    assert found.rule == "CT-012"


def test_a_row_in_place_of_the_header_is_not_repeated_as_column_names() -> None:
    found = faults_of(b"Jane Example,2009-03-07," + LINE.encode())
    assert "Jane" not in str([(fault.column, fault.values) for fault in found])
    [told] = found
    assert told.values["detail"].startswith("none of the columns of DECN is in row 1")


def test_missing_columns_are_told_in_one_sentence_when_they_are_many() -> None:
    [found] = faults_of(b"record_id\r\n")
    assert found.values["detail"].startswith(f"{WIDTH - 1} columns of DECN are missing: ")


def test_many_unknown_columns_are_told_in_one_sentence() -> None:
    more = [f"mine_{number}" for number in range(30)]
    [found] = faults_of(table(header=",".join([HEADER, *more])))
    assert found.values["detail"].endswith("AG, AH and 10 more are not part of the standard")
    assert found.values["given"].startswith("mine_0, mine_1, ")


@pytest.mark.parametrize(
    ("column", "shown"), [(1, "A"), (26, "Z"), (27, "AA"), (52, "AZ"), (702, "ZZ"), (703, "AAA")]
)
def test_a_column_has_the_letters_that_a_spreadsheet_shows(column: int, shown: str) -> None:
    assert letters(column) == shown


def test_ragged_row_does_not_stop_the_rows_after_it() -> None:
    rows = rows_of(table(LINE, "a,b", LINE))
    assert [row.cells is None for row in rows] == [False, True, False]


def test_narrative_may_be_longer_than_other_cells() -> None:
    kind = load_standard().records["NARR"]
    text = {**dict.fromkeys(kind.header, ""), "body": "x" * 100_000, "record_id": "x"}
    line = ",".join(text.values())
    assert not faults_of(table(line, header=",".join(kind.header)), "NARR.csv")


class Endless(io.RawIOBase):
    """A line of 1 GB that is never in memory on our side."""

    def __init__(self, start: bytes, filler: bytes) -> None:
        self._start, self._filler, self.served = start, filler * 4096, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data, self._start = (self._start or self._filler)[: len(buffer)], b""
        self.served += len(data)
        assert self.served < 1 << 30
        buffer[: len(data)] = data
        return len(data)


@pytest.mark.parametrize("filler", [b"x", b'"', b",", b"[", b"\\"])
@pytest.mark.parametrize("name", ["DECN.csv", "DECN.jsonl"])
def test_a_line_of_1_gb_costs_no_more_memory_than_the_cap(name: str, filler: bytes) -> None:
    start = table() if name.endswith("csv") else b'{"record_id": "'
    endless = Endless(start, filler)
    kind = load_standard().records["DECN"]
    stream = io.BufferedReader(endless)
    tracemalloc.start()
    with pytest.raises(FileUnreadable):
        list(reader_for(name)(stream, name=name, record_type=kind, standard=load_standard()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert endless.served < 3 * LONGEST_LINE
    assert peak < 12 * LONGEST_LINE


def test_endless_short_lines_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validators.readers.lines.MOST_LINES", 1000)
    assert "lines" in faults_of(table() + b"\n" * 2000)[0].values["detail"]
    assert "lines" in faults_of(b"\n" * 2000, "DECN.jsonl")[0].values["detail"]


def test_json_lines_are_numbered_by_line_and_keep_native_types() -> None:
    lines = b'{"record_id": "a", "is_reconsideration": false, "days_from_referral": 5}\n\n{}\n'
    rows = rows_of(lines, "DECN.jsonl")
    assert [row.number for row in rows] == [1, 3]
    assert rows[0].cells == {"record_id": "a", "is_reconsideration": False, "days_from_referral": 5}


@pytest.mark.parametrize("number", ["1e400", "5.0", "1e5", "9" * 5000, "-0.0"])
def test_numbers_that_are_no_plain_integers_stay_text(number: str) -> None:
    [row] = rows_of(f'{{"days_from_referral": {number}}}'.encode(), "DECN.jsonl")
    assert row.cells == {"days_from_referral": number}


FAULTY_JSON: dict[str, tuple[str, str]] = {
    # what arrives: (line, rule)
    "not JSON": ("{'a': 1}", "CT-011"),
    "cut": ('{"record_id": "a"', "CT-011"),
    "two values": ("{} {}", "CT-011"),
    "array": ("[]", "CT-011"),
    "text": ('"a"', "CT-011"),
    "NaN": ('{"days_from_referral": NaN}', "CT-011"),
    "Infinity": ('{"days_from_referral": -Infinity}', "CT-011"),
    "duplicate key": ('{"record_id": "a", "record_id": "b"}', "CT-011"),
    "unknown key": ('{"shoe_size": 5}', "CT-011"),
    "prohibited key": ('{"Surname": "x"}', "CT-012"),
    "object for a value": ('{"record_id": {"a": 1}}', "CT-015"),
    "array for a value": ('{"record_id": ["a"]}', "CT-015"),
    "10,000 levels": ('{"record_id": ' + "[" * 10_000 + "]" * 10_000 + "}", "CT-011"),
    "10,000 levels never closed": ("[" * 10_000, "CT-011"),
    "lone surrogate": ('{"record_id": "\\ud800"}', "CT-020"),
    "lone surrogate key": ('{"\\udfff": 1}', "CT-011"),
    "control character": ('{"record_id": "a\tb"}', "CT-011"),
    "huge value": ('{"record_id": "' + "x" * 70_000 + '"}', "CT-011"),
    "501 keys": (json.dumps({str(n): n for n in range(501)}), "CT-011"),
    "byte order mark inside": ("\ufeff{}", "CT-011"),
}


@pytest.mark.parametrize("case", FAULTY_JSON)
def test_faulty_json_line_returns_its_row_and_the_next_is_read(case: str) -> None:
    line, rule = FAULTY_JSON[case]
    rows = rows_of(f'{{}}\n{line}\n{{"record_id": "next"}}\n'.encode(), "DECN.jsonl")
    assert [(row.number, row.cells is None) for row in rows] == [(1, False), (2, True), (3, False)]
    assert rows[1].faults[0].rule == rule
    assert all(value.encode() for value in rows[1].faults[0].values.values())


def test_brackets_in_text_do_not_count_as_depth() -> None:
    [row] = rows_of(json.dumps({"record_id": "[" * 500 + '\\"' * 9}).encode(), "DECN.jsonl")
    assert row.cells is not None


def test_array_of_codes_is_read_where_the_field_has_several() -> None:
    assert not faults_of(b'{"means": ["THREAT", "DEBT"]}', "EXPL.jsonl")
    assert faults_of(b'{"means": ["THREAT", ["DEBT"]]}', "EXPL.jsonl")[0].rule == "CT-015"


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20)
RECORD = st.lists(CELL, min_size=WIDTH, max_size=WIDTH).filter(any)


@given(st.lists(RECORD, max_size=5))
def test_csv_gives_back_what_was_written(records: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([list(DECN.header), *records])
    assert [
        list((row.cells or {}).values()) for row in rows_of(text.getvalue().encode())
    ] == records


@pytest.mark.parametrize("name", ["DECN.csv", "DECN.jsonl"])
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=99).map(lambda rest: table() + rest)))
def test_any_bytes_give_rows_or_findings(name: str, data: bytes) -> None:
    blank = not data.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n")
    found = bool(faults_of(data, name)) or bool(rows_of(data, name))
    assert found or blank or data.startswith(table())
