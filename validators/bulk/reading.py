"""A CSV file in blocks of some thousand rows, each a frame of text.

Owns which octets polars may read: only those that every reader of CSV reads alike, which have no
quotes, no blank lines and the right number of commas. All others go through the ordinary reader,
block by block, and the faults of a file are told by that reader in any case.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from typing import BinaryIO

import polars as pl

from validators.readers.csv import CsvRows
from validators.readers.lines import LONGEST_LINE, TextLines
from validators.readers.row import FileUnreadable, Row
from validators.readers.table import longest_cells, record_of, require_header
from validators.standard import RecordType, Standard

ROW = "#row"
_BLOCK_BYTES = 8 << 20
_SURELY_SHORT = 1 << 16
_LONE_RETURN = re.compile(rb"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a file: a column of text for each field, the row number in `#row`.

    `misshapen` are rows that are no records, among them by their numbers.
    """

    frame: pl.DataFrame
    misshapen: tuple[Row, ...] = ()


def read_blocks(
    stream: BinaryIO,
    *,
    name: str,
    record_type: RecordType,
    standard: Standard,
    size: int = _BLOCK_BYTES,
) -> Iterator[Block]:
    """Yield the rows of a file in blocks of about `size` octets; raises FileUnreadable.

    The first are smaller: whoever judges them has something to do sooner.
    """
    lines = TextLines(stream, name=name)
    rows = CsvRows(lines, name)
    header = next(rows, (1, []))[1]
    require_header(header, name=name, record_type=record_type, standard=standard)
    longest = longest_cells(header, record_type)
    # The first line is ours: what a file begins with could be taken for a mark or a compression.
    head = ",".join(longest).encode() + b"\n"
    sizes = chain((size // 4 or 1, size // 2 or 1), repeat(size))
    while octets := lines.take(next(sizes), under=head):
        frame = plain_frame(octets, tuple(longest))
        if frame is None or frame.height > lines.left:
            lines.put_back(octets[len(head) :])
            yield from _slowly(lines, rows, longest, name)
            continue
        del octets  # their room is for the next
        lines.count(frame.height)
        yield Block(_without_blank(frame.with_row_index(ROW, offset=rows.passed + 1)))
        rows.count(frame.height)


def plain_frame(octets: bytes, columns: tuple[str, ...]) -> pl.DataFrame | None:
    """Return lines as a frame of text, or None where readers of CSV might not agree on them.

    The first line has the names of the columns, and ends with LF.
    """
    if octets[-1:] != b"\n":
        octets += b"\n"  # else polars passes over a comma too many at the very end
    if b'"' in octets or b"\0" in octets:
        return None
    # polars takes the carriage return of CR LF for a part of the line end, as the csv module does;
    # and one at the end of any other cell for nothing at all.
    if b"\r" in octets and _LONE_RETURN.search(octets):
        return None
    # A blank line or a short row has too few; what makes up for it elsewhere is raised below. This
    # comes first: polars makes full rows of short ones, and gigabytes of a megabyte of line ends.
    lines = octets.count(b"\n")
    if octets.count(b",") != lines * (len(columns) - 1) or not _is_utf_8(octets):
        return None
    try:
        frame = pl.read_csv(
            octets,
            schema=dict.fromkeys(columns, pl.String),
            quote_char=None,
            empty_string_is_null=False,
            extra_columns="raise",
        )
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.height == lines - 1 and _is_short(frame) else None


def _is_short(frame: pl.DataFrame) -> bool:
    """Whether no cell and no line is near its limit, which the ordinary reader keeps."""
    longest: tuple[int, ...] = frame.select(pl.all().str.len_bytes().max()).row(0)
    return max(longest) < _SURELY_SHORT and sum(longest) + len(longest) < LONGEST_LINE


def _is_utf_8(octets: bytes) -> bool:
    try:
        return octets.isascii() or bool(octets.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _without_blank(frame: pl.DataFrame) -> pl.DataFrame:
    first = frame.columns[1]  # the one after the row number
    if not (frame[first] == "").any():
        return frame
    return frame.filter(pl.any_horizontal(pl.exclude(ROW) != ""))


def _slowly(
    lines: TextLines, rows: CsvRows, longest: Mapping[str, int], name: str
) -> Iterator[Block]:
    """Read what was put back, and the rest of its last row, with the ordinary reader."""
    numbers: list[int] = []
    records: list[list[str]] = []
    misshapen: list[Row] = []
    unreadable = None
    try:
        while lines.is_put_back:
            number, cells = next(rows)
            if not any(cells):
                continue
            row = record_of(number, cells, longest, name)
            if row.cells is None:
                misshapen.append(row)
            else:
                numbers.append(number)
                records.append(cells)
    except FileUnreadable as error:
        unreadable = error
    frame = pl.DataFrame(records, dict.fromkeys(longest, pl.String), orient="row")
    yield Block(frame.with_columns(pl.Series(ROW, numbers, pl.UInt32)), tuple(misshapen))
    if unreadable is not None:
        raise unreadable
