"""A workbook to fill in as XLSX.

Whole columns are formatted as text, not cell by cell: the file stays small however many rows there
are to fill in. Every text is written as text, never as a formula.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from validators.templates import looks
from validators.templates.planning import (
    LISTS,
    README,
    ROWS,
    Choices,
    Column,
    DropDown,
    Sheet,
    Template,
)

_TEXT = "@"
_FONT = "Calibri"
_WRAPPED = Alignment(wrap_text=True, vertical="top")


def as_xlsx(template: Template) -> bytes:
    """Return the workbook as a file."""
    book = Workbook()
    book.properties.creator, book.properties.title = looks.AUTHOR, template.title
    _explain(book.worksheets[0], template)
    for sheet in template.sheets:
        _lay_out(book.create_sheet(sheet.name), sheet)
    _list(book.create_sheet(LISTS), template.lists)
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def _explain(page: Worksheet, template: Template) -> None:
    page.title = README
    page.sheet_view.showGridLines = False
    for at, width in enumerate(looks.README_WIDTHS, start=1):
        page.column_dimensions[get_column_letter(at)].width = width
    page["A1"].value, page["A1"].font = template.title, Font(name=_FONT, bold=True, size=16)
    for row, sentence in enumerate(template.how_to, start=3):
        page.merge_cells(start_row=row, start_column=1, end_row=row, end_column=3)
        _write(page, row, 1, sentence).alignment = _WRAPPED
        page.row_dimensions[row].height = looks.LINE_HEIGHT * looks.lines_of(sentence)
    after = len(template.how_to) + 4
    for row, told in enumerate(looks.contents(template), start=after):
        for at, text in enumerate(told, start=1):
            _write(page, row, at, text).alignment = _WRAPPED
        _link(page.cell(row, 1), f"#'{told[0]}'!A2")
        page.row_dimensions[row].height = looks.LINE_HEIGHT * looks.lines_of(
            told[2], looks.README_WIDTHS[2]
        )


def _link(cell: Any, target: str) -> None:
    cell.hyperlink = target
    cell.font = Font(name=_FONT, color=looks.LINK, underline="single")


def _lay_out(page: Worksheet, sheet: Sheet) -> None:
    page.freeze_panes = "B2"
    for at, column in enumerate(sheet.columns, start=1):
        _head(page, at, column)
        if column.drop_down is not None:
            letter = get_column_letter(at)
            page.add_data_validation(_validation(f"{letter}2:{letter}{ROWS + 1}", column.drop_down))
    for at, row in enumerate(sheet.rows, start=2):
        _fill(page, at, sheet.columns, row)
        page.row_dimensions[at].height = looks.LINE_HEIGHT * looks.row_lines(sheet.columns, row)


def _head(page: Worksheet, at: int, column: Column) -> None:
    ground, letters = looks.HEADS[column.required]
    head = page.cell(1, at, column.name)
    head.font = Font(name=_FONT, bold=True, color=letters)
    head.fill = PatternFill("solid", fgColor=ground)
    head.comment = Comment(
        column.note, looks.AUTHOR, height=looks.note_height(column), width=looks.NOTE_WIDTH
    )
    dimension = page.column_dimensions[get_column_letter(at)]
    dimension.width, dimension.number_format = column.width, _TEXT
    dimension.alignment = Alignment(wrap_text=column.wraps, vertical="top")


def _fill(page: Worksheet, at: int, columns: Sequence[Column], row: Sequence[str]) -> None:
    for number, (column, text) in enumerate(zip(columns, row, strict=True), start=1):
        if text:
            cell = _write(page, at, number, text)
            cell.alignment = Alignment(wrap_text=column.wraps, vertical="top")


def _validation(cells: str, drop_down: DropDown) -> DataValidation:
    source = drop_down.source
    letter = get_column_letter(source.column)
    rule = DataValidation(
        type="list",
        formula1=f"={source.sheet}!${letter}${source.first}:${letter}${source.last}",
        allow_blank=True,
        showErrorMessage=drop_down.binds,
    )
    rule.errorTitle, rule.error = looks.STOPPED
    rule.add(cells)
    return rule


def _list(page: Worksheet, lists: Sequence[Choices]) -> None:
    page.freeze_panes = "A3"
    for choices in lists:
        _write(page, 1, choices.column, choices.title).font = Font(name=_FONT, bold=True)
        _write(page, 2, choices.column, choices.source)
        for row, item in enumerate(choices.items, start=3):
            for at, text in enumerate(item, start=choices.column):
                if text:
                    _write(page, row, at, text)
        for at, width in enumerate(looks.list_widths(choices), start=choices.column):
            page.column_dimensions[get_column_letter(at)].width = width


def _write(page: Worksheet, row: int, column: int, text: str) -> Any:
    cell = page.cell(row, column)
    cell.value = text
    # Text, whatever it looks like: neither a formula nor a number.
    cell.data_type, cell.number_format = "s", _TEXT
    return cell
