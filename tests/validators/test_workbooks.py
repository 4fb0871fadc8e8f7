"""Workbooks as spreadsheet programs write them, and as nobody should: all end in findings."""

import io
import json
import os
import signal
from collections.abc import Callable
from datetime import date, datetime
from zipfile import ZipFile

import psutil
import pytest

from tests.validators import books, samples
from tests.validators.zips import Archive, Part
from validators.findings import Finding
from validators.readers import FileUnreadable, Row, read_tables
from validators.run import NoHistory, Outcome, validate
from validators.standard import load_standard, load_standards
from validators.workbooks.cells import text_of_cell
from validators.workbooks.precheck import WorkbookRefused
from validators.workbooks.reading import read_sheets
from validators.workbooks.telling import told

STANDARD = load_standard()
DECN = list(STANDARD.records["DECN"].header)
LINE = [f"v{n}" for n in range(len(DECN))]
MAKERS = {"RETURN.xlsx": books.xlsx, "RETURN.ods": books.ods}
GOOD = books.xlsx({"DECN": [DECN, LINE]})


def tables_of(data: bytes, name: str = "RETURN.xlsx") -> dict[str, list[Row]]:
    tables = read_tables(io.BytesIO(data), name=name, standard=STANDARD)
    return {table.address: list(table.rows) for table in tables}


def faults_of(data: bytes, name: str = "RETURN.xlsx") -> list[Finding]:
    try:
        return [
            fault for rows in tables_of(data, name).values() for row in rows for fault in row.faults
        ]
    except FileUnreadable as unreadable:
        return list(unreadable.findings)


def judged(data: bytes, name: str) -> Outcome:
    """The outcome of a return whose records are one workbook."""
    return validate(
        io.BytesIO(samples.built_from_files(STANDARD, {name: data}).data),
        standards=load_standards(),
        received_on=samples.RECEIVED_ON,
        history=NoHistory(),
    )


def sheets_of(records: dict[str, list[dict[str, object]]]) -> books.Sheets:
    return {
        kind: [header_of(kind), *(cells(kind, row) for row in rows)]
        for kind, rows in records.items()
    }


def header_of(kind: str) -> list[str]:
    return list(STANDARD.records[kind].header)


def cells(kind: str, row: dict[str, object]) -> list[str]:
    """As an export writes them: everything is text."""
    values = [row.get(column, "") for column in header_of(kind)]
    return [";".join(each) if isinstance(each, list) else str(each) for each in values]


@pytest.mark.parametrize("name", MAKERS)
def test_rows_are_those_of_the_sheet_with_the_numbers_that_it_shows(name: str) -> None:
    blank: list[str] = []
    sheet = [DECN, LINE, blank, [""] * len(DECN), LINE[:3], LINE]
    [(address, rows)] = tables_of(MAKERS[name]({"DECN": sheet}), name).items()
    assert address == f"{name}#DECN"
    assert [row.number for row in rows] == [2, 5, 6]
    assert rows[0].cells == dict(zip(DECN, LINE, strict=True))
    assert rows[1].cells == dict.fromkeys(DECN, "") | dict(zip(DECN, LINE[:3], strict=False))


@pytest.mark.parametrize("name", MAKERS)
def test_values_of_a_kind_become_the_text_of_the_standard(name: str) -> None:
    given = [5, 2.5, True, date(2026, 3, 1), "007", "2026-03"]
    sheet = [DECN, given + LINE[len(given) :]]
    [[row]] = tables_of(MAKERS[name]({"DECN": sheet}), name).values()
    assert row.cells is not None
    read = [row.cells[column] for column in DECN[: len(given)]]
    assert read == ["5", "2.5", "true", "2026-03-01", "007", "2026-03"]


def test_cells_lose_nothing_on_the_way_to_text() -> None:
    assert text_of_cell(1e20) == "1e+20"
    assert text_of_cell(float(2**53)) == "9007199254740992.0"
    assert text_of_cell(datetime.fromisoformat("2026-03-01T09:30:00")) == "2026-03-01T09:30:00"
    assert text_of_cell("") == ""


