"""OpenPGP packets over a source of bounded reads: headers, lengths, bodies (RFC 9580 section 4.2).

Holds one chunk at a time, whatever lengths a header claims. Refuses what the RFC forbids: partial
lengths on packets that are not data, a first part below 512 octets, and bodies cut short. Knows no
packet's meaning.
"""

from dataclasses import dataclass
from typing import Protocol

from crypto.refusals import Malformed, Truncated

CHUNK = 1 << 18

SESSION_KEY, SIGNATURE, PASSWORD_KEY, ONE_PASS = 1, 2, 3, 4
SECRET_KEY, PUBLIC_KEY, SECRET_SUBKEY = 5, 6, 7
COMPRESSED, UNPROTECTED, MARKER, LITERAL, TRUST, USER_ID = 8, 9, 10, 11, 12, 13
PUBLIC_SUBKEY, USER_ATTRIBUTE, PROTECTED, GNUPG_OCB, PADDING = 14, 17, 18, 20, 21

_DATA_PACKETS = frozenset({COMPRESSED, UNPROTECTED, LITERAL, PROTECTED, GNUPG_OCB})
# From tag 40 on a packet is not critical and is skipped when unknown (RFC 9580 section 4.3); but 63
# is what GnuPG tells itself things with, and changes its mind about what follows.
_UNCRITICAL = range(40, 63)
_MARKER = b"PGP"
_MOST_PASSED = 8192


class Readable(Protocol):
    """A source of octets: at most `size` of them a call, none at the end."""

    def read(self, size: int, /) -> bytes:
        """The next octets."""
        ...


class Octets:
    """A source read in chunks and handed out in pieces."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._held = b""
        self._at = 0
        self._before = 0

    @property
    def position(self) -> int:
        """How many octets have been handed out."""
        return self._before + self._at

    def some(self, most: int) -> bytes:
        """One to `most` octets, or none at the end."""
        if self._at == len(self._held):
            self._before += self._at
            self._held, self._at = self._source.read(CHUNK), 0
        piece = self._held[self._at : self._at + most]
        self._at += len(piece)
        return piece

    def octet(self) -> int:
        """The next octet, or Truncated."""
        if self._at == len(self._held):
            return self.exactly(1)[0]
        self._at += 1
        return self._held[self._at - 1]

    def exactly(self, count: int) -> bytes:
        """Exactly `count` octets, or Truncated."""
        taken = bytearray()
        while len(taken) < count:
            piece = self.some(count - len(taken))
            if not piece:
                raise Truncated(f"{count} octets expected, {len(taken)} found")
            taken += piece
        return bytes(taken)


class Body:
    """The body of one packet, of definite, partial or indeterminate length."""

    def __init__(self, octets: Octets, left: int | None, *, more: str = "") -> None:
        self._octets = octets
        self._left = left
        self._more = more

    @property
    def is_open_ended(self) -> bool:
        """Whether only the end of the source ends it."""
        return self._left is None

    def read(self, size: int, /) -> bytes:
        """One to `size` octets, or none at the end of the body."""
        if self._left is None:
            return self._octets.some(size)
        if not self._more:
            return self._part(self._left, size)
        # Programs write parts of a few kilobytes; handed on one by one they would cost more time
        # than decrypting them.
        pieces = []
        while size and (piece := self._part(self._left, size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _part(self, left: int, size: int) -> bytes:
        while left == 0 and self._more:
            left, self._more = _new_length(self._octets)
        if left == 0:
            self._left = 0
            return b""
        piece = self._octets.some(min(size, left))
        if not piece:
            raise Truncated("a packet ends early")
        self._left = left - len(piece)
        return piece

    def exactly(self, count: int) -> bytes:
        """Exactly `count` octets of the body, or Malformed."""
        taken = bytearray()
        while len(taken) < count:
            piece = self.read(count - len(taken))
            if not piece:
                raise Malformed("a packet is too short for its fields")
            taken += piece
        return bytes(taken)

    def whole(self, most: int) -> bytes:
        """The rest of the body, or Malformed when it exceeds `most` octets."""
        taken = bytearray()
        while piece := self.read(CHUNK):
            taken += piece
            if len(taken) > most:
                raise Malformed(f"a packet exceeds {most} octets")
        return bytes(taken)


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet's tag and its body, which must be read to its end before the next packet."""

    tag: int
    body: Body


def next_significant(octets: Octets) -> Packet | None:
    """The next packet that is neither marker nor padding, nor of an unknown uncritical kind."""
    while packet := next_packet(octets):
        if packet.tag == MARKER:
            if packet.body.whole(len(_MARKER)) != _MARKER:
                raise Malformed("a marker that is none")
        elif packet.tag == PADDING or packet.tag in _UNCRITICAL:
            packet.body.whole(_MOST_PASSED)
        else:
            return packet
    return None


def next_packet(octets: Octets) -> Packet | None:
    """The next packet of either format, or None at the end. RFC 9580 sections 4.2 to 4.2.2."""
    first = octets.some(1)
    if not first:
        return None
    if not first[0] & 0x80:
        raise Malformed("an octet that begins no packet")
    if first[0] & 0x40:
        return _new_packet(octets, tag=first[0] & 0x3F)
    return _old_packet(octets, tag=first[0] >> 2 & 0x0F, length_type=first[0] & 3)


def _new_packet(octets: Octets, *, tag: int) -> Packet:
    length, more = _new_length(octets)
    if more and tag not in _DATA_PACKETS:
        raise Malformed(f"partial lengths in packet {tag}")
    if more and length < 512:
        raise Malformed("the first part is shorter than 512 octets")
    return Packet(tag, Body(octets, length, more=more))


def _old_packet(octets: Octets, *, tag: int, length_type: int) -> Packet:
    if length_type < 3:
        return Packet(tag, Body(octets, int.from_bytes(octets.exactly(1 << length_type), "big")))
    # Indeterminate: to the end of the source. gpg writes compressed packets so.
    if tag not in _DATA_PACKETS:
        raise Malformed(f"no length in packet {tag}")
    return Packet(tag, Body(octets, None))


def _new_length(octets: Octets) -> tuple[int, str]:
    """A new-format length, and "partial" when another follows (RFC 9580 section 4.2.1)."""
    first = octets.octet()
    if first < 192:
        return first, ""
    if first < 224:
        return ((first - 192) << 8) + octets.octet() + 192, ""
    if first < 255:
        return 1 << (first & 0x1F), "partial"
    return int.from_bytes(octets.exactly(4), "big"), ""
