"""ZIP archives made byte by byte, so that a test can make any part of one lie."""

import struct
import zlib
from dataclasses import dataclass, field

REGULAR = 0o100644
SYMLINK = 0o120777


@dataclass
class Part:
    """One entry; what is None is filled in truthfully."""

    name: bytes
    data: bytes = b""
    method: int = 8
    flags: int = 0
    mode: int = REGULAR
    packed: bytes | None = None
    crc: int | None = None
    size: int | None = None
    local_name: bytes | None = None
    local_size: int | None = None
    descriptor: bytes = b""
    extra: bytes = b""
    offset: int | None = None

    def __post_init__(self) -> None:
        if self.packed is None:
            self.packed = deflate(self.data) if self.method == 8 else self.data
        self.crc = zlib.crc32(self.data) if self.crc is None else self.crc
        self.size = len(self.data) if self.size is None else self.size


@dataclass
class Archive:
    """An archive and the lies that its end record tells."""

    parts: list[Part] = field(default_factory=list)
    before: bytes = b""
    between: bytes = b""
    after: bytes = b""
    count: int | None = None
    comment: bytes = b""
    disk: int = 0

    def build(self) -> bytes:
        body = bytearray(self.before)
        directory = bytearray()
        for part in self.parts:
            offset = len(body) if part.offset is None else part.offset
            if part.offset is None:
                body += local(part)
            directory += central(part, offset)
        body += self.between
        count = len(self.parts) if self.count is None else self.count
        end = struct.pack(
            "<4s4H2LH",
            b"PK\x05\x06",
            self.disk,
            0,
            count,
            count,
            len(directory),
            len(body),
            len(self.comment),
        )
        return bytes(body + directory + end + self.comment + self.after)


def zipped(files: dict[str, bytes]) -> bytes:
    """A truthful archive."""
    return Archive([Part(name.encode(), data) for name, data in files.items()]).build()


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def local(part: Part) -> bytes:
    name = part.name if part.local_name is None else part.local_name
    size = part.size if part.local_size is None else part.local_size
    sizes = (0, 0, 0) if part.flags & 8 else (part.crc, len(part.packed or b""), size)
    head = struct.pack(
        "<4s5H3L2H",
        b"PK\x03\x04",
        20,
        part.flags,
        part.method,
        0,
        33,
        *sizes,
        len(name),
        len(part.extra),
    )
    return head + name + part.extra + (part.packed or b"") + part.descriptor


def central(part: Part, offset: int) -> bytes:
    head = struct.pack(
        "<4s6H3L5H2L",
        b"PK\x01\x02",
        0x0314,
        20,
        part.flags,
        part.method,
        0,
        33,
        part.crc,
        len(part.packed or b""),
        part.size,
        len(part.name),
        0,
        0,
        0,
        0,
        part.mode << 16,
        offset,
    )
    return head + part.name
