"""Empty returns to fill in: a workbook with drop-downs, or CSV files, made from the standard.

The workbook has a sheet for each record type with exactly the columns of the standard, LISTS with
every code and what it is called, and README. Cells are formatted as text, so that a spreadsheet
turns neither codes nor dates into something else. A drop-down helps and does not bind: pasted cells
are checked by the rules, not by the spreadsheet.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from validators.standard import Field, RecordType, Standard

README, LISTS = "README", "LISTS"
ROWS = 2_000
"""How many rows of a sheet are formatted; more can be filled in."""

_TEXT = "@"
_REQUIRED = PatternFill("solid", fgColor="FF1D4F91")
_OTHER = PatternFill("solid", fgColor="FF505A5F")
_NEEDS = {"R": "Required.", "C": "Required in some cases.", "O": "Optional."}
_HOW_TO = (
    "One sheet for each kind of record; fill in the kinds that you have, from row 2 on.",
    "Dark blue columns are required. The note on a column says what belongs into it.",
    "Codes stand on the sheet LISTS. Several codes in one cell are joined with a semicolon.",
    "Dates are written 2026-03-31, months 2026-03, yes and no as true and false.",
    "No names, no addresses, no dates of birth, no case numbers, in any cell.",
    "Check it with: gateway validate RETURN.xlsx --profile agency.toml --period 2026Q1",
)


def workbook_template(standard: Standard, record_types: Sequence[str]) -> bytes:
    """Return an XLSX workbook with a sheet for each of these record types."""
    book = Workbook()
    readme = book.worksheets[0]
    readme.title = README
    _explain(readme, standard)
    codes = _codes(standard, record_types)
    for record_type in record_types:
        _lay_out(book.create_sheet(record_type), standard.records[record_type], codes)
    _list(book.create_sheet(LISTS), standard, codes)
    book.active = 1
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def csv_template(record_type: RecordType) -> str:
    """Return the header row of a record type, for a file in UTF-8 with byte order mark."""
    return ",".join(record_type.header) + "\r\n"


def _explain(sheet: Worksheet, standard: Standard) -> None:
    sheet.column_dimensions["A"].width = 100
    sheet["A1"] = f"A return under {standard.label}"
    sheet["A1"].font = Font(bold=True, size=16)
    for row, text in enumerate(_HOW_TO, start=3):
        sheet.cell(row, 1, text).alignment = Alignment(wrap_text=True)


_Codes = Mapping[tuple[str, ...], tuple[int, list[str]]]
"""The codes of fields by the lists that they come from: where on LISTS, and which."""


def _codes(standard: Standard, record_types: Sequence[str]) -> _Codes:
    found: dict[tuple[str, ...], tuple[int, list[str]]] = {}
    for record_type in record_types:
        for field in standard.records[record_type].fields:
            if field.type == "code" and _key(field) not in found:
                allowed = sorted(standard.allowed_codes(field))
                found[_key(field)] = (2 * len(found) + 1, allowed)
    return {key: each for key, each in found.items() if each[1]}


def _key(field: Field) -> tuple[str, ...]:
    sentinels = ("with missing values",) if field.sentinels else ()
    return (*field.codelists, *field.extra_codes, "but", *field.excluded_codes, *sentinels)


def _lay_out(sheet: Worksheet, record_type: RecordType, codes: _Codes) -> None:
    sheet.freeze_panes = "A2"
    for at, field in enumerate(record_type.fields, start=1):
        head = sheet.cell(1, at, field.name)
        head.font = Font(bold=True, color="FFFFFFFF")
        head.fill = _REQUIRED if field.required == "R" else _OTHER
        head.comment = Comment(_note(field), "CTDS", height=160, width=320)
        letter = get_column_letter(at)
        sheet.column_dimensions[letter].width = max(14, len(field.name) + 3)
        for row in range(2, ROWS + 2):
            sheet.cell(row, at).number_format = _TEXT
        if field.type == "code" and _key(field) in codes:
            column, allowed = codes[_key(field)]
            sheet.add_data_validation(_drop_down(f"{letter}2:{letter}{ROWS + 1}", column, allowed))


def _note(field: Field) -> str:
    lists = f"Codes: {', '.join(field.codelists)}." if field.codelists else f"{field.values}."
    several = "Join several codes with a semicolon." if field.type == "code_list" else ""
    parts = (_NEEDS[field.required], lists, several, field.note)
    return "\n".join(part for part in parts if part)


def _drop_down(cells: str, column: int, allowed: Sequence[str]) -> DataValidation:
    letter = get_column_letter(column)
    source = f"={LISTS}!${letter}$3:${letter}${len(allowed) + 2}"
    rule = DataValidation(type="list", formula1=source, allow_blank=True, showErrorMessage=True)
    rule.errorTitle, rule.error = "Not a code of the list", "Choose a code, or look at LISTS."
    rule.add(cells)
    return rule


def _list(sheet: Worksheet, standard: Standard, codes: _Codes) -> None:
    sheet.freeze_panes = "A3"
    for key, (column, allowed) in codes.items():
        lists = [standard.codelists[name] for name in key if name in standard.codelists]
        sheet.cell(1, column, ", ".join(each.title for each in lists)).font = Font(bold=True)
        sheet.cell(2, column, " + ".join(each.code for each in lists))
        labels = dict(standard.codelists["CL_SENTINEL"].items)
        for each in lists:
            labels |= each.items
        for row, code in enumerate(allowed, start=3):
            for at, text in ((column, code), (column + 1, labels.get(code, ""))):
                cell = sheet.cell(row, at, text)
                cell.data_type, cell.number_format = "s", _TEXT
        sheet.column_dimensions[get_column_letter(column)].width = 18
        sheet.column_dimensions[get_column_letter(column + 1)].width = 40