@pytest.mark.parametrize("name", MAKERS)
def test_a_return_in_a_workbook_is_judged_as_the_same_return_in_csv(name: str) -> None:
    records = samples.children(3)
    records["CASE"][1]["sex"] = "X"
    records["EXPL"][2]["online_element"] = ""
    as_csv = validate(
        io.BytesIO(samples.package_of(records, samples.manifest_fields(STANDARD)).data),
        standards=load_standards(),
        received_on=samples.RECEIVED_ON,
        history=NoHistory(),
    )
    as_book = judged(MAKERS[name](sheets_of(records)), name)
    assert as_book.report.verdict == as_csv.report.verdict == "accepted-in-part"
    assert facts(as_book) == facts(as_csv)
    assert {kind: list(rows) for kind, rows in as_book.accepted.items()} == {
        kind: list(rows) for kind, rows in as_csv.accepted.items()
    }
    told = as_book.report.findings[0].to_dict()
    assert (told["file"], told["sheet"]) == (name, told["record_type"])


def test_numbers_and_dates_at_the_edge_keep_to_what_a_field_can_refuse() -> None:
    """None becomes a value that is in range: neither 1e308 nor infinity, nor a year of 1904."""
    cells = "".join(f"<c><v>{number}</v></c>" for number in ("1e308", "1e400", "NaN", "5e-324"))
    [[row]] = tables_of(xlsx_cell(cells)).values()
    assert row.cells is not None
    assert list(row.cells.values())[:4] == ["1e+308", "inf", "nan", "5e-324"]


@pytest.mark.parametrize(("since", "day"), [("0", "2026-03-01"), ("1", "2030-03-02")])
def test_dates_are_counted_from_the_day_that_the_workbook_says(since: str, day: str) -> None:
    sheet = books.xlsx({"DECN": [DECN, [date(2026, 3, 1), *LINE[1:]]]})
    with ZipFile(io.BytesIO(sheet)) as archive:
        whole = archive.read("xl/workbook.xml")
    told_since = whole.replace(b"<workbookPr ", f'<workbookPr date1904="{since}" '.encode())
    assert told_since != whole
    [[row]] = tables_of(books.changed(sheet, {"xl/workbook.xml": told_since})).values()
    assert row.cells is not None
    assert row.cells[DECN[0]] == day


def facts(outcome: Outcome) -> set[tuple[object, ...]]:
    return {
        (each.rule, each.record_type, each.row, each.column, each.message())
        for each in outcome.report.findings
    }


def test_templates_help_sheets_and_empty_sheets_are_passed_over() -> None:
    sheets = {"README": [["Fill in"]], "DECN": [DECN, LINE], "LISTS": [["x"]], "Sheet4": []}
    assert list(tables_of(books.xlsx(sheets))) == ["RETURN.xlsx#DECN"]


def test_one_sheet_without_a_header_costs_that_sheet_alone() -> None:
    sheets = books.xlsx(
        {"DECN": [["a", "b"], ["c", "d"]], "CASE": [*sheets_of(samples.children(1))["CASE"]]}
    )
    tables = read_tables(io.BytesIO(sheets), name="RETURN.xlsx", standard=STANDARD)
    with pytest.raises(FileUnreadable) as refused:
        list(next(tables).rows)
    assert {each.where for each in refused.value.findings} == {("RETURN.xlsx", "DECN")}
    assert len(list(next(tables).rows)) == 1


