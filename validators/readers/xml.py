"""XML record files: one element for each record, one element in it for each field that is given.

    <CTDS><CASE><record_id>…</record_id>…</CASE><CASE>…</CASE></CTDS>

Owns the shape (CT-011): UTF-8, no document type and so no entities of one's own, no attributes, no
namespaces, nothing deeper than a field's text. A row is numbered by the record's place in the file,
the first being 1. No tree is built: of a file of any size one record is held at a time. Codes of a
field that takes several are joined with semicolons, as in CSV.

The parser is the standard library's expat, so that one reader runs everywhere, in a browser too. It
has no bounds of its own on depth, on the number of names or on the length of what is not text; they
are kept here.
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO
from xml.parsers import expat

from validators.readers.columns import MOST_COLUMNS
from validators.readers.keyed import KeyedRecords
from validators.readers.row import FileUnreadable, Row, misshapen
from validators.standard import RecordType, Standard

ROOT = "CTDS"
MOST_RECORDS = 10_000_000
LONGEST_PROLOG = 1 << 16
LONGEST_MARK = 1 << 16
_LONGEST_RECORD = 1 << 20
_MOST_NAMES = 1_000
_CHUNK = 1 << 16
_SLICE = 16
_RECORD, _FIELD = 1, 2
_MALFORMED = "the text is not well-formed UTF-8 XML"
_DEEPEST = 16


def read_xml(
    stream: BinaryIO, *, name: str, record_type: RecordType, standard: Standard
) -> Iterator[Row]:
    """Yield the rows of a file; raises FileUnreadable where reading cannot go on."""
    built = _Records(KeyedRecords(name, record_type, standard))
    parser = _Parser(built)
    try:
        for chunk in _chunks(stream, built):
            parser.feed(chunk)
            yield from built.taken()
        parser.end()
    except _Misshapen as refused:
        yield from built.taken()
        raise FileUnreadable([misshapen(name, refused.detail, row=built.number or None)]) from None
    except expat.ExpatError as error:
        yield from built.taken()
        detail = f"{_MALFORMED} (line {error.lineno})"
        raise FileUnreadable([misshapen(name, detail)]) from None
    yield from built.taken()


def _chunks(stream: BinaryIO, built: "_Records") -> Iterator[bytes]:
    """The file in pieces, tiny ones until the outermost element has begun.

    What a handler raises does not stop expat before the end of the piece. Of what a document type
    declares no more than a few bytes are ever parsed, far too few for an entity to grow.
    """
    for _ in range(LONGEST_PROLOG // _SLICE):
        if built.has_begun:
            break
        if not (piece := stream.read(_SLICE)):
            return
        _require_octets(piece)
        yield piece
    else:
        raise _Misshapen(f"the first {LONGEST_PROLOG:,} bytes do not reach the element {ROOT}")
    while chunk := stream.read(_CHUNK):
        yield chunk


def _require_octets(piece: bytes) -> None:
    # Whatever encoding it is told, expat follows the marks of UTF-16. None of these is in UTF-8.
    if set(piece) & {0x00, 0xFE, 0xFF}:
        raise _Misshapen(f"{_MALFORMED} (line 1)")


class _Parser:
    """expat, held to the bounds that it does not have."""

    def __init__(self, built: "_Records") -> None:
        # The encoding given here overrides any that the file declares.
        self._expat = expat.ParserCreate("utf-8")
        self._expat.buffer_text = True
        self._expat.StartDoctypeDeclHandler = built.doctype
        self._expat.StartElementHandler = built.start
        self._expat.CharacterDataHandler = built.data
        self._expat.EndElementHandler = built.end
        # expat 2.6 puts unfinished marks off; our own bound is the same with every version.
        if hasattr(self._expat, "SetReparseDeferralEnabled"):
            self._expat.SetReparseDeferralEnabled(False)  # noqa: FBT003 - not ours to name
        self._fed = 0

    def feed(self, chunk: bytes) -> None:
        """Parse on; raises ExpatError and _Misshapen."""
        self._expat.Parse(chunk, False)  # noqa: FBT003
        self._fed += len(chunk)
        # A tag, comment or instruction that does not end is scanned again from its start at each
        # feed: in quadratic time (CVE-2023-52425), and it is held in memory.
        if self._fed - self._expat.CurrentByteIndex > LONGEST_MARK:
            raise _Misshapen(f"a tag or comment is longer than {LONGEST_MARK:,} bytes")

    def end(self) -> None:
        """Say that there is no more; raises ExpatError where there should be."""
        self._expat.Parse(b"", True)  # noqa: FBT003


class _Misshapen(Exception):
    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


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

    def doctype(self, *_parts: object) -> None:
        # Before anything that it declares is looked at.
        raise _Misshapen("the XML has a document type; leave it out")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._depth == 0 and (tag != ROOT or "xmlns" in attributes):
            raise _Misshapen(f"the outermost element is not {ROOT}")
        if attributes:
            raise _Misshapen("an element has attributes; give values as text")
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
            raise _Misshapen("an element stands inside a field")

    def data(self, text: str) -> None:
        self._length += len(text)
        if self._length > _LONGEST_RECORD:
            raise _Misshapen(f"a record is longer than {_LONGEST_RECORD:,} characters")
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
            raise _Misshapen(f"the elements have more than {_MOST_NAMES:,} different names")

    def _begin_record(self, tag: str) -> None:
        self.number += 1
        kind = self._records.record_type.code
        if tag != kind:
            raise _Misshapen(f"a record is not an element {kind}")
        if self.number > MOST_RECORDS:
            raise _Misshapen(f"there are more than {MOST_RECORDS:,} records")
        self._record, self._fault, self._length = {}, None, 0

    def _begin_field(self, tag: str) -> None:
        if tag in self._record:
            self._fault = self._fault or "an element stands twice in one record"
        if len(self._record) > MOST_COLUMNS:
            raise _Misshapen(f"a record has more than {MOST_COLUMNS} elements")
        self._field, self._text = tag, []
        # Elements without text cost memory too.
        self._length += len(tag)

    def _row(self) -> Row:
        if self._fault is not None:
            return self._records.refused(self.number, self._fault)
        return self._records.row(self.number, self._record)
