"""Messages that are too large to keep."""

import zlib
from collections.abc import Callable

from crypto import Certificate
from crypto.framing import COMPRESSED, LITERAL, PROTECTED
from crypto.protected import ProtectedWriter
from crypto.sessionkey import fresh_session_key, wrap
from crypto.vetting import encryption_key
from crypto.writing import Parts, packet
from tests.vectors.pgp.parties import NOW

MEGABYTE = 1 << 20


def enclosed(inner: bytes, to: Certificate) -> bytes:
    """Anything at all, properly encrypted."""
    session, message = fresh_session_key(), bytearray()
    message += wrap(session, encryption_key(to, now=NOW))
    parts = Parts(message.extend, PROTECTED)
    writer = ProtectedWriter(parts.write, session.key)
    writer.write(inner)
    writer.finish()
    parts.finish()
    return bytes(message)


def bomb(to: Certificate) -> bytes:
    """A gigabyte of zeros in a megabyte: the same piece of deflate over and over."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = bytes([0xC0 | LITERAL, 255]) + (1024 * MEGABYTE + 6).to_bytes(4, "big") + b"b" + bytes(5)
    start = engine.compress(head) + engine.flush(zlib.Z_FULL_FLUSH)
    piece = engine.compress(bytes(MEGABYTE)) + engine.flush(zlib.Z_FULL_FLUSH)
    return enclosed(packet(COMPRESSED, b"\x01" + start + piece * 1024 + engine.flush()), to)


def nested(to: Certificate) -> bytes:
    """Forty layers of compression."""
    inner = packet(LITERAL, b"b" + bytes(5) + b"x")
    for _ in range(40):
        engine = zlib.compressobj(9, zlib.DEFLATED, -15)
        inner = packet(COMPRESSED, b"\x01" + engine.compress(inner) + engine.flush())
    return enclosed(inner, to)


def ten_thousand_session_keys(to: Certificate) -> bytes:
    """Each would cost the work of unwrapping."""
    session = fresh_session_key()
    return wrap(session, encryption_key(to, now=NOW)) * 10_000 + enclosed(b"", to)


RECIPES: dict[str, tuple[Callable[[Certificate], bytes], str]] = {
    "bomb": (bomb, "bomb"),
    "nested": (nested, "bomb"),
    "ten-thousand-session-keys": (ten_thousand_session_keys, "malformed"),
}
