"""The sheets of a workbook as tables: one sheet for each record type, named after it.

Owns which sheets are read (CT-011). README and LISTS, which templates have, FINDINGS, which marked
workbooks have, and sheets with nothing in them are passed over; any other sheet is a fault, for
what stands in it would be lost without a word.
"""

from collections.abc import Iterator
from typing import BinaryIO

from validators.filenames import RECORD_TYPES, sheet_address
from validators.findings import Finding
from validators.readers.row import FileUnreadable, Row, misshapen
from validators.readers.table import NumberedRow, records_of
from validators.standard import Standard
from validators.workbooks.precheck import WorkbookRefused
from validators.workbooks.reading import Sheet, read_sheets

PASSED_OVER = frozenset({"README", "LISTS", "FINDINGS"})


def sheet_tables(
    stream: BinaryIO, *, name: str, standard: Standard
) -> Iterator[tuple[str, str, Iterator[Row]]]:
    """Yield address, record type and rows of each sheet; raises FileUnreadable."""
    seen: set[str] = set()
    try:
        for at, sheet in enumerate(read_sheets(stream), start=1):
            kind = sheet.name
            if kind in seen:
                raise FileUnreadable([misshapen(name, f"there are two sheets {kind}")])
            if kind in RECORD_TYPES:
                seen.add(kind)
                yield sheet_address(name, kind), kind, _records(sheet, name, standard)
            elif kind not in PASSED_OVER and any(any(cells) for _, cells in sheet.rows):
                raise FileUnreadable([_stray_sheet(name, at, kind)])
    except WorkbookRefused as refused:
        raise FileUnreadable([misshapen(name, refused.detail)]) from None
    if not seen:
        raise FileUnreadable([misshapen(name, f"no sheet is named {', '.join(RECORD_TYPES)}")])


def _records(sheet: Sheet, workbook: str, standard: Standard) -> Iterator[Row]:
    address = sheet_address(workbook, sheet.name)
    kind = standard.records[sheet.name]
    try:
        yield from records_of(
            _rectangular(sheet.rows), name=address, record_type=kind, standard=standard
        )
    except WorkbookRefused as refused:
        raise FileUnreadable([misshapen(address, refused.detail)]) from None


def _rectangular(rows: Iterator[NumberedRow]) -> Iterator[NumberedRow]:
    """Rows as wide as the header: what a sheet has beyond its last value is no cell of the row."""
    width = 0
    for number, cells in rows:
        while cells and not cells[-1]:
            cells.pop()
        width = width or len(cells)
        yield number, cells + [""] * (width - len(cells))


def _stray_sheet(name: str, at: int, called: str) -> Finding:
    detail = (
        f"sheet {at} has data in it and is not named after a record type; name it, or take it out"
    )
    return misshapen(name, detail, given=called)
