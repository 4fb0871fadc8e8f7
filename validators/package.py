"""A package as it comes from a sender: a ZIP that may be hostile, opened safely.

Owns the fixed set of names (CTDS section 2), the limits and the reading of one entry. Every check
on structure, names and declared sizes is made before the first byte is inflated; what is inflated
then is held to the declared size and checksum while it streams. Nothing is ever written to disk.
"""

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from validators.filenames import (
    ATTACHMENTS,
    MANIFEST_NAME,
    is_package_name,
    is_workbook,
    record_type_of,
)
from validators.refusal import PackageRefused
from validators.zipentry import open_entry
from validators.ziplayout import Entry, read_layout

__all__ = ["Limits", "Package", "PackageRefused", "open_package"]

_ARCHIVE = re.compile(r"(?i)\.(zip|zipx|7z|rar|gz|tgz|bz2|xz|zst|tar|jar|cab|iso|arj|lzh)$")
# Documents that are ZIP archives inside; an attachment's own rule (CT-100) looks into them.
_ZIP_DOCUMENT = re.compile(r"(?i)\.(odt|docx)$")
_CHUNK = 1 << 16
_ARCHIVE_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"\xfd7zX")


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
    _digests: dict[str, str] = field(repr=False, default_factory=dict)

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading.

        Reading raises PackageRefused as soon as the bytes break their declared size or checksum.
        Streams share the source: read one at a time in one thread.
        """
        known = name in self._digests
        digested = None if known else partial(self._digests.__setitem__, name)
        return open_entry(self._source, self._entries[name], digested)

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a file (hex): it is read for it, unless it was read to its end."""
        if name not in self._digests:
            with self.open(name) as stream:
                while stream.read(_CHUNK):
                    pass
        return self._digests[name]

    @property
    def attachments(self) -> tuple[str, ...]:
        """The names below attachments/."""
        return tuple(name for name in self.names if name.startswith(ATTACHMENTS))


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


def _by_name(layout: tuple[Entry, ...]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    taken: set[str] = set()
    for entry in layout:
        _refuse_special(entry)
        # latin-1 never fails; a byte outside ASCII then matches no allowed name.
        name = entry.raw_name.decode("latin-1")
        if name == ATTACHMENTS and entry.size == 0:
            continue
        if _ARCHIVE.search(name):
            raise PackageRefused("zip-nested", entry=entry.position)
        if not is_package_name(name):
            raise PackageRefused("zip-path", entry=entry.position)
        # CASE.csv beside CASE.jsonl is one record type twice; names that differ in case only
        # are one file on Windows and two on Linux.
        key = record_type_of(name) or ("workbook" if is_workbook(name) else name.casefold())
        if key in taken:
            raise PackageRefused("zip-duplicate", entry=entry.position)
        taken.add(key)
        entries[name] = entry
    if "workbook" in taken and any(map(record_type_of, entries)):
        raise PackageRefused("zip-duplicate")
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
    if record_type_of(name) or is_workbook(name):
        return
    start = open_entry(source, entry).read(8)
    if start.startswith(_ARCHIVE_STARTS) and not _ZIP_DOCUMENT.search(name):
        raise PackageRefused("zip-nested", entry=entry.position)
