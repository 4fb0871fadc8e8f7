"""JSON Lines record files: one object a line, the keys of the record type (CTDS section 2).

Owns the shape (CT-011): strict JSON (RFC 8259) without duplicate keys, NaN or Infinity, of little
depth. A row is numbered by its line. Numbers keep their written form: 1e400 must fail as a number
out of range, not pass as infinity. Objects where a value belongs, and strings that are not Unicode
text, return the row; the rest of the file goes on.
"""

from collections.abc import Iterator
from typing import BinaryIO

from validators.readers.keyed import KeyedRecords
from validators.readers.lines import TextLines
from validators.readers.row import Row
from validators.standard import RecordType, Standard
from validators.strictjson import JsonRefused, load_object

_BLANK = " \t\r\n"  # RFC 8259 section 2; str.strip() alone would take more for blank


def read_jsonl(
    stream: BinaryIO, *, name: str, record_type: RecordType, standard: Standard
) -> Iterator[Row]:
    """Yield the rows of a file; raises FileUnreadable where reading cannot go on."""
    records = KeyedRecords(name, record_type, standard)
    for number, line in enumerate(TextLines(stream, name=name), start=1):
        if line.strip(_BLANK):
            yield _row(number, line, records)


def _row(number: int, line: str, records: KeyedRecords) -> Row:
    try:
        record = load_object(line)
    except JsonRefused as refused:
        return records.refused(number, refused.reason)
    return records.row(number, record)
