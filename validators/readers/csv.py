"""CSV record files: RFC 4180 quoting, comma, a header row, LF or CRLF (CTDS section 2).

Owns how text becomes a table (CT-011); what is a record of it is `table`'s. A row is numbered as a
spreadsheet numbers it: the header is row 1, a cell with line breaks adds no rows, blank rows count.
"""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from validators.readers.lines import TextLines
from validators.readers.row import FileUnreadable, Row, misshapen
from validators.readers.table import NumberedRow, records_of
from validators.standard import RecordType, Standard


def read_csv(
    stream: BinaryIO, *, name: str, record_type: RecordType, standard: Standard
) -> Iterator[Row]:
    """Yield the rows of a file; raises FileUnreadable where reading cannot go on."""
    table = numbered_rows(stream, name)
    return records_of(table, name=name, record_type=record_type, standard=standard)


def numbered_rows(stream: BinaryIO, name: str) -> "CsvRows":
    """Return every row of any CSV file with its number."""
    return CsvRows(TextLines(stream, name=name), name)


class CsvRows:
    """The rows of lines of text, one after another; raises FileUnreadable."""

    def __init__(self, lines: Iterator[str], name: str) -> None:
        # strict: a stray quote is a fault, not a guess. The module's own cap on one cell (131,072
        # characters) ends a quote that is never closed long before it has swallowed the file.
        self._lines = _LastLine(lines)
        self._reader = csv.reader(self._lines, strict=True)
        self._name = name
        self.passed = 0

    def __iter__(self) -> Iterator[NumberedRow]:
        return self

    def __next__(self) -> NumberedRow:
        self.passed += 1
        try:
            return self.passed, next(self._reader)
        except csv.Error:
            fault = misshapen(self._name, self._lines.fault(), row=self.passed)
            raise FileUnreadable([fault]) from None

    def count(self, rows: int) -> None:
        """Count rows that were read by other means."""
        self.passed += rows


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
