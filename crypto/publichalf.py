"""The public half of a transferable secret key, octet for octet (RFC 9580 section 10.2).

Every signature stays as its maker wrote it. A library that reads a key and writes it again may lose
what it does not know, such as a preference for SHA-3, and with it the signature around that.
"""

from io import BytesIO

from crypto.framing import (
    PUBLIC_KEY,
    PUBLIC_SUBKEY,
    SECRET_KEY,
    SECRET_SUBKEY,
    Octets,
    next_packet,
)
from crypto.publickey import public_body
from crypto.writing import packet

_MOST_OCTETS = 256 * 1024
_PUBLIC = {SECRET_KEY: PUBLIC_KEY, SECRET_SUBKEY: PUBLIC_SUBKEY}


def public_half(secret: bytes) -> bytes:
    """The certificate in a binary secret key; Malformed where a packet cannot be read."""
    octets, found = Octets(BytesIO(secret)), bytearray()
    while one := next_packet(octets):
        body = one.body.whole(_MOST_OCTETS)
        if one.tag in _PUBLIC:
            found += packet(_PUBLIC[one.tag], public_body(body))
        else:
            found += packet(one.tag, body)
    return bytes(found)
