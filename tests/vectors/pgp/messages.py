"""The messages of the corpus by name."""

import bz2
import zlib
from collections.abc import Callable
from datetime import timedelta

from crypto import Certificate
from crypto.armor import ArmorKind, armored
from crypto.framing import (
    COMPRESSED,
    GNUPG_OCB,
    LITERAL,
    MARKER,
    ONE_PASS,
    PADDING,
    PASSWORD_KEY,
    PROTECTED,
    SIGNATURE,
    UNPROTECTED,
)
from crypto.sessionkey import PrivateKey, SessionKey, fresh_session_key, wrap
from crypto.writing import packet
from tests.crypto.handmade import (
    compressed,
    enclosed,
    literal,
    one_pass,
    protected,
    session_packet,
    signature,
    signed,
)
from tests.crypto.parties import AGENCY, GATEWAY, MADE, NOW, SECRET, STRANGER
from tests.vectors.pgp.senders import FOREIGN, SUBKEY, subpacket

SESSION = fresh_session_key()
UNKNOWN = packet(60, b"a packet of the future")
CRITICAL = packet(39, b"a packet of the future that must be understood")
NOTATION = subpacket(0x80 | 20, b"\x80\0\0\0\0\x0f\0\x01example@example" + b"1")
GIVEN_TEXT = b"one\ntwo\r\nthree\n"


def inside() -> dict[str, bytes]:
    """What some of the messages hold, in the clear, to be changed and encrypted anew."""
    long = _long()
    return {
        "good": signed(),
        "hidden-recipient": signed(signature(hash_id=8)),
        "zip": compressed(signed()),
        "literal-in-parts": signed(signature(long), long),
        "signed-twice": _many(signature(), signature(hash_id=8)),
    }


def _many(*bodies: bytes, plaintext: bytes = SECRET) -> bytes:
    """Several one-pass signatures; the last announced stands first after the literal."""
    outer = b"".join(one_pass(body[3], body[1], last=0) for body in reversed(bodies[1:]))
    heads = outer + one_pass(bodies[0][3], bodies[0][1])
    return heads + literal(plaintext) + b"".join(packet(SIGNATURE, body) for body in bodies)


def _bad() -> bytes:
    return signature(spoil=lambda digest: digest[::-1])


def _by(key: PrivateKey) -> bytes:
    return enclosed(signed(signature(by=key)))


def _old(tag: int, body: bytes, *, indeterminate: bool = False) -> bytes:
    """An old format packet, of two-octet or of indeterminate length."""
    if indeterminate:
        return bytes([0x80 | tag << 2 | 3]) + body
    return bytes([0x80 | tag << 2 | 1]) + len(body).to_bytes(2, "big") + body


def _in_parts(tag: int, body: bytes, size: int = 512) -> bytes:
    """A packet of partial lengths, the last of definite length."""
    exponent = size.bit_length() - 1
    whole = len(body) // size * size
    parts = (bytes([224 | exponent]) + body[at : at + size] for at in range(0, whole, size))
    rest = body[whole:]
    return (
        bytes([0xC0 | tag]) + b"".join(parts) + bytes([255]) + len(rest).to_bytes(4, "big") + rest
    )


def _literal_body(plaintext: bytes = SECRET, kind: bytes = b"b") -> bytes:
    return kind + b"\x05a.zip" + bytes(4) + plaintext


def _packed(algorithm: int, data: bytes) -> bytes:
    return packet(COMPRESSED, bytes([algorithm]) + data)


def _to_nobody(message: bytes) -> bytes:
    """The key id of the first session key wiped: a hidden recipient."""
    return message[:3] + bytes(8) + message[11:]


def _wrapped(session: SessionKey) -> bytes:
    return session_packet(session) + protected(signed(), key=session.key)


def _for_a_stranger() -> bytes:
    return session_packet(SESSION, STRANGER.certificate) + protected(signed(), key=SESSION.key)


def _meant_for(certificate: Certificate) -> bytes:
    """An intended recipient (RFC 9580 section 5.2.3.36)."""
    return subpacket(35, b"\x04" + bytes.fromhex(certificate.fingerprint))


