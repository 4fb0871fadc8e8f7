"""A table with a header row becomes records: what CSV files and sheets of workbooks share.

Owns the header (CT-011, CT-012) and the shape of each row, not the values. A row whose number of
cells differs from the header is never realigned: what stood in one column could otherwise be taken
for another. Blank rows are no records, and count as rows.
"""

from collections.abc import Iterator, Mapping, Sequence

from validators.findings import Finding
from validators.readers.columns import MOST_COLUMNS, column_faults, longest_cell
from validators.readers.row import FileUnreadable, Row, misshapen
from validators.standard import RecordType, Standard

NumberedRow = tuple[int, list[str]]


def records_of(
    table: Iterator[NumberedRow], *, name: str, record_type: RecordType, standard: Standard
) -> Iterator[Row]:
    """Yield the records below the header; raises FileUnreadable where there is no usable header."""
    header = next(table, (1, []))[1]
    require_header(header, name=name, record_type=record_type, standard=standard)
    longest = longest_cells(header, record_type)
    for number, cells in table:
        if any(cells):
            yield record_of(number, cells, longest, name)


def require_header(
    header: Sequence[str], *, name: str, record_type: RecordType, standard: Standard
) -> None:
    """Raise FileUnreadable for a header that does not name the columns of the record type."""
    faults = _header_faults(header, name, record_type, standard)
    if faults:
        raise FileUnreadable(faults)


def longest_cells(header: Sequence[str], record_type: RecordType) -> dict[str, int]:
    """Return for each column, in order, how many characters one of its cells may have."""
    return {column: longest_cell(record_type.field(column)) for column in header}


def record_of(number: int, cells: Sequence[str], longest: Mapping[str, int], name: str) -> Row:
    """Return a row as a record, or with what is wrong with its shape."""
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


def _header_faults(
    header: Sequence[str], name: str, record_type: RecordType, standard: Standard
) -> list[Finding]:
    if not any(header):
        return [misshapen(name, "the file has no header row", row=1)]
    if len(header) > MOST_COLUMNS:
        return [misshapen(name, f"there are more than {MOST_COLUMNS} columns", row=1)]
    return column_faults(header, name=name, record_type=record_type, standard=standard)