def far_cell(column: str) -> bytes:
    """Two cells: one where data begins, and one in the last row that there is."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    near = '<row r="1"><c r="A1"><v>1</v></c></row>'
    far = f'<row r="1048576"><c r="{column}1048576"><v>1</v></c></row>'
    part = f'<worksheet xmlns="{main}"><sheetData>{near}{far}</sheetData></worksheet>'
    return books.changed(GOOD, {"xl/worksheets/sheet1.xml": part.encode()})


def repeated(*, rows: int, columns: int) -> bytes:
    cell = (
        f'<table:table-cell table:number-columns-repeated="{columns}" office:value-type="string">'
    )
    row = f'<table:table-row table:number-rows-repeated="{rows}">{cell}<text:p>x</text:p>'
    return books.ods_of(
        f'<table:table table:name="DECN">{row}</table:table-cell></table:table-row></table:table>'
    )


def xlsx_cell(cell: str) -> bytes:
    """A sheet whose second row begins with a cell that is written out."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = "".join(f"<c t='inlineStr'><is><t>{name}</t></is></c>" for name in DECN)
    part = f"<sheetData><row r='1'>{rows}</row><row r='2'>{cell}</row></sheetData>"
    return books.changed(
        GOOD, {"xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}">{part}</worksheet>'.encode()}
    )


def ods_error() -> bytes:
    """As LibreOffice writes #N/A."""
    kind = 'office:value-type="string" office:string-value="" calcext:value-type="error"'
    cell = f'<table:table-cell table:formula="of:=NA()" {kind}><text:p>#N/A</text:p>'
    named = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    row = f"<table:table-row>{cell}</table:table-cell></table:table-row>"
    return books.ods_of(f'<table:table table:name="DECN" {named}>{row}</table:table>')


def without_a_cell_type(name: str) -> Callable[[], bytes]:
    return lambda: books.changed(GOOD, {name: b"x"})


def xml(text: bytes) -> Callable[[], bytes]:
    return lambda: books.changed(GOOD, {"xl/sharedStrings.xml": text})


def lying_bomb() -> bytes:
    """3 GB by its own account, in a few bytes."""
    part = Part(b"xl/worksheets/sheet1.xml", b"x" * 100, size=3 << 30, method=8)
    return Archive([part]).build()


def inflating_bomb() -> bytes:
    """Small by its own account, and much more when it is inflated."""
    part = Part(b"xl/worksheets/sheet1.xml", b" " * (8 << 20), size=1_000)
    return Archive([part]).build()


ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><sst>&b;</sst>'
LOCKED = b"<manifest:encryption-data manifest:checksum='x'/>"

HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    # what arrives: (a part of the clause that says so, the bytes)
    "nothing": ("not a workbook", lambda: b""),
    "a CSV file by another name": ("not a workbook", lambda: b"record_id,record_action\r\n"),
    "an old or locked workbook": (
        "password",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096),
    ),
    "cut short": ("damaged", lambda: GOOD[: len(GOOD) // 2]),
    "only an archive": ("damaged", lambda: Archive([Part(b"a.txt", b"x")]).build()),
    "3 GB by its own account": ("inflates", lying_bomb),
    "more than it says": ("inflates", inflating_bomb),
    "1,001 parts": (
        "too many parts",
        lambda: books.changed(GOOD, {f"p{n}": b"" for n in range(1000)}),
    ),
    "a part twice": ("a part twice", lambda: books.changed(GOOD, {"xl/WORKBOOK.xml": b"<x/>"})),
    "macros": ("macros", without_a_cell_type("xl/vbaProject.bin")),
    "macro sheets": ("macros", without_a_cell_type("xl/macrosheets/sheet1.xml")),
    "links to other workbooks": (
        "other files",
        without_a_cell_type("xl/externalLinks/externalLink1.xml"),
    ),
    "a connection": ("other files", without_a_cell_type("xl/connections.xml")),
    "entities": ("document type", xml(ENTITIES)),
    "an external entity": ("document type", xml(b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>')),
    "a document type after a megabyte": ("document type", xml(b" " * ((1 << 20) - 4) + ENTITIES)),
    "XML in UTF-16": ("not UTF-8", xml("<sst/>".encode("utf-16"))),
    "XML that says UTF-7": ("not UTF-8", xml(b'<?xml version="1.0" encoding="utf-7"?><sst/>')),
    "a cell at the far corner": (
        "far from the data",
        lambda: far_cell("XFD"),
    ),
    "a cell in a far column of a far row": (
        "far from the data",
        lambda: far_cell("AZ"),
    ),
    "ODS with 100 million repeated cells": (
        "far from the data",
        lambda: repeated(rows=10_000, columns=10_000),
    ),
    "ODS with a million full rows": (
        "far from the data",
        lambda: repeated(rows=1_048_576, columns=40),
    ),
    "ODS with a password": (
        "password",
        lambda: books.ods_of("", **{"META-INF/manifest.xml": LOCKED}),
    ),
    "ODS with scripts": ("macros", lambda: books.ods_of("", **{"Scripts/python/x.py": b"x"})),
    "no sheet of a record type": ("no sheet is named", lambda: books.xlsx({"README": [["x"]]})),
    "a sheet of another name": (
        "not named after",
        lambda: books.xlsx({"DECN": [DECN], "Cases": [["x"]]}),
    ),
    "the same sheet in other case": ("not named after", lambda: books.xlsx({"decn": [DECN, LINE]})),
    "101 sheets": ("more than 100", lambda: books.xlsx({f"S{n}": [] for n in range(101)})),
    "no header": ("no header", lambda: books.xlsx({"DECN": [[], LINE]})),
    "a row beside the header": (
        "cells, the header",
        lambda: books.xlsx({"DECN": [DECN, [*LINE, "x"]]}),
    ),
    "a huge cell": ("longer than", lambda: books.ods({"DECN": [DECN, ["x" * 70_000, *LINE[1:]]]})),
    "a cell that shows an error": (
        "shows an error",
        lambda: xlsx_cell('<c r="A2" s="3" t="e"><f>NA()</f><v>#N/A</v></c>'),
    ),
    "ODS with a cell that shows an error": ("shows an error", ods_error),
    "a string that nobody gave": (
        "damaged",
        lambda: xlsx_cell('<c t="s"><v>4000000000</v></c>'),
    ),
    "a row of 14 MB": ("longer than", lambda: books.ods({"DECN": [DECN, ["x" * (1 << 20)] * 14]})),
    "a column twice": ("2 times", lambda: books.xlsx({"DECN": [[*DECN, DECN[0]], LINE]})),
}


def test_more_strings_than_there_can_be_are_too_much() -> None:
    """To the page that checks it is damaged: where addresses have 32 bits the number is none."""
    build = xml(b'<sst uniqueCount="1000000000000000000"><si><t>x</t></si></sst>')
    [found] = faults_of(build(), "RETURN.xlsx")
    assert found.rule == "CT-011"
    assert "memory or time" in found.values["detail"]


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_workbook_gets_a_finding_that_says_what_is_wrong(case: str) -> None:
    clause, build = HOSTILE[case]
    found = faults_of(build(), "RETURN.ods" if case.startswith("ODS") else "RETURN.xlsx")
    assert found
    assert found[0].rule == "CT-011"
    assert clause in found[0].values["detail"]


def readers() -> list[psutil.Process]:
    """The children of this process that read workbooks."""
    children = psutil.Process().children()
    living = [each for each in children if each.status() != psutil.STATUS_ZOMBIE]
    return [each for each in living if "validators.workbooks.child" in each.cmdline()]


def test_the_reader_of_a_workbook_has_bounded_memory() -> None:
    """What kills it kills the child alone; its peak is below the limit that it sets itself."""
    before = psutil.Process().memory_info().rss
    assert faults_of(repeated(rows=10_000, columns=10_000), "RETURN.ods")
    assert psutil.Process().memory_info().rss - before < 50 << 20
    assert not readers()


@pytest.mark.parametrize(
    "sheets",
    [{"DECN": [DECN, ["x" * (4 << 20)] * 14]}, {"x" * (40 << 20): [["x"]]}],
    ids=["a row", "a name"],
)
def test_what_a_reader_tells_is_never_long(sheets: books.Sheets) -> None:
    """Of a few kilobytes it would make a gigabyte, outside its own bounds."""
    told_of = (json.dumps(each) for each in told(books.ods(sheets)))
    assert max(map(len, told_of)) < 1 << 20


def test_a_reader_that_is_killed_is_a_finding_and_not_a_hang() -> None:
    sheets = read_sheets(io.BytesIO(books.xlsx({"DECN": [DECN, *[LINE] * 20_000]})))
    first = next(sheets)
    next(first.rows)
    [child] = readers()
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(WorkbookRefused, match="memory or time"):
        list(first.rows)


def test_a_reader_that_is_left_alone_is_ended() -> None:
    sheets = read_sheets(io.BytesIO(books.xlsx({"DECN": [DECN, *[LINE] * 20_000]})))
    next(next(sheets).rows)
    sheets.close()  # type: ignore[attr-defined]
    assert not readers()


def test_the_reader_gets_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_TOKEN", "secret")
    sheets = read_sheets(io.BytesIO(books.xlsx({"DECN": [DECN, *[LINE] * 20_000]})))
    next(sheets)
    [child] = readers()
    assert "GATEWAY_TOKEN" not in child.environ()
    sheets.close()  # type: ignore[attr-defined]


def test_a_workbook_stands_alone_in_its_package() -> None:
    made = samples.built_from_files(STANDARD, {"RETURN.xlsx": GOOD})
    with ZipFile(io.BytesIO(made.data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    both = Archive([Part(name.encode(), data) for name, data in {**files, "CASE.csv": b""}.items()])
    with pytest.raises(Exception, match="same record type twice"):
        validate(
            io.BytesIO(both.build()),
            standards=load_standards(),
            received_on=samples.RECEIVED_ON,
            history=NoHistory(),
        )


def test_an_unreadable_workbook_rejects_the_package_and_says_nothing_of_counts() -> None:
    outcome = judged(lying_bomb(), "RETURN.xlsx")
    assert outcome.report.verdict == "rejected"
    assert dict(outcome.report.totals) == {"CT-011": 1}
