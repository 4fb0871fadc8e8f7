"""The sender's own workbook given back: faulty cells coloured and commented, findings on a sheet.

A workbook that came as XLSX keeps its looks; records that came otherwise are laid out in one. The
sheet FINDINGS lists everything, each line with a link to its cell. Every text is written as text,
so that nothing that a sender wrote becomes a formula.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from validators.findings import Finding
from validators.report.outcome import Report
from validators.report.prose import outcome_of, remarks
from validators.report.sheet import HEADER, explained_at

FINDINGS = "FINDINGS"
MOST_CELLS = 2_000_000
_ERROR = PatternFill("solid", fgColor="FFF4C7C3")
_WARNING = PatternFill("solid", fgColor="FFFCE8B2")
_WIDTHS = (10, 9, 16, 9, 8, 26, 60, 60, 42)
_SENTENCES = HEADER.index("what is wrong") + 1
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_AUTHOR = "Checked against the standard"
_MOST_IN_COMMENT = 5
# openpyxl has no error of its own for these.
_NOT_UNDERSTOOD = (AttributeError, LookupError, OSError, SyntaxError, TypeError, ValueError)
_NOT_OF_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Tables = Mapping[str, Iterable[Sequence[str]]]
"""The rows of record types, the header first, with a blank row where the sender had one."""


def mark(workbook: bytes, report: Report, *, gateway: str = "") -> bytes:
    """Return an XLSX workbook with its faults marked; raises ValueError where it is not whole.

    Others read workbooks that the library for writing them does not.
    """
    try:
        book = load_workbook(BytesIO(workbook))
    except _NOT_UNDERSTOOD as error:
        raise ValueError("the workbook is not as its format has it") from error
    return _marked(book, report, gateway)


def lay_out(tables: Tables, report: Report, *, gateway: str = "") -> bytes:
    """Return record files as one workbook with its faults marked."""
    book = Workbook()
    for unused in book.worksheets:
        book.remove(unused)
    for record_type, rows in tables.items():
        sheet = book.create_sheet(record_type)
        for at, row in enumerate(rows, start=1):
            for column, text in enumerate(row, start=1):
                if text:
                    _write(sheet, at, column, text)
        sheet.freeze_panes = "A2"
    return _marked(book, report, gateway)


def _marked(book: Workbook, report: Report, gateway: str) -> bytes:
    if FINDINGS in book.sheetnames:
        book.remove(book[FINDINGS])
    columns = {sheet.title: _columns(sheet) for sheet in book.worksheets}
    for (kind, row, column), found in _by_cell(report.findings).items():
        at = columns.get(kind, {}).get(column)
        cell = None if at is None else book[kind].cell(row, at)
        if isinstance(cell, Cell):  # and not a part of merged cells
            _mark_cell(cell, found)
    _list_findings(book, report, columns, gateway)
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def _columns(sheet: Worksheet) -> dict[str, int]:
    header = next(sheet.iter_rows(min_row=1, max_row=1, values_only=True), ())
    return {str(name): at for at, name in enumerate(header, start=1) if name is not None}


def _by_cell(findings: Iterable[Finding]) -> dict[tuple[str, int, str], list[Finding]]:
    cells: defaultdict[tuple[str, int, str], list[Finding]] = defaultdict(list)
    for found in findings:
        if found.record_type is not None and found.row is not None and found.column is not None:
            cells[found.record_type, found.row, found.column].append(found)
    return cells


def _mark_cell(cell: Cell, found: Sequence[Finding]) -> None:
    cell.fill = _ERROR if any(each.severity == "error" for each in found) else _WARNING
    told = [f"{each.message()}\n{each.mend} ({each.rule})" for each in found[:_MOST_IN_COMMENT]]
    cell.comment = Comment("\n\n".join(told), _AUTHOR, height=160, width=360)


def _list_findings(
    book: Workbook, report: Report, columns: Mapping[str, Mapping[str, int]], gateway: str
) -> None:
    sheet = book.create_sheet(FINDINGS, 0)
    _write(sheet, 1, 1, outcome_of(report)).font = Font(bold=True)
    for at, name in enumerate(HEADER, start=1):
        _write(sheet, 3, at, name).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(at)].width = _WIDTHS[at - 1]
    row = 3
    for row, found in enumerate(report.findings, start=4):
        _list_finding(sheet, row, found, gateway)
        _link(sheet.cell(row, 5), found, columns)
    _write(sheet, row + 2, _SENTENCES, remarks(report)).alignment = _WRAPPED
    sheet.freeze_panes = "A4"
    _lay_across(sheet)
    book.active = 0


def _lay_across(sheet: Worksheet) -> None:
    """Printed, all columns are on one page of A4, each page with the header."""
    sheet.page_setup.orientation = sheet.ORIENTATION_LANDSCAPE
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "3:3"


def _list_finding(sheet: Worksheet, row: int, found: Finding, gateway: str) -> None:
    file, inner = found.where
    number = "" if found.row is None else str(found.row)
    texts = (
        *(found.severity, found.rule, file or "", inner or "", number, found.column or ""),
        *(found.message(), found.mend, explained_at(found, gateway)),
    )
    for at, text in enumerate(texts, start=1):
        _write(sheet, row, at, text).alignment = _WRAPPED


def _link(cell: Cell, found: Finding, columns: Mapping[str, Mapping[str, int]]) -> None:
    column = columns.get(found.record_type or "", {}).get(found.column or "", 1)
    if found.row is not None and found.record_type in columns:
        cell.hyperlink = f"#'{found.record_type}'!{get_column_letter(column)}{found.row}"
        cell.font = Font(color="FF1D4F91", underline="single")


def _write(sheet: Worksheet, row: int, column: int, text: str) -> Any:
    cell = sheet.cell(row, column)
    cell.value = _NOT_OF_XML.sub("\N{REPLACEMENT CHARACTER}", text)
    # Not a formula, whatever it begins with.
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell
