"""What is in a workbook, told message by message.

    {"sheet": "CASE"}       a sheet begins
    [2, ["…", "…"]]         one of its rows that is not blank: its number, its cells as text
    {"refused": "…"}        the workbook is not read, and why
    {"end": true}           everything was said; without it the teller did not live to say it

Row 1 is always told, blank or not, for that is where the header stands. Cells are told from
column A on. What the sheets are called is told as it is: whoever listens decides.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from validators.workbooks.cells import text_of_cell
from validators.workbooks.precheck import MOST_PACKED_BYTES, WorkbookRefused, require_readable

MOST_CELLS = 10_000_000
_MOST_SHEETS = 100
_LONGEST_NAME = 100
_LONGEST_ROW = 1 << 20
"""Characters, as in CSV and XML: whoever listens holds a row whole, without bounds of its own."""

Message = dict[str, Any] | list[Any]


def told(data: bytes) -> Iterator[Message]:
    """Yield what is to be said of a workbook."""
    try:
        yield from _read(data)
    except WorkbookRefused as refused:
        yield {"refused": refused.detail}
    except (CalamineError, ValueError):
        yield {"refused": "the workbook is damaged; save it again as an ordinary workbook"}
    yield {"end": True}


def _read(data: bytes) -> Iterator[Message]:
    if len(data) > MOST_PACKED_BYTES:
        raise WorkbookRefused("the workbook is too large; send CSV files")
    require_readable(BytesIO(data))
    workbook = CalamineWorkbook.from_filelike(BytesIO(data))
    if len(workbook.sheets_metadata) > _MOST_SHEETS:
        raise WorkbookRefused(f"the workbook has more than {_MOST_SHEETS} sheets")
    for sheet in workbook.sheets_metadata:
        if sheet.typ == SheetTypeEnum.WorkSheet:
            cells = workbook.get_sheet_by_name(sheet.name)
            # Before a word is said of it: a reader with less memory dies here and says none either.
            _require_near(cells)
            yield {"sheet": sheet.name[:_LONGEST_NAME]}
            yield from _rows(cells)


def _require_near(sheet: CalamineSheet) -> None:
    if sheet.end is None:
        return
    rows, columns = sheet.end[0] + 1, sheet.end[1] + 1
    if rows * columns > MOST_CELLS:
        raise WorkbookRefused(
            f"a sheet reaches over {rows:,} rows and {columns:,} columns; delete what stands far "
            "from the data, or send CSV files"
        )


def _rows(sheet: CalamineSheet) -> Iterator[Message]:
    if sheet.start is None or sheet.end is None:
        return
    left = [""] * sheet.start[1]
    for number, values in enumerate(sheet.iter_rows(), start=1):
        cells = left + [text_of_cell(value) for value in values]
        if sum(map(len, cells)) > _LONGEST_ROW:
            raise WorkbookRefused(f"row {number} is longer than {_LONGEST_ROW:,} characters")
        if number == 1 or any(cells):
            yield [number, cells]
