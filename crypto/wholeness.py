"""Whether a message has arrived to its end, told by its framing alone (RFC 9580 sections 4.2, 6).

For channels that cannot say how long a file will be. Nothing is decrypted, and nothing is proven:
a message that is whole may still be damaged, forged or meant for somebody else.
"""

from enum import StrEnum

from crypto.armor import Form, Held, filled, sniff
from crypto.framing import CHUNK, GNUPG_OCB, PROTECTED, UNPROTECTED, Octets, Readable, next_packet
from crypto.refusals import Malformed, Truncated

_HEAD = 64
_TAIL = 512
_END = b"-----END PGP MESSAGE-----"
_DATA = frozenset({UNPROTECTED, PROTECTED, GNUPG_OCB})


class Wholeness(StrEnum):
    """How far a message has come."""

    WHOLE = "whole"
    CUT_SHORT = "cut-short"
    OPEN_ENDED = "open-ended"
    """It has no length of its own: only its sender knows whether more follows."""
    NO_MESSAGE = "no-message"


def wholeness(source: Readable) -> Wholeness:
    """Read a message to its end and say whether it is all there.

    What no further octets could mend counts as whole, so that it is opened and its fault is told.
    """
    head = filled(b"", source, _HEAD)
    form = sniff(head)
    if form is Form.OTHER:
        return Wholeness.NO_MESSAGE
    rest = Held(head, source)
    return _armored(rest) if form is Form.ARMORED else _binary(rest)


def _armored(source: Readable) -> Wholeness:
    tail = b""
    while block := source.read(CHUNK):
        tail = (tail + block)[-_TAIL:]
    return Wholeness.WHOLE if tail.rstrip().endswith(_END) else Wholeness.CUT_SHORT


def _binary(source: Readable) -> Wholeness:
    octets, has_data = Octets(source), False
    try:
        while packet := next_packet(octets):
            if packet.body.is_open_ended:
                return Wholeness.OPEN_ENDED
            while packet.body.read(CHUNK):
                pass
            has_data = has_data or packet.tag in _DATA
    except Truncated:
        return Wholeness.CUT_SHORT
    except Malformed:
        return Wholeness.WHOLE
    return Wholeness.WHOLE if has_data else Wholeness.CUT_SHORT
