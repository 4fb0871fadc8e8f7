"""A package as it comes from a sender: a ZIP that may be hostile, opened safely.

Owns the fixed set of names (CTDS section 2), the limits and the reading of one entry. Every check
on structure, names and declared sizes is made before the first byte is inflated; what is inflated
then is held to the declared size and checksum while it streams. Nothing is ever written to disk.
"""

import io
import re
import stat
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from validators.refusal import PackageRefused
from validators.ziplayout import STORED, Entry, read_layout

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["MANIFEST_NAME", "Limits", "Package", "PackageRefused", "open_package", "record_type_of"]

MANIFEST_NAME = "manifest.json"
_ATTACHMENTS = "attachments/"
_RECORD_TYPES = "CASE|EXPL|DECN|MISS|GUAR|CARE|JUST|ACTV|NARR"
_RECORD_FILE = re.compile(rf"({_RECORD_TYPES})\.(csv|jsonl)")
_ATTACHMENT = re.compile(r"attachments/(?!\.+$)[A-Za-z0-9._-]{1,100}")
_ARCHIVE = re.compile(r"(?i)\.(zip|zipx|7z|rar|gz|tgz|bz2|xz|zst|tar|jar|cab|iso|arj|lzh)$")
# Documents that are ZIP archives inside; an attachment's own rule (CT-100) looks into them.
_ZIP_DOCUMENT = re.compile(r"(?i)\.(odt|docx)$")
_ARCHIVE_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"\xfd7zX")
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What a package may hold. Sizes are in bytes after inflating."""

    entries: int = 200
    entry_bytes: int = 1 << 30
    total_bytes: int = 4 << 30
    ratio: int = 200
    ratio_from_bytes: int = 16 << 20
    manifest_bytes: int = 1 << 20


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Package:
    """The files of one package by name; `names` keeps the order of the archive."""

    names: tuple[str, ...]
    sizes: Mapping[str, int]
    _source: BinaryIO = field(repr=False)
    _entries: Mapping[str, Entry] = field(repr=False)

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading.

        Reading raises PackageRefused as soon as the bytes break their declared size or checksum.
        Streams share the source: read one at a time in one thread.
        """
        return io.BufferedReader(_EntryStream(self._source, self._entries[name]), _CHUNK)

    @property
    def attachments(self) -> tuple[str, ...]:
        """The names below attachments/."""
        return tuple(name for name in self.names if name.startswith(_ATTACHMENTS))


def open_package(source: BinaryIO, *, limits: Limits = DEFAULT_LIMITS) -> Package:
    """Check the archive as a whole and return its files; raises PackageRefused.

    `source` must be seekable and stay open while the package is used.
    """
    layout = read_layout(source, most_entries=limits.entries)
    entries = _by_name(layout)
    _require_sizes(entries, limits)
    for name, entry in entries.items():
        _refuse_nested(source, name, entry)
    sizes = {name: entry.size for name, entry in entries.items()}
    return Package(tuple(entries), sizes, source, entries)


def record_type_of(name: str) -> str | None:
    """Return the record type that a file name stands for: CASE for CASE.csv; None for others."""
    match = _RECORD_FILE.fullmatch(name)
    return match[1] if match else None


def is_package_name(name: str) -> bool:
    """Tell whether a package may hold a file of this name."""
    fixed = name == MANIFEST_NAME or record_type_of(name) is not None
    return fixed or _ATTACHMENT.fullmatch(name) is not None


def _by_name(layout: tuple[Entry, ...]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    taken: set[str] = set()
    for entry in layout:
        _refuse_special(entry)
        # latin-1 never fails; a byte outside ASCII then matches no allowed name.
        name = entry.raw_name.decode("latin-1")
        if name == _ATTACHMENTS and entry.size == 0:
            continue
        if _ARCHIVE.search(name):
            raise PackageRefused("zip-nested", entry=entry.position)
        if not is_package_name(name):
            raise PackageRefused("zip-path", entry=entry.position)
        # CASE.csv beside CASE.jsonl is one record type twice; names that differ in case only
        # are one file on Windows and two on Linux.
        key = record_type_of(name) or name.casefold()
        if key in taken:
            raise PackageRefused("zip-duplicate", entry=entry.position)
        taken.add(key)
        entries[name] = entry
    return entries


def _refuse_special(entry: Entry) -> None:
    kind = stat.S_IFMT(entry.mode)
    if kind == stat.S_IFLNK:
        raise PackageRefused("zip-symlink", entry=entry.position)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise PackageRefused("zip-path", entry=entry.position, detail="not a regular file")


def _require_sizes(entries: Mapping[str, Entry], limits: Limits) -> None:
    for name, entry in entries.items():
        most = limits.manifest_bytes if name == MANIFEST_NAME else limits.entry_bytes
        inflated = entry.size > max(limits.ratio_from_bytes, limits.ratio * entry.packed)
        if entry.size > most or inflated:
            raise PackageRefused("zip-bomb", entry=entry.position)
    if sum(entry.size for entry in entries.values()) > limits.total_bytes:
        raise PackageRefused("zip-bomb")


def _refuse_nested(source: BinaryIO, name: str, entry: Entry) -> None:
    # A workbook renamed to CASE.csv is an honest mistake, and the reader says so better.
    if record_type_of(name):
        return
    start = _EntryStream(source, entry).read(8) or b""
    if start.startswith(_ARCHIVE_STARTS) and not _ZIP_DOCUMENT.search(name):
        raise PackageRefused("zip-nested", entry=entry.position)


class _EntryStream(io.RawIOBase):
    """The inflated bytes of one entry; raises PackageRefused when they are not as declared."""

    def __init__(self, source: BinaryIO, entry: Entry) -> None:
        self._source = source
        self._entry = entry
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
        if self._size_left < 0:
            # The directory declares a small size, the data inflates to more: a bomb in disguise.
            raise PackageRefused("zip-bomb", entry=self._entry.position)
        if not data:
            self._require_whole()
        return data

    def _inflated(self, wanted: int) -> bytes:
        assert self._inflate is not None
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._packed_bytes(_CHUNK)
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
