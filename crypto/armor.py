"""ASCII armor, read as a source and written (RFC 9580 section 6).

Tells a message in armor from one in binary and from what is no encrypted message at all. The
checksum is not looked at, as the RFC now demands: the modification check and the signature are what
counts. Refuses text after the end of the armor.
"""

import base64
import binascii
import re
from enum import StrEnum

from crypto.framing import Readable
from crypto.refusals import Malformed, NotEncrypted, TrailingData, Truncated

_BEGIN = b"-----BEGIN PGP MESSAGE-----"
_ANY_BEGIN = b"-----BEGIN PGP "
_MARGIN = b"\xef\xbb\xbf \t\r\n"
_SPACE = b" \t\r\n"
_MOST_HEADERS = 4096
_MOST_TAIL = 4096
_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*-----BEGIN PGP MESSAGE-----[ \t]*\r?\n"
    rb"(?:[^\r\n]*: [^\r\n]*\r?\n)*[ \t]*\r?\n"
)
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_END_LINE = b"-----END PGP MESSAGE-----"
_END = re.compile(rb"(={0,2})\s*(?:=[A-Za-z0-9+/]{4}\s*)?-----END PGP MESSAGE-----\s*\Z")


class ArmorKind(StrEnum):
    """What an armor says it holds."""

    PUBLIC_KEY = "PUBLIC KEY BLOCK"
    PRIVATE_KEY = "PRIVATE KEY BLOCK"
    SIGNATURE = "SIGNATURE"
    MESSAGE = "MESSAGE"


class Form(StrEnum):
    """What the first octets look like."""

    BINARY = "binary"
    ARMORED = "armored"
    OTHER = "other"


def sniff(head: bytes) -> Form:
    """Whether the first octets may begin an encrypted OpenPGP message; proves nothing.

    32 are enough, or 512 of an armor with headers: of fewer the form alone is told.
    """
    if head.lstrip(_MARGIN).startswith(_BEGIN):
        first = _first_in_armor(head)
        return Form.ARMORED if first is None or _begins_encrypted(first) else Form.OTHER
    return Form.BINARY if head and _begins_encrypted(head[0]) else Form.OTHER


def _first_in_armor(head: bytes) -> int | None:
    start = _START.match(head)
    begun = head[start.end() : start.end() + 4] if start else b""
    try:
        return base64.b64decode(begun, validate=True)[0]
    except (binascii.Error, IndexError):
        return None


def _begins_encrypted(first: int) -> bool:
    """A packet header of one that begins it: session key, password key, data or marker."""
    if not first & 0x80:
        return False
    tag = first & 0x3F if first & 0x40 else first >> 2 & 0x0F
    return tag in {1, 3, 9, 10, 18, 20}


def armored(data: bytes, *, kind: ArmorKind) -> str:
    """The data in armor, with the checksum that old programs ask for."""
    text = base64.b64encode(data).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    check = base64.b64encode(_crc24(data).to_bytes(3, "big")).decode("ascii")
    inside = "\n".join(["", *lines, f"={check}"])
    return f"-----BEGIN PGP {kind}-----\n{inside}\n-----END PGP {kind}-----\n"


def _crc24(data: bytes) -> int:
    """RFC 9580 section 6.1.1."""
    crc = 0xB704CE
    for octet in data:
        crc ^= octet << 16
        for _ in range(8):
            crc = (crc << 1) ^ (0x1864CFB if crc & 0x800000 else 0)
    return crc & 0xFFFFFF


class Held:
    """A source whose first octets have been looked at."""

    def __init__(self, head: bytes, source: Readable) -> None:
        self._head = head
        self._source = source

    def read(self, size: int, /) -> bytes:
        """The next octets."""
        if not self._head:
            return self._source.read(size)
        piece, self._head = self._head[:size], self._head[size:]
        return piece


def binary(source: Readable) -> Readable:
    """The message as binary, whichever form it came in."""
    head = filled(b"", source, 64)
    if not head:
        raise Truncated("no octets at all")
    match sniff(head):
        case Form.ARMORED:
            return _Dearmored(Held(head, source))
        case Form.BINARY:
            return Held(head, source)
    if head.lstrip(_MARGIN).startswith(_ANY_BEGIN):
        raise NotEncrypted("armor of another kind than a message")
    raise NotEncrypted("does not begin like an OpenPGP message")


def filled(head: bytes, source: Readable, size: int) -> bytes:
    """The head with as many octets more as make `size`, or as there are."""
    while len(head) < size and (piece := source.read(size - len(head))):
        head += piece
    return head


class _Dearmored:
    """Armor decoded as it comes, a chunk at a time."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._text = _after_headers(filled(b"", source, _MOST_HEADERS))
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """About three quarters of `size` octets, or none at the end of the armor."""
        while not self._ended:
            chunk = self._source.read(size)
            if not chunk and _end_of_data(self._text) is None:
                raise Truncated("the armor does not end")
            if decoded := self._decode(self._text + chunk):
                return decoded
        return b""

    def _decode(self, text: bytes) -> bytes:
        end = _end_of_data(text)
        if end is not None:
            self._ended = True
            return _last_base64(text[:end] + self._padding(text[end:]))
        packed = text.translate(None, _SPACE)
        whole = len(packed) - len(packed) % 4
        self._text = packed[whole:]
        return _base64(packed[:whole])

    def _padding(self, tail: bytes) -> bytes:
        """The padding at the end of the data; the rest must be the end of the armor."""
        tail = filled(tail, self._source, len(tail) + _MOST_TAIL)
        if _END_LINE not in tail:
            raise Truncated("the armor has no end line")
        end = _END.match(tail)
        if end is None:
            raise TrailingData("text after the armor, or inside its end")
        return end[1]


def _after_headers(text: bytes) -> bytes:
    start = _START.match(text)
    if start is None:
        raise Malformed("the armor's headers do not end")
    return text[start.end() :]


def _end_of_data(text: bytes) -> int | None:
    """Where the padding, the checksum or the end line begins."""
    found = [at for at in (text.find(b"="), text.find(b"-")) if at >= 0]
    return min(found) if found else None


def _base64(packed: bytes) -> bytes:
    """Whole groups of four without padding. Faster than strict decoding, and as strict."""
    if packed.translate(None, _ALPHABET):
        raise Malformed("the armor is not base64")
    return binascii.a2b_base64(packed)


def _last_base64(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text.translate(None, _SPACE), strict_mode=True)
    except binascii.Error as invalid:
        raise Malformed("the armor is not base64") from invalid
