"""Writing packets: whole small ones, and data of unknown length in parts (RFC 9580 section 4.2.1).

Always the new format. Parts are 64 KiB, well above the 512 octets that the first must have.
"""

from collections.abc import Callable
from typing import Any, Protocol

PART_EXPONENT = 16
_PART = 1 << PART_EXPONENT

Write = Callable[[bytes], Any]


class Sink(Protocol):
    """Where octets go, all that are given."""

    def write(self, data: bytes, /) -> Any:
        """Take them."""


def packet(tag: int, body: bytes) -> bytes:
    """One whole packet."""
    return bytes([0xC0 | tag]) + length(len(body)) + body


def length(count: int) -> bytes:
    """A new-format length, in its shortest form."""
    if count < 192:
        return bytes([count])
    if count < 8384:
        return bytes([192 + (count - 192 >> 8), count - 192 & 0xFF])
    return b"\xff" + count.to_bytes(4, "big")


class Parts:
    """A packet whose body comes in pieces; nothing but one part is held."""

    def __init__(self, write: Write, tag: int) -> None:
        self._write = write
        self._held = bytearray()
        write(bytes([0xC0 | tag]))

    def write(self, data: bytes) -> None:
        """More of the body."""
        self._held += data
        while len(self._held) > _PART:
            self._write(bytes([224 | PART_EXPONENT]) + self._held[:_PART])
            del self._held[:_PART]

    def finish(self) -> None:
        """The last part, of definite length as the RFC demands."""
        self._write(length(len(self._held)) + self._held)
        self._held.clear()
