"""JSON Lines record files: one object a line, the keys of the record type (CTDS section 2).

Owns the shape (CT-011): strict JSON (RFC 8259) without duplicate keys, NaN or Infinity, of little
depth. A row is numbered by its line. Numbers keep their written form: 1e400 must fail as a number
out of range, not pass as infinity. Objects where a value belongs, and strings that are not Unicode
text, return the row; the rest of the file goes on.
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from validators.findings import Finding, finding
from validators.readers.columns import MOST_COLUMNS, longest_cell, stray_column
from validators.readers.lines import text_lines
from validators.readers.row import Row, misshapen
from validators.standard import Field, RecordType, Standard
from validators.strictjson import JsonRefused, is_unicode, load_object

_BLANK = " \t\r\n"  # RFC 8259 section 2; str.strip() alone would take more for blank


def read_jsonl(
    stream: BinaryIO, *, name: str, record_type: RecordType, standard: Standard
) -> Iterator[Row]:
    """Yield the rows of a file; raises FileUnreadable where reading cannot go on."""
    fields = {field.name: field for field in record_type.fields}
    for number, line in enumerate(text_lines(stream, name=name), start=1):
        if line.strip(_BLANK):
            yield _row(number, line, name=name, fields=fields, standard=standard)


def _row(
    number: int, line: str, *, name: str, fields: Mapping[str, Field], standard: Standard
) -> Row:
    try:
        record = load_object(line)
    except JsonRefused as refused:
        return Row(number, None, (misshapen(name, refused.reason, row=number),))
    if len(record) > MOST_COLUMNS:
        detail = f"there are more than {MOST_COLUMNS} keys"
        return Row(number, None, (misshapen(name, detail, row=number),))
    faults = tuple(_faults(record, number, name=name, fields=fields, standard=standard))
    return Row(number, None if faults else record, faults)


def _faults(
    record: Mapping[str, object],
    number: int,
    *,
    name: str,
    fields: Mapping[str, Field],
    standard: Standard,
) -> Iterator[Finding]:
    for key, value in record.items():
        field = fields.get(key)
        if field is None:
            yield stray_column(key, file=name, row=number, standard=standard)
        else:
            yield from _value_faults(field, value, number, name)


def _value_faults(field: Field, value: object, number: int, name: str) -> Iterator[Finding]:
    parts = value if isinstance(value, list) and field.type == "code_list" else [value]
    if any(isinstance(part, (list, dict)) for part in parts):
        # The value itself is left out of the finding: it may be large and of any shape.
        yield finding(
            "CT-015", file=name, row=number, column=field.name, value="…", type=field.type
        )
        return
    texts = [part for part in parts if isinstance(part, str)]
    if not all(is_unicode(text) for text in texts):
        yield finding("CT-020", file=name, row=number, column=field.name)
    if sum(map(len, texts)) > longest_cell(field):
        detail = f"a value is longer than {longest_cell(field):,} characters"
        yield misshapen(name, detail, row=number, column=field.name)
