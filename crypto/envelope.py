"""The outer structure of an encrypted message (RFC 9580 section 10.3).

Takes wrapped session keys, then one integrity protected data packet of version 1; markers, padding
and unknown packets that are not critical are passed over. Refuses every other order and form, and
more session keys than the policy allows. Decrypts nothing.
"""

from dataclasses import dataclass

from crypto import framing
from crypto.errors import MessageRefused
from crypto.framing import Body, Octets, Packet, next_significant
from crypto.policy import Limits
from crypto.refusals import Malformed, NoIntegrity, NotEncrypted, Truncated, Unsupported
from crypto.sessionkey import Wrapped, parse_wrapped

MOST_SMALL = 8192
_NOT_ENCRYPTED = frozenset(
    {framing.COMPRESSED, framing.LITERAL, framing.ONE_PASS, framing.SIGNATURE}
)
_KEYS = frozenset({framing.SESSION_KEY, framing.PASSWORD_KEY})


@dataclass(frozen=True, slots=True)
class Envelope:
    """The session keys as wrapped, and the encrypted data after its version octet.

    `data_at` is where the packet of the encrypted data begins.
    """

    wrapped: tuple[Wrapped, ...]
    body: Body
    data_at: int


def read_envelope(octets: Octets, *, limits: Limits) -> Envelope:
    """Read up to the encrypted data, or raise MessageRefused."""
    wrapped: list[Wrapped] = []
    count = at = 0
    while packet := next_significant(octets):
        if packet.tag == framing.PROTECTED:
            if packet.body.exactly(1) != b"\x01":
                raise Unsupported("integrity protected data of another version than 1")
            return Envelope(tuple(wrapped), packet.body, at)
        count += packet.tag in _KEYS
        if count > limits.session_keys:
            raise Malformed(f"more than {limits.session_keys} session keys")
        wrapped += _passed_over(packet)
        at = octets.position
    raise Truncated("no encrypted data")


def _passed_over(packet: Packet) -> list[Wrapped]:
    if refusal := _refusal(packet.tag):
        raise refusal
    content = packet.body.whole(MOST_SMALL)
    return parse_wrapped(content) if packet.tag == framing.SESSION_KEY else []


def _refusal(tag: int) -> MessageRefused | None:
    if tag == framing.UNPROTECTED:
        return NoIntegrity("encrypted data without a modification check")
    if tag == framing.GNUPG_OCB:
        return Unsupported("GnuPG's own OCB packet")
    if tag in _NOT_ENCRYPTED:
        return NotEncrypted(f"packet {tag} where encrypted data belongs")
    if tag not in _KEYS:
        return Malformed(f"packet {tag} before the encrypted data")
    return None
