"""Physical lines of a record file: UTF-8 text, each of bounded length.

Owns the encoding and the length of lines (CT-011; CTDS section 2: UTF-8, byte order mark allowed).
A file of one endless line costs no more memory than the cap, and text in the encodings that Excel
writes by default is recognised, so that its sender learns what to choose instead.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from validators.readers.row import FileUnreadable, misshapen

LONGEST_LINE = 1 << 20
# 1 GiB of line ends packs into 5 MB and would keep a worker busy for many minutes.
MOST_LINES = 10_000_000
_UTF_8_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_WORKBOOK = "the file is a workbook, not text; save it as 'CSV UTF-8'"
_UTF_16 = "the text is UTF-16; save it as 'CSV UTF-8'"
_WINDOWS_1252 = "the text looks like Windows-1252 (ANSI); save it as 'CSV UTF-8'"
_NOT_UTF_8 = "the text is not UTF-8; save it as 'CSV UTF-8'"


class TextLines:
    """The lines of a file, one after another; raises FileUnreadable."""

    def __init__(self, stream: BinaryIO, *, name: str) -> None:
        self._stream = stream
        self._name = name
        self._put_back = BytesIO()
        self._number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._put_back.readline(LONGEST_LINE + 1) or self._stream.readline(LONGEST_LINE + 1)
        if self._number == 0:
            line = self._begun(line)
        if not line:
            raise StopIteration
        self._pass(1)
        return _decoded(line, self._name, self._number)

    @property
    def is_put_back(self) -> bool:
        """Whether octets that were taken and put back are still to be read as lines."""
        return self._put_back.tell() < len(self._put_back.getbuffer())

    @property
    def left(self) -> int:
        """How many lines more there may be."""
        return MOST_LINES - self._number

    def take(self, size: int, *, under: bytes = b"") -> bytes:
        """Return about this many octets, up to the end of a line, `under` some others.

        Never the first line of the file; nothing at its end.
        """
        assert self._number > 0
        # Put together once: they are many.
        octets = self._put_back.read(), self._stream.read(size)
        if not any(octets):
            return b""
        return b"".join((under, *octets, self._stream.readline(LONGEST_LINE + 1)))

    def put_back(self, octets: bytes) -> None:
        """Let what was taken be read as lines after all."""
        self._put_back = BytesIO(octets)

    def count(self, lines: int) -> None:
        """Count lines that were taken and are not put back."""
        self._pass(lines)

    def _begun(self, line: bytes) -> bytes:
        if line.startswith(_UTF_16_MARKS):
            raise FileUnreadable([misshapen(self._name, _UTF_16)])
        if line.startswith(_WORKBOOKS):
            raise FileUnreadable([misshapen(self._name, _WORKBOOK)])
        return line.removeprefix(_UTF_8_MARK)

    def _pass(self, lines: int) -> None:
        self._number += lines
        if self._number > MOST_LINES:
            fault = f"there are more than {MOST_LINES:,} lines"
            raise FileUnreadable([misshapen(self._name, fault)])


def _decoded(line: bytes, name: str, number: int) -> str:
    if len(line) > LONGEST_LINE:
        fault = f"line {number} is longer than {LONGEST_LINE:,} bytes"
        raise FileUnreadable([misshapen(name, fault)])
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise FileUnreadable([misshapen(name, _encoding_fault(line, number))]) from None
    if "\0" in text:
        raise FileUnreadable([misshapen(name, _encoding_fault(line, number))])
    return text


def _encoding_fault(line: bytes, number: int) -> str:
    # Latin text in UTF-16 without a mark has a NUL in every second byte.
    if line.count(0) * 3 > len(line):
        return _UTF_16
    if 0 in line:
        return f"line {number} holds a NUL character"
    try:
        line.decode("cp1252")
    except UnicodeDecodeError:
        return f"{_NOT_UTF_8} (line {number})"
    return f"{_WINDOWS_1252} (line {number})"
