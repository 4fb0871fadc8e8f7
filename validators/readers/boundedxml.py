"""XML parsed by expat, held to bounds that expat does not have: for any reader of XML here.

Owns what no document may do to us: UTF-8 only, no document type and so no entities of its own, no
mark without an end. What is a record, and how deep and how long it may be, is the handler's. No
tree is built here. The parser is the standard library's, so that one reader runs everywhere.
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Protocol
from xml.parsers import expat

LONGEST_PROLOG = 1 << 16
LONGEST_MARK = 1 << 16
_CHUNK = 1 << 16
_SLICE = 16
_MALFORMED = "the text is not well-formed UTF-8 XML"


class Misshapen(Exception):
    """The document cannot be read on; `detail` is our own clause, never text of the sender."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Handler(Protocol):
    """What is called for each part of the document; may raise Misshapen."""

    @property
    def has_begun(self) -> bool:
        """Whether the outermost element has begun: no document type can come any more."""

    def start(self, tag: str, attributes: Mapping[str, str], /) -> None:
        """An element begins."""

    def data(self, text: str, /) -> None:
        """Text, whole or in part."""

    def end(self, tag: str, /) -> None:
        """An element ends."""


class MalformedXml(Misshapen):
    """The text is no XML, or no UTF-8."""


def parsed(stream: BinaryIO, handler: Handler, *, outermost: str) -> Iterator[None]:
    """Call the handler for all of a document, pausing after each piece; raises Misshapen."""
    parser = _Parser(handler)
    try:
        for chunk in _chunks(stream, handler, outermost):
            parser.feed(chunk)
            yield
        parser.end()
    except expat.ExpatError as error:
        raise MalformedXml(f"{_MALFORMED} (line {error.lineno})") from None
    yield


def _chunks(stream: BinaryIO, handler: Handler, outermost: str) -> Iterator[bytes]:
    """The file in pieces, tiny ones until the outermost element has begun.

    What a handler raises does not stop expat before the end of the piece. Of what a document type
    declares no more than a few bytes are ever parsed, far too few for an entity to grow.
    """
    for _ in range(LONGEST_PROLOG // _SLICE):
        if handler.has_begun:
            break
        if not (piece := stream.read(_SLICE)):
            return
        _require_octets(piece)
        yield piece
    else:
        detail = f"the first {LONGEST_PROLOG:,} bytes do not reach the element {outermost}"
        raise Misshapen(detail)
    while chunk := stream.read(_CHUNK):
        yield chunk


def _require_octets(piece: bytes) -> None:
    # Whatever encoding it is told, expat follows the marks of UTF-16. None of these is in UTF-8.
    if set(piece) & {0x00, 0xFE, 0xFF}:
        raise MalformedXml(f"{_MALFORMED} (line 1)")


def _refuse_doctype(*_parts: object) -> None:
    # Before anything that it declares is looked at.
    raise Misshapen("the XML has a document type; leave it out")


class _Parser:
    """expat with its handlers set."""

    def __init__(self, handler: Handler) -> None:
        # The encoding given here overrides any that the file declares.
        self._expat = expat.ParserCreate("utf-8")
        self._expat.buffer_text = True
        self._expat.StartDoctypeDeclHandler = _refuse_doctype
        self._expat.StartElementHandler = handler.start
        self._expat.CharacterDataHandler = handler.data
        self._expat.EndElementHandler = handler.end
        # expat 2.6 puts unfinished marks off; our own bound is the same with every version.
        if hasattr(self._expat, "SetReparseDeferralEnabled"):
            self._expat.SetReparseDeferralEnabled(False)  # noqa: FBT003 - not ours to name
        self._fed = 0

    def feed(self, chunk: bytes) -> None:
        """Parse on; raises ExpatError and Misshapen."""
        self._expat.Parse(chunk, False)  # noqa: FBT003
        self._fed += len(chunk)
        # A tag, comment or instruction that does not end is scanned again from its start at each
        # feed: in quadratic time (CVE-2023-52425), and it is held in memory.
        if self._fed - self._expat.CurrentByteIndex > LONGEST_MARK:
            raise Misshapen(f"a tag or comment is longer than {LONGEST_MARK:,} bytes")

    def end(self) -> None:
        """Say that there is no more; raises ExpatError where there should be."""
        self._expat.Parse(b"", True)  # noqa: FBT003
