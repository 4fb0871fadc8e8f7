"""Messages made by hand, as no honest program makes them."""

import hashlib
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from crypto import Certificate
from crypto.detached import _sign
from crypto.fields import seconds
from crypto.framing import COMPRESSED, LITERAL, ONE_PASS, PROTECTED, SIGNATURE
from crypto.protected import ProtectedWriter
from crypto.sessionkey import PrivateKey, SessionKey, fresh_session_key, wrap
from crypto.signature import trailer
from crypto.vetting import encryption_key
from crypto.writing import Parts, packet
from tests.crypto.parties import AGENCY, GATEWAY, NOW, SECRET

HASHES = {
    1: "md5",
    2: "sha1",
    8: "sha256",
    10: "sha512",
    11: "sha224",
    12: "sha3_256",
    14: "sha3_512",
}
NO_KEY = bytes(8)


def enclosed(inner: bytes, *, session: SessionKey | None = None) -> bytes:
    """Anything at all, properly encrypted to the gateway with a good modification check."""
    session = session or fresh_session_key()
    return session_packet(session) + protected(inner, key=session.key)


def session_packet(session: SessionKey, to: Certificate = GATEWAY.certificate) -> bytes:
    """A wrapped session key."""
    return wrap(session, encryption_key(to, now=NOW))


def protected(inner: bytes, *, key: bytes) -> bytes:
    """An integrity protected data packet."""
    message = bytearray()
    parts = Parts(message.extend, PROTECTED)
    writer = ProtectedWriter(parts.write, key)
    writer.write(inner)
    writer.finish()
    parts.finish()
    return bytes(message)


def literal(plaintext: bytes = SECRET, name: bytes = b"a.zip") -> bytes:
    """A literal data packet."""
    return packet(LITERAL, b"b" + bytes([len(name)]) + name + seconds(NOW) + plaintext)


def one_pass(hash_id: int = 10, kind: int = 0, key_id: bytes = NO_KEY, *, last: int = 1) -> bytes:
    """A one-pass signature packet; `last` is 0 where another follows around the same document."""
    return packet(ONE_PASS, bytes([3, kind, hash_id, 22]) + key_id + bytes([last]))


def compressed(inner: bytes, *, after: bytes = b"") -> bytes:
    """A compressed data packet."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packet(COMPRESSED, b"\x01" + engine.compress(inner) + engine.flush() + after)


def signing_key() -> PrivateKey:
    """The agency's key."""
    return AGENCY.keyring.signing_key(now=NOW)


def signature(  # each field of a signature can be wrong in its own way
    subject: bytes = SECRET,
    *,
    by: PrivateKey | None = None,
    hash_id: int = 10,
    kind: int = 0,
    at: datetime = NOW,
    subpackets: bytes = b"",
    version: int = 4,
    spoil: Callable[[bytes], bytes] = bytes,
) -> bytes:
    """The body of a signature packet that verifies, however weak or odd it is."""
    key = by or signing_key()
    area = (
        bytes([5, 0x82])
        + seconds(at)
        + bytes([22, 33, 4])
        + bytes.fromhex(key.public.fingerprint)
        + subpackets
    )
    hashed = bytes([version, kind, key.public.algorithm, hash_id])
    hashed += len(area).to_bytes(2, "big") + area
    context: Any = hashlib.new(HASHES[hash_id], subject, usedforsecurity=False)
    context.update(trailer(hashed))
    digest = context.digest()
    # gpg looks for the issuer's key id, which nobody vouches for, before it looks at anything else.
    unhashed = bytes([0, 10, 9, 16]) + bytes.fromhex(key.public.key_id)
    return hashed + unhashed + digest[:2] + _sign(key, spoil(digest))


def signed(body: bytes | None = None, plaintext: bytes = SECRET) -> bytes:
    """A one-pass signature, a literal and the signature."""
    made = signature(plaintext) if body is None else body
    return one_pass(made[3]) + literal(plaintext) + packet(SIGNATURE, made)
