"""CSV record files: RFC 4180 quoting, comma, a header row, LF or CRLF (CTDS section 2).

Owns the shape of the file (CT-011) and the names of its columns (CT-012), not the values. A row is
numbered as a spreadsheet numbers it: the header is row 1, a cell with line breaks adds no rows,
blank rows count. A row whose number of cells differs from the header is never realigned: what stood
in one column could otherwise be taken for another.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from validators.findings import Finding
from validators.readers.columns import MOST_COLUMNS, column_faults, longest_cell
from validators.readers.lines import text_lines
from validators.readers.row import FileUnreadable, Row, misshapen
from validators.standard import RecordType, Standard


def read_csv(
    stream: BinaryIO, *, name: str, record_type: RecordType, standard: Standard
) -> Iterator[Row]:
    """Yield the rows of a file; raises FileUnreadable where reading cannot go on."""
    table = numbered_rows(stream, name)
    header = next(table, (1, []))[1]
    faults = _header_faults(header, name, record_type, standard)
    if faults:
        raise FileUnreadable(faults)
    longest = {column: longest_cell(record_type.field(column)) for column in header}
    for number, cells in table:
        if any(cells):
            yield _row(number, cells, longest, name)


def numbered_rows(stream: BinaryIO, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every row of any CSV file with its number; raises FileUnreadable."""
    # strict: a stray quote is a fault, not a guess. The module's own cap on one cell (131,072
    # characters) ends a quote that is never closed long before it has swallowed the file.
    lines = _LastLine(text_lines(stream, name=name))
    reader = csv.reader(lines, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise FileUnreadable([misshapen(name, lines.fault(), row=number)]) from None
        yield number, cells


class _LastLine:
    """Passes lines on and remembers the last, to say what the csv module stumbled over."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._last = ""
        self._ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            self._last = next(self._lines)
        except StopIteration:
            self._ended = True
            raise
        return self._last

    def fault(self) -> str:
        if "\r" in self._last.removesuffix("\n").removesuffix("\r"):
            return "a line ends with a carriage return alone; save it with LF or CRLF line ends"
        if self._ended:
            return "a quote is opened and never closed"
        return "a quote is out of place, or a cell is too long"


def _header_faults(
    header: Sequence[str], name: str, record_type: RecordType, standard: Standard
) -> list[Finding]:
    if not any(header):
        return [misshapen(name, "the file has no header row", row=1)]
    if len(header) > MOST_COLUMNS:
        return [misshapen(name, f"there are more than {MOST_COLUMNS} columns", row=1)]
    return column_faults(header, name=name, record_type=record_type, standard=standard)


def _row(number: int, cells: list[str], longest: Mapping[str, int], name: str) -> Row:
    if len(cells) != len(longest):
        detail = f"the row has {len(cells)} cells, the header {len(longest)}"
        return Row(number, None, (misshapen(name, detail, row=number),))
    record = dict(zip(longest, cells, strict=True))
    faults = tuple(
        misshapen(name, f"a cell is longer than {most:,} characters", row=number, column=column)
        for column, most in longest.items()
        if len(record[column]) > most
    )
    return Row(number, None if faults else record, faults)
