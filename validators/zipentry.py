"""One entry of a ZIP archive, inflated while it is read and held to what was declared of it.

The archive's own layout (`ziplayout`) was checked before. Reading raises PackageRefused as soon as
the bytes break their declared size or checksum; what came before that is never more than declared.
"""

import hashlib
import io
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from validators.refusal import PackageRefused
from validators.ziplayout import STORED, Entry

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 1 << 16

Digested = Callable[[str], None]


def open_entry(source: BinaryIO, entry: Entry, digested: Digested | None = None) -> BinaryIO:
    """Open an entry for reading. Streams share the source: read one at a time in one thread.

    `digested`, if there is one, gets the SHA-256 (hex) of an entry that was read to its end.
    """
    return io.BufferedReader(_EntryStream(source, entry, digested), _CHUNK)


class _EntryStream(io.RawIOBase):
    """The inflated bytes of one entry; raises PackageRefused when they are not as declared."""

    def __init__(self, source: BinaryIO, entry: Entry, digested: Digested | None) -> None:
        self._source = source
        self._entry = entry
        self._digested = digested
        self._digest = hashlib.sha256()
        self._at = entry.data_at
        self._packed_left = entry.packed
        self._size_left = entry.size
        self._crc = 0
        self._inflate = None if entry.method == STORED else zlib.decompressobj(-zlib.MAX_WBITS)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        room = memoryview(buffer).cast("B")
        data = self._next(len(room))
        room[: len(data)] = data
        return len(data)

    def _next(self, wanted: int) -> bytes:
        data = self._packed_bytes(wanted) if self._inflate is None else self._inflated(wanted)
        self._size_left -= len(data)
        self._crc = zlib.crc32(data, self._crc)
        if self._digested is not None:
            self._digest.update(data)
        if self._size_left < 0:
            # The directory declares a small size, the data inflates to more: a bomb in disguise.
            raise PackageRefused("zip-bomb", entry=self._entry.position)
        if not data:
            self._require_whole()
            if self._digested is not None:
                self._digested(self._digest.hexdigest())
        return data

    def _inflated(self, wanted: int) -> bytes:
        assert self._inflate is not None
        while not self._inflate.eof:
            # Much where much is wanted: each piece is some turns at the interpreter's lock.
            packed = self._inflate.unconsumed_tail or self._packed_bytes(max(_CHUNK, wanted // 8))
            try:
                data = self._inflate.decompress(packed, wanted)
            except zlib.error as error:
                raise self._malformed("deflate data") from error
            if data:
                return data
            if not packed:
                raise self._malformed("deflate data cut short")
        return b""

    def _packed_bytes(self, wanted: int) -> bytes:
        # The source is shared, so every read says where it is.
        self._source.seek(self._at)
        data = self._source.read(min(wanted, self._packed_left))
        self._at += len(data)
        self._packed_left -= len(data)
        return data

    def _require_whole(self) -> None:
        rest = self._inflate.unused_data if self._inflate else b""
        if self._size_left or self._packed_left or rest or self._crc != self._entry.crc:
            raise self._malformed("size or checksum differs")

    def _malformed(self, detail: str) -> PackageRefused:
        return PackageRefused("zip-malformed", entry=self._entry.position, detail=detail)
