"""Opening the outer and inner structure of an encrypted message (RFC 9580 section 10.3).

Takes: wrapped session keys, then one integrity protected data packet of version 1; within it at
most two layers of compression around one-pass signatures, one literal, and as many signatures.
Refuses every other order, a second literal, and anything before or after.

What stands inside decides nothing before the modification check: any refusal raised while reading
plaintext waits until the rest is decrypted and the check passed, so that damaged or guessed-at
ciphertext is always answered "mdc-failed" and never by how its garbage happened to parse.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO

from crypto import framing
from crypto.armor import binary
from crypto.errors import MessageRefused
from crypto.framing import CHUNK, Body, Octets, Packet, Readable, next_packet
from crypto.inflating import Inflated
from crypto.policy import Limits
from crypto.protected import ProtectedReader
from crypto.refusals import (
    Bomb,
    Malformed,
    NoIntegrity,
    NotEncrypted,
    TooLarge,
    TrailingData,
    Truncated,
    Unsupported,
)
from crypto.sessionkey import PrivateKey, Wrapped, parse_wrapped, unwrap

_MOST_SMALL = 8192


@dataclass(frozen=True, slots=True)
class Contents:
    """What a message held, intact but signed by we do not yet know whom."""

    filename: bytes
    plaintext: BytesIO = field(repr=False)
    size: int
    signatures: tuple[bytes, ...] = field(repr=False)


class _Counted:
    """A source that knows how much it has given, and when it is too much."""

    def __init__(self, source: Readable, *, most: int) -> None:
        self._source = source
        self._most = most
        self.given = 0

    def read(self, size: int, /) -> bytes:
        piece = self._source.read(size)
        self.given += len(piece)
        if self.given > self._most:
            raise TooLarge(f"more than {self._most} octets encrypted")
        return piece


def decrypt(source: BinaryIO, keys: Mapping[str, PrivateKey], *, limits: Limits) -> Contents:
    """Decrypt one message, armored or binary, and check its integrity; or raise MessageRefused."""
    counted = _Counted(source, most=limits.ciphertext_octets)
    octets = Octets(binary(counted))
    wrapped, body = _outer(octets, limits=limits)
    if body.exactly(1) != b"\x01":
        raise Unsupported("integrity protected data of another version than 1")
    session = unwrap(wrapped, keys)
    protected = ProtectedReader(body, session.key)
    try:
        contents = _inner(protected, limits=limits, taken=lambda: counted.given)
    except MessageRefused:
        protected.drain()
        raise
    protected.drain()
    if octets.some(1):
        raise TrailingData("octets after the encrypted data")
    return contents


def _outer(octets: Octets, *, limits: Limits) -> tuple[list[Wrapped], Body]:
    """The wrapped session keys and the encrypted data's body."""
    wrapped: list[Wrapped] = []
    count = 0
    while packet := next_packet(octets):
        if packet.tag == framing.PROTECTED:
            return wrapped, packet.body
        if packet.tag in {framing.SESSION_KEY, framing.PASSWORD_KEY}:
            count += 1
            if count > limits.session_keys:
                raise Malformed(f"more than {limits.session_keys} session keys")
        _pass_outer(packet, wrapped)
    raise Truncated("no encrypted data")


def _pass_outer(packet: Packet, wrapped: list[Wrapped]) -> None:
    _refuse_outer(packet.tag)
    content = packet.body.whole(_MOST_SMALL)
    if packet.tag == framing.SESSION_KEY:
        wrapped += parse_wrapped(content)


def _refuse_outer(tag: int) -> None:
    if tag == framing.UNPROTECTED:
        raise NoIntegrity("encrypted data without a modification check")
    if tag == framing.GNUPG_OCB:
        raise Unsupported("GnuPG's own OCB packet")
    if tag in {framing.COMPRESSED, framing.LITERAL, framing.ONE_PASS, framing.SIGNATURE}:
        raise NotEncrypted(f"packet {tag} where encrypted data belongs")
    allowed = {framing.SESSION_KEY, framing.PASSWORD_KEY, framing.MARKER, framing.PADDING}
    if tag not in allowed and tag < framing.FIRST_UNCRITICAL:
        raise Malformed(f"packet {tag} before the encrypted data")


def _inner(source: Readable, *, limits: Limits, taken: Callable[[], int]) -> Contents:
    """The content, under its compression."""
    octets = Octets(source)
    packet = _significant(octets)
    if packet is None:
        raise Malformed("nothing inside the encryption")
    layers = [octets]
    while packet and packet.tag == framing.COMPRESSED:
        if len(layers) > limits.compression_depth:
            raise Bomb(f"more than {limits.compression_depth} layers of compression")
        layers.append(Octets(Inflated(packet.body, limits=limits, taken=taken)))
        packet = _significant(layers[-1])
    contents = _signed(packet, layers.pop(), limits=limits)
    for layer in reversed(layers):
        if layer.some(1):
            raise TrailingData("octets after the compressed data")
    return contents


def _signed(packet: Packet | None, octets: Octets, *, limits: Limits) -> Contents:
    """One-pass signatures, a literal, and as many signatures."""
    announced = 0
    while packet and packet.tag == framing.ONE_PASS:
        packet.body.whole(_MOST_SMALL)
        announced += 1
        if announced > limits.signatures:
            raise Malformed(f"more than {limits.signatures} signatures")
        packet = _significant(octets)
    if packet is None or packet.tag != framing.LITERAL:
        raise Malformed("no literal data where it belongs")
    filename, plaintext = _literal(packet.body, limits=limits)
    signatures = _signatures(octets, announced)
    size = plaintext.tell()
    plaintext.seek(0)
    return Contents(filename, plaintext, size, signatures)


def _literal(body: Body, *, limits: Limits) -> tuple[bytes, BytesIO]:
    """The name and the octets of a literal data packet (RFC 9580 section 5.9)."""
    if body.exactly(1) not in b"btul1":
        raise Malformed("literal data of an unknown kind")
    filename = body.exactly(body.exactly(1)[0])
    body.exactly(4)
    scratch = BytesIO()
    while piece := body.read(CHUNK):
        if scratch.tell() + len(piece) > limits.plaintext_octets:
            raise TooLarge(f"more than {limits.plaintext_octets} octets of content")
        scratch.write(piece)
    return filename, scratch


def _signatures(octets: Octets, announced: int) -> tuple[bytes, ...]:
    found = []
    while packet := _significant(octets):
        if packet.tag != framing.SIGNATURE:
            raise TrailingData(f"packet {packet.tag} after the literal data")
        found.append(packet.body.whole(_MOST_SMALL))
        if len(found) > announced:
            raise Malformed("more signatures than announced")
    if len(found) < announced:
        raise Malformed("fewer signatures than announced")
    return tuple(found)


def _significant(octets: Octets) -> Packet | None:
    """The next packet that is neither marker nor padding, nor of an unknown uncritical kind."""
    while packet := next_packet(octets):
        passed = {framing.MARKER, framing.PADDING}
        if packet.tag not in passed and packet.tag < framing.FIRST_UNCRITICAL:
            return packet
        packet.body.whole(_MOST_SMALL)
    return None
