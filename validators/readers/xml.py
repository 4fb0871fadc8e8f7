"""XML record files: one element for each record, one element in it for each field that is given.

    <CTDS><CASE><record_id>…</record_id>…</CASE><CASE>…</CASE></CTDS>

Owns the shape (CT-011): UTF-8, no document type and so no entities of one's own, no attributes, no
namespaces, nothing deeper than a field's text. A row is numbered by the record's place in the file,
the first being 1. No tree is built: of a file of any size one record is held at a time. Codes of a
field that takes several are joined with semicolons, as in CSV.

The parser has no bounds of its own on depth or on the number of names; they are kept here. Those on
everything else are `boundedxml`'s.
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from validators.readers.boundedxml import MalformedXml, Misshapen, parsed
from validators.readers.columns import MOST_COLUMNS
from validators.readers.keyed import KeyedRecords
from validators.readers.row import FileUnreadable, Row, misshapen
from validators.standard import RecordType, Standard

ROOT = "CTDS"
MOST_RECORDS = 10_000_000
_LONGEST_RECORD = 1 << 20
_MOST_NAMES = 1_000
_RECORD, _FIELD = 1, 2
_DEEPEST = 16


def read_xml(
    stream: BinaryIO, *, name: str, record_type: RecordType, standard: Standard
) -> Iterator[Row]:
    """Yield the rows of a file; raises FileUnreadable where reading cannot go on."""
    built = _Records(KeyedRecords(name, record_type, standard))
    try:
        for _ in parsed(stream, built, outermost=ROOT):
            yield from built.taken()
    except MalformedXml as refused:
        yield from built.taken()
        raise FileUnreadable([misshapen(name, refused.detail)]) from None
    except Misshapen as refused:
        yield from built.taken()
        raise FileUnreadable([misshapen(name, refused.detail, row=built.number or None)]) from None


class _Records:
    """What the parser calls for each part of the document; collects rows."""

    def __init__(self, records: KeyedRecords) -> None:
        self._records = records
        self._rows: list[Row] = []
        self._depth = 0
        self._field: str | None = None
        self._text: list[str] = []
        self._length = 0
        self._record: dict[str, str] = {}
        self._fault: str | None = None
        self._names: set[str] = set()
        self.number = 0

    @property
    def has_begun(self) -> bool:
        """Whether the outermost element has begun: no document type can come any more."""
        return bool(self._names)

    def taken(self) -> list[Row]:
        rows, self._rows = self._rows, []
        return rows

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._depth == 0 and (tag != ROOT or "xmlns" in attributes):
            raise Misshapen(f"the outermost element is not {ROOT}")
        if attributes:
            raise Misshapen("an element has attributes; give values as text")
        self._know(tag)
        if self._depth == _RECORD:
            self._begin_record(tag)
        elif self._depth == _FIELD:
            self._begin_field(tag)
        elif self._depth > _FIELD:
            self._fault = self._fault or "an element stands inside a field"
        self._depth += 1
        if self._depth > _DEEPEST:
            # Each level costs memory until it ends.
            raise Misshapen("an element stands inside a field")

    def data(self, text: str) -> None:
        self._length += len(text)
        if self._length > _LONGEST_RECORD:
            raise Misshapen(f"a record is longer than {_LONGEST_RECORD:,} characters")
        if self._depth == _FIELD + 1:
            self._text.append(text)
        elif text.strip():
            self._fault = self._fault or "text stands between elements"

    def end(self, _tag: str) -> None:
        self._depth -= 1
        if self._depth == _FIELD and self._field is not None:
            self._record[self._field] = "".join(self._text)
        elif self._depth == _RECORD:
            self._rows.append(self._row())

    def _know(self, tag: str) -> None:
        # expat keeps every name that it has met, for as long as it lives.
        self._names.add(tag)
        if len(self._names) > _MOST_NAMES:
            raise Misshapen(f"the elements have more than {_MOST_NAMES:,} different names")

    def _begin_record(self, tag: str) -> None:
        self.number += 1
        kind = self._records.record_type.code
        if tag != kind:
            raise Misshapen(f"a record is not an element {kind}")
        if self.number > MOST_RECORDS:
            raise Misshapen(f"there are more than {MOST_RECORDS:,} records")
        self._record, self._fault, self._length = {}, None, 0

    def _begin_field(self, tag: str) -> None:
        if tag in self._record:
            self._fault = self._fault or "an element stands twice in one record"
        if len(self._record) > MOST_COLUMNS:
            raise Misshapen(f"a record has more than {MOST_COLUMNS} elements")
        self._field, self._text = tag, []
        # Elements without text cost memory too.
        self._length += len(tag)

    def _row(self) -> Row:
        if self._fault is not None:
            return self._records.refused(self.number, self._fault)
        return self._records.row(self.number, self._record)
