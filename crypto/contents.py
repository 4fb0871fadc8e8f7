"""The inner structure of a message: compression around a signed literal (RFC 9580 section 10.3).

Takes at most two layers of compression around one literal, with signatures announced before it and
standing after it, or standing before it as old programs put them. Refuses every other order, a
second literal, and anything before or after. The literal streams into scratch, and its digests are
taken on the way; who signed is not judged here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from crypto import framing
from crypto.digesting import Digests, Method
from crypto.envelope import MOST_SMALL
from crypto.fanout import FanOut
from crypto.framing import CHUNK, Body, Octets, Packet, Readable, next_significant
from crypto.inflating import Inflated
from crypto.policy import Limits
from crypto.refusals import Bomb, Malformed, TooLarge, TrailingData
from crypto.scratch import Scratch
from crypto.signature import parse_signature

_ONE_PASS_VERSION = 3


@dataclass(frozen=True, slots=True)
class Contents:
    """What a message held, signed by we do not yet know whom. `plaintext` stands at its start."""

    filename: bytes = field(repr=False)
    plaintext: Scratch = field(repr=False)
    digests: Digests = field(repr=False)
    signatures: tuple[bytes, ...] = field(repr=False)


def read_contents(
    source: Readable, scratch: Scratch, *, limits: Limits, taken: Callable[[], int]
) -> Contents:
    """Read the content under its compression; `taken` counts the ciphertext read so far."""
    octets = Octets(source)
    packet = next_significant(octets)
    if packet is None:
        raise Malformed("nothing inside the encryption")
    layers = [octets]
    while packet and packet.tag == framing.COMPRESSED:
        if len(layers) > limits.compression_depth:
            raise Bomb(f"more than {limits.compression_depth} layers of compression")
        layers.append(Octets(Inflated(packet.body, limits=limits, taken=taken)))
        packet = next_significant(layers[-1])
    contents = _signed(packet, layers.pop(), scratch, limits=limits)
    for layer in reversed(layers):
        if layer.some(1):
            raise TrailingData("octets after the compressed data")
    return contents


def _signed(packet: Packet | None, octets: Octets, scratch: Scratch, *, limits: Limits) -> Contents:
    """Signatures and announcements, a literal, and the signatures that were announced."""
    methods: list[Method] = []
    before: list[bytes] = []
    announced = 0
    while packet and packet.tag in {framing.ONE_PASS, framing.SIGNATURE}:
        body = packet.body.whole(MOST_SMALL)
        if packet.tag == framing.ONE_PASS:
            announced += 1
            methods += _announced(body)
        else:
            before.append(body)
            signature = parse_signature(body)
            methods.append(Method(signature.hash_id, signature.kind))
        if announced + len(before) > limits.signatures:
            raise Malformed(f"more than {limits.signatures} signatures")
        if announced and before:
            raise Malformed("signatures in both forms")
        packet = next_significant(octets)
    if packet is None or packet.tag != framing.LITERAL:
        raise Malformed("no literal data where it belongs")
    digests = Digests(methods)
    filename = _literal(packet.body, scratch, digests, limits=limits)
    after = _signatures(octets, announced)
    return Contents(filename, scratch.rewind(), digests, (*before, *after))


def _announced(body: bytes) -> list[Method]:
    """The method of a one-pass signature packet (RFC 9580 section 5.4); none of another version."""
    if len(body) < 4:
        raise Malformed("a one-pass signature is too short for its fields")
    return [Method(hash_id=body[2], kind=body[1])] if body[0] == _ONE_PASS_VERSION else []


def _literal(body: Body, scratch: Scratch, digests: Digests, *, limits: Limits) -> bytes:
    """Stream the octets of a literal data packet (RFC 9580 section 5.9); answer its file name."""
    if body.exactly(1) not in b"btul1":
        raise Malformed("literal data of an unknown kind")
    filename = body.exactly(body.exactly(1)[0])
    body.exactly(4)
    with FanOut(digests.update, scratch.write) as fan_out:
        size = 0
        while piece := body.read(CHUNK):
            size += len(piece)
            if size > limits.plaintext_octets:
                raise TooLarge(f"more than {limits.plaintext_octets} octets of content")
            fan_out.give(piece)
    digests.finish()
    return filename


def _signatures(octets: Octets, announced: int) -> list[bytes]:
    found: list[bytes] = []
    while packet := next_significant(octets):
        if packet.tag != framing.SIGNATURE:
            raise TrailingData(f"packet {packet.tag} after the literal data")
        found.append(packet.body.whole(MOST_SMALL))
        if len(found) > announced:
            raise Malformed("more signatures than announced")
    if len(found) < announced:
        raise Malformed("fewer signatures than announced")
    return found
