"""The structure of a ZIP archive, read before anything in it is inflated.

Owns the byte layout: end record, central directory, local headers (PKWARE APPNOTE 6.3.10, sections
4.3.7, 4.3.12 and 4.3.16). Accepts one shape only: local entries side by side from byte 0, then the
directory, then the end record, then nothing. A byte that belongs to nothing is where a second
archive hides, and entries that overlap are how 10 MB become 281 TB, so both are refused here.
It refuses ZIP64, because no entry or package may reach 4 GiB.
"""

import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

from validators.refusal import PackageRefused

_END = struct.Struct("<4s4H2LH")
_DIRECTORY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCATOR_64 = b"PK\x06\x07"
_DESCRIPTOR = b"PK\x07\x08"

_ENCRYPTED = 0x0001
_SIZES_FOLLOW = 0x0008
_STRONG_ENCRYPTION = 0x2040
_MASK_32 = 0xFFFFFFFF
_MOST_DIRECTORY_BYTES = 1 << 20
_LONGEST_END = _END.size + 0xFFFF

STORED = 0
DEFLATED = 8
_AES = 99


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive: where its bytes lie and what the directory says of them."""

    position: int
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int
    data_at: int = 0


@dataclass(frozen=True, slots=True)
class _End:
    count: int
    directory_at: int
    directory_bytes: int


def read_layout(source: BinaryIO, *, most_entries: int) -> tuple[Entry, ...]:
    """Return the entries in directory order, or raise PackageRefused; nothing is inflated."""
    end = _read_end(source, most_entries)
    entries = _read_directory(source, end)
    placed = [_place(source, entry, end.directory_at) for entry in entries]
    _require_side_by_side(source, placed, end.directory_at)
    return tuple(placed)


def _read_end(source: BinaryIO, most_entries: int) -> _End:
    length = source.seek(0, 2)
    tail_at = max(0, length - _LONGEST_END - 20)
    source.seek(0)
    start = source.read(4)
    source.seek(tail_at)
    tail = source.read()
    if tail.rfind(b"PK\x05\x06") < 0:
        raise PackageRefused("zip-malformed" if start == b"PK\x03\x04" else "not-a-zip")
    if length < _END.size or tail[-_END.size :][:4] != b"PK\x05\x06":
        raise PackageRefused("zip-malformed", detail="data or a comment after the end record")
    _, disk, first_disk, here, count, size, at, comment = _END.unpack(tail[-_END.size :])
    if count > most_entries or here > most_entries:
        raise PackageRefused("zip-too-many")
    if disk or first_disk or here != count or comment:
        raise PackageRefused("zip-malformed", detail="a split archive or a false end record")
    if tail[-_END.size - 20 :][:4] == _LOCATOR_64 or at == _MASK_32:
        raise PackageRefused("zip-malformed", detail="ZIP64")
    if size > _MOST_DIRECTORY_BYTES or at + size + _END.size != length:
        raise PackageRefused("zip-malformed", detail="the directory does not end at the end record")
    return _End(count, at, size)


def _read_directory(source: BinaryIO, end: _End) -> list[Entry]:
    source.seek(end.directory_at)
    directory = source.read(end.directory_bytes)
    entries: list[Entry] = []
    at = 0
    for position in range(1, end.count + 1):
        entry, at = _directory_entry(directory, at, position)
        entries.append(entry)
    if at != len(directory):
        # An end record that counts fewer entries than the directory holds hides the others.
        raise PackageRefused("zip-malformed", detail="the directory holds more than is counted")
    return entries


def _directory_entry(directory: bytes, at: int, position: int) -> tuple[Entry, int]:
    fixed = directory[at : at + _DIRECTORY.size]
    if len(fixed) < _DIRECTORY.size or fixed[:4] != b"PK\x01\x02":
        raise PackageRefused("zip-malformed", entry=position, detail="directory cut short")
    (
        _,
        _,
        _,
        flags,
        method,
        _,
        _,
        crc,
        packed,
        size,
        name,
        extra,
        comment,
        disk,
        _,
        attr,
        offset,
    ) = _DIRECTORY.unpack(fixed)
    name_at = at + _DIRECTORY.size
    after = name_at + name + extra + comment
    if after > len(directory) or disk:
        raise PackageRefused("zip-malformed", entry=position, detail="directory cut short")
    entry = Entry(
        position=position,
        raw_name=directory[name_at : name_at + name],
        flags=flags,
        method=method,
        crc=crc,
        packed=packed,
        size=size,
        offset=offset,
        mode=attr >> 16,
    )
    _require_readable(entry)
    return entry, after


def _require_readable(entry: Entry) -> None:
    if entry.flags & (_ENCRYPTED | _STRONG_ENCRYPTION) or entry.method == _AES:
        raise PackageRefused("zip-encrypted", entry=entry.position)
    if entry.method not in (STORED, DEFLATED):
        raise PackageRefused("zip-method", entry=entry.position)
    if _MASK_32 in (entry.packed, entry.size, entry.offset):
        raise PackageRefused("zip-malformed", entry=entry.position, detail="ZIP64")
    if entry.method == STORED and entry.packed != entry.size:
        raise PackageRefused("zip-malformed", entry=entry.position, detail="stored sizes differ")


def _place(source: BinaryIO, entry: Entry, directory_at: int) -> Entry:
    """Find where the bytes of an entry begin, holding its local header against the directory."""
    source.seek(entry.offset)
    fixed = source.read(_LOCAL.size)
    if len(fixed) < _LOCAL.size or fixed[:4] != b"PK\x03\x04":
        raise PackageRefused("zip-malformed", entry=entry.position, detail="no local header")
    _, _, flags, method, _, _, crc, packed, size, name_bytes, extra_bytes = _LOCAL.unpack(fixed)
    same = (flags, method, source.read(name_bytes)) == (entry.flags, entry.method, entry.raw_name)
    stated = (entry.crc, entry.packed, entry.size)
    # With bit 3 the sizes follow the data, and the header may leave them at nought.
    may_be = (stated, (0, 0, 0)) if flags & _SIZES_FOLLOW else (stated,)
    if not same or (crc, packed, size) not in may_be:
        raise PackageRefused("zip-malformed", entry=entry.position, detail="headers differ")
    data_at = entry.offset + _LOCAL.size + name_bytes + extra_bytes
    if data_at + entry.packed > directory_at:
        raise PackageRefused("zip-malformed", entry=entry.position, detail="beyond the directory")
    return replace(entry, data_at=data_at)


def _require_side_by_side(source: BinaryIO, entries: list[Entry], directory_at: int) -> None:
    expected = 0
    for entry in sorted(entries, key=lambda each: each.offset):
        if entry.offset != expected:
            raise PackageRefused("zip-malformed", entry=entry.position, detail="gap or overlap")
        expected = entry.data_at + entry.packed
        if entry.flags & _SIZES_FOLLOW:
            expected += _descriptor_length(source, entry, at=expected)
    if expected != directory_at:
        raise PackageRefused("zip-malformed", detail="bytes that belong to no entry")


def _descriptor_length(source: BinaryIO, entry: Entry, *, at: int) -> int:
    """Return 16 or 12 for the descriptor after the data, which must repeat the directory."""
    source.seek(at)
    found = source.read(16)
    values = struct.pack("<3L", entry.crc, entry.packed, entry.size)
    if found == _DESCRIPTOR + values:
        return 16
    if found[:12] == values:
        return 12
    raise PackageRefused("zip-malformed", entry=entry.position, detail="descriptor differs")