def _long() -> bytes:
    return SECRET * 20


ACCEPTED: dict[str, Callable[[], bytes]] = {
    "good": lambda: enclosed(signed()),
    "armored": lambda: armored(enclosed(signed()), kind=ArmorKind.MESSAGE).encode(),
    "empty-plaintext": lambda: enclosed(signed(signature(b""), b"")),
    "sha256": lambda: enclosed(signed(signature(hash_id=8))),
    "signed-before": lambda: enclosed(packet(SIGNATURE, signature()) + literal()),
    "signed-twice": lambda: enclosed(_many(signature(), signature(hash_id=8))),
    "good-and-a-strangers": lambda: enclosed(_many(signature(), signature(by=FOREIGN))),
    "a-strangers-and-good": lambda: enclosed(_many(signature(by=FOREIGN), signature())),
    "zip": lambda: enclosed(compressed(signed())),
    "zlib": lambda: enclosed(_packed(2, zlib.compress(signed()))),
    "bzip2": lambda: enclosed(_packed(3, bz2.compress(signed()))),
    "uncompressed-layer": lambda: enclosed(compressed(compressed(signed()))),
    "padding-after-compression": lambda: enclosed(compressed(signed(), after=bytes(40))),
    "old-headers": lambda: enclosed(
        _old(ONE_PASS, bytes([3, 0, 10, 22]) + bytes(8) + b"\x01")
        + _old(LITERAL, _literal_body())
        + _old(SIGNATURE, signature())
    ),
    "indeterminate-compressed": lambda: enclosed(
        _old(COMPRESSED, b"\x02" + zlib.compress(signed()), indeterminate=True)
    ),
    "literal-in-parts": lambda: enclosed(
        one_pass()
        + _in_parts(LITERAL, _literal_body(_long()))
        + packet(SIGNATURE, signature(_long()))
    ),
    "encrypted-in-parts": lambda: (
        session_packet(SESSION)
        + _in_parts(PROTECTED, _body(protected(signed(), key=SESSION.key)), 512)
    ),
    "markers-and-unknown-packets": lambda: (
        packet(MARKER, b"PGP")
        + UNKNOWN
        + session_packet(SESSION)
        + packet(PADDING, bytes(30))
        + protected(packet(MARKER, b"PGP") + UNKNOWN + signed() + UNKNOWN, key=SESSION.key)
    ),
    "hidden-recipient": lambda: _to_nobody(enclosed(signed())),
    "two-recipients": lambda: session_packet(SESSION, STRANGER.certificate) + _wrapped(SESSION),
    "password-as-well": lambda: (
        packet(PASSWORD_KEY, b"\x04\x09\x03\x08" + bytes(8) + b"\x60") + _wrapped(SESSION)
    ),
    "session-key-of-the-future-as-well": lambda: packet(1, b"\x06" + bytes(60)) + _wrapped(SESSION),
    "aes128": lambda: _wrapped(SessionKey(7, bytes(range(16)))),
    "notation": lambda: enclosed(signed(signature(subpackets=_uncritical(NOTATION)))),
    "meant-for-us": lambda: enclosed(signed(signature(subpackets=_meant_for(GATEWAY.certificate)))),
    "clock-four-minutes-ahead": lambda: enclosed(signed(signature(at=NOW + timedelta(minutes=4)))),
}

BY_TEXT: dict[str, Callable[[], bytes]] = {
    "text": lambda: enclosed(
        one_pass(kind=1)
        + packet(LITERAL, _literal_body(GIVEN_TEXT, b"t"))
        + packet(SIGNATURE, signature(b"one\r\ntwo\r\nthree\r\n", kind=1))
    ),
}

REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "truncated"),
    "random": (lambda: bytes.fromhex("17") + bytes(range(256)), "not-encrypted"),
    "random-like-a-packet": (lambda: b"\xd5" + bytes(range(256)), "not-encrypted"),
    "signed-not-encrypted": (signed, "not-encrypted"),
    "detached-signature": (lambda: packet(SIGNATURE, signature()), "not-encrypted"),
    "certificate": (lambda: AGENCY.certificate.data, "not-encrypted"),
    "encrypted-not-signed": (lambda: enclosed(literal()), "not-signed"),
    "no-modification-check": (
        lambda: session_packet(SESSION) + packet(UNPROTECTED, bytes(600)),
        "no-integrity",
    ),
    "gnupg-ocb": (lambda: session_packet(SESSION) + packet(GNUPG_OCB, bytes(600)), "unsupported"),
    "aead": (
        lambda: session_packet(SESSION) + packet(PROTECTED, b"\x02" + bytes(600)),
        "unsupported",
    ),
    "session-key-of-version-6": (
        lambda: packet(1, b"\x06" + bytes(60)) + protected(signed(), key=SESSION.key),
        "wrong-recipient",
    ),
    "to-a-stranger": (
        _for_a_stranger,
        "wrong-recipient",
    ),
    "password-only": (
        lambda: (
            packet(PASSWORD_KEY, b"\x04\x09\x03\x08" + bytes(8) + b"\x60")
            + protected(signed(), key=SESSION.key)
        ),
        "wrong-recipient",
    ),
    "hidden-from-us": (
        lambda: _to_nobody(_for_a_stranger()),
        "mdc-failed",
    ),
    "another-session-key": (
        lambda: session_packet(fresh_session_key()) + protected(signed(), key=SESSION.key),
        "mdc-failed",
    ),
    "cast5": (lambda: _wrapped(SessionKey(3, bytes(16))), "weak-cipher"),
    "3des": (lambda: enclosed(signed(), session=SessionKey(2, bytes(range(24)))), "weak-cipher"),
    "unknown-cipher": (lambda: _odd_session(99, bytes(16)), "mdc-failed"),
    "key-of-the-wrong-length": (lambda: _odd_session(9, bytes(31)), "mdc-failed"),
    "critical-packet-outside": (
        lambda: session_packet(SESSION) + CRITICAL + protected(signed(), key=SESSION.key),
        "malformed",
    ),
    "critical-packet-inside": (lambda: enclosed(CRITICAL + signed()), "malformed"),
    "gnupg-control-packet": (
        lambda: session_packet(SESSION) + packet(63, b"") + protected(signed(), key=SESSION.key),
        "malformed",
    ),
    "marker-that-is-none": (
        lambda: enclosed(packet(MARKER, b"pgp") + signed()),
        "malformed",
    ),
    "signatures-in-both-forms": (
        lambda: enclosed(
            one_pass() + packet(SIGNATURE, signature()) + literal() + packet(SIGNATURE, signature())
        ),
        "malformed",
    ),
    "short-first-part": (
        lambda: session_packet(SESSION) + b"\xd2\xe8" + bytes(600),
        "malformed",
    ),
    "session-key-in-parts": (
        lambda: _in_parts(1, bytes(600)) + protected(signed(), key=SESSION.key),
        "malformed",
    ),
    "session-key-of-indeterminate-length": (
        lambda: _old(1, bytes(600), indeterminate=True),
        "malformed",
    ),
    "signature-in-parts": (
        lambda: enclosed(one_pass() + literal() + _in_parts(SIGNATURE, bytes(600))),
        "malformed",
    ),
    "sha1": (lambda: enclosed(signed(signature(hash_id=2))), "weak-hash"),
    "md5": (lambda: enclosed(signed(signature(hash_id=1))), "weak-hash"),
    "sha224": (lambda: enclosed(signed(signature(hash_id=11))), "weak-hash"),
    "sha3": (lambda: enclosed(signed(signature(hash_id=14))), "unsupported"),
    "future": (
        lambda: enclosed(signed(signature(at=NOW + timedelta(minutes=6)))),
        "signature-future",
    ),
    "older-than-its-key": (
        lambda: enclosed(signed(signature(at=MADE - timedelta(minutes=1)))),
        "bad-signature",
    ),
    "expired-signature": (
        lambda: enclosed(
            signed(signature(at=NOW - timedelta(hours=1), subpackets=b"\x05\x03\0\0\0\x3c"))
        ),
        "bad-signature",
    ),
    "critical-notation": (
        lambda: enclosed(signed(signature(subpackets=NOTATION))),
        "unsupported",
    ),
    "critical-subpacket": (
        lambda: enclosed(signed(signature(subpackets=subpacket(0x80 | 99, b"")))),
        "unsupported",
    ),
    "version-3-signature": (lambda: enclosed(signed(signature(version=3))), "unsupported"),
    "version-6-signature": (lambda: enclosed(signed(signature(version=6))), "unsupported"),
    "standalone-signature": (lambda: enclosed(signed(signature(kind=2))), "unsupported"),
    "certification-over-a-document": (
        lambda: enclosed(signed(signature(kind=0x13))),
        "unsupported",
    ),
    "over-another-document": (lambda: enclosed(signed(signature(b"x"))), "bad-signature"),
    "bad-signature": (lambda: enclosed(signed(_bad())), "bad-signature"),
    "good-and-bad": (lambda: enclosed(_many(signature(), _bad())), "bad-signature"),
    "bad-and-good": (lambda: enclosed(_many(_bad(), signature())), "bad-signature"),
    "by-a-stranger": (lambda: _by(FOREIGN), "unknown-signer"),
    "meant-for-another": (
        lambda: enclosed(signed(signature(subpackets=_meant_for(STRANGER.certificate)))),
        "meant-for-another",
    ),
    "five-signatures": (lambda: enclosed(_many(*[signature()] * 5)), "malformed"),
    "announced-but-absent": (lambda: enclosed(one_pass() + literal()), "malformed"),
    "present-but-not-announced": (
        lambda: enclosed(literal() + packet(SIGNATURE, signature())),
        "malformed",
    ),
    "second-literal-after": (lambda: enclosed(signed() + literal()), "trailing-data"),
    "second-literal-before": (lambda: enclosed(literal() + signed()), "trailing-data"),
    "literal-after-compression": (
        lambda: enclosed(compressed(signed()) + literal()),
        "trailing-data",
    ),
    "nothing-inside": (lambda: enclosed(b""), "malformed"),
    "encryption-inside": (lambda: enclosed(enclosed(signed())), "malformed"),
    "unknown-compression": (lambda: enclosed(_packed(9, b"abc")), "unsupported"),
    "broken-compression": (lambda: enclosed(_packed(1, b"\xff" * 99)), "malformed"),
    "compression-cut-short": (
        lambda: enclosed(_packed(2, zlib.compress(signed())[:-9])),
        "truncated",
    ),
    "compressed-three-times": (
        lambda: enclosed(compressed(compressed(compressed(signed())))),
        "bomb",
    ),
    "two-messages": (lambda: _wrapped(SESSION) + _wrapped(SESSION), "trailing-data"),
    "text-after-armor": (
        lambda: armored(_wrapped(SESSION), kind=ArmorKind.MESSAGE).encode() + b"see attached",
        "trailing-data",
    ),
    "armor-of-a-certificate": (
        lambda: armored(AGENCY.certificate.data, kind=ArmorKind.PUBLIC_KEY).encode(),
        "not-encrypted",
    ),
    "armor-that-is-not-base64": (
        lambda: (
            armored(_wrapped(SESSION), kind=ArmorKind.MESSAGE)
            .encode()
            .replace(b"\n\n", b"\n\n!!!!", 1)
        ),
        "malformed",
    ),
}

BY_SUBKEY: dict[str, Callable[[], bytes]] = {
    "by-the-subkey": lambda: _by(SUBKEY),
    "by-the-foreign-subkey": lambda: _by(FOREIGN),
}


def _body(whole: bytes) -> bytes:
    """The body of a packet that Parts wrote as one part of definite length."""
    assert whole[0] == 0xC0 | PROTECTED
    if whole[1] < 192:
        return whole[2:]
    return whole[3:] if whole[1] < 224 else whole[6:]


def _uncritical(sub: bytes) -> bytes:
    return sub[:1] + bytes([sub[1] & 0x7F]) + sub[2:]


def _odd_session(cipher: int, key: bytes) -> bytes:
    """A session key that unwraps and is none."""
    (wrapping,) = GATEWAY.certificate.assembled.components[1:]
    odd = wrap(SessionKey(cipher, key), wrapping.key)
    return odd + protected(signed(), key=SESSION.key)
