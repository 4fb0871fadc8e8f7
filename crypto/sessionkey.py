"""Session keys: wrapping them to recipients, and unwrapping them with OpenSSL's private keys.

Version 3 packets (RFC 9580 sections 5.1.1, 5.1.3 and 5.1.4). Unwrapping has one answer for every
failure on a packet that could be ours: a random key, under which the message then fails its
modification check. Wrong padding, a wrong checksum and a wrong key thus look the same from outside,
in answer and in work done, and the gateway is no oracle (Bleichenbacher 1998; RFC 9580 section
13.5).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from crypto.fields import Fields, mpi
from crypto.framing import SESSION_KEY
from crypto.policy import AES_256, CIPHER_KEY_OCTETS, WEAK_CIPHER_KEY_OCTETS
from crypto.publickey import ECDH, RSA, Fingerprint, PublicKey, native
from crypto.refusals import Malformed, WeakCipher, WrongRecipient
from crypto.writing import packet

HIDDEN = "0" * 16
_KDF_HASHES: dict[int, Callable[[], hashes.HashAlgorithm]] = {
    8: hashes.SHA256,
    9: hashes.SHA384,
    10: hashes.SHA512,
}

OpenSSLPrivate = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | x25519.X25519PrivateKey
)


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key pair, the private half in OpenSSL's hands, built and checked once."""

    public: PublicKey
    openssl: OpenSSLPrivate = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionKey:
    """The cipher and the key of one message; of one received, also whose key unwrapped it."""

    cipher: int
    key: bytes = field(repr=False)
    unwrapped_by: Fingerprint = ""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A session key wrapped to one recipient, as received."""

    key_id: str
    algorithm: int
    content: bytes = field(repr=False)


class KeyHolder(Protocol):
    """Whoever holds the private keys: a keyring, or a program that keeps them to itself."""

    def unwrap(self, wrapped: Sequence[Wrapped], /) -> SessionKey:
        """The session key of a message, or a random one; WrongRecipient when none is for us."""


def fresh_session_key() -> SessionKey:
    """A new AES-256 key from the operating system."""
    return SessionKey(AES_256, token_bytes(32))


def parse_wrapped(body: bytes) -> list[Wrapped]:
    """The wrapped key in a packet body; none for another version than 3, which cannot be ours.

    Malformed where its fields do not fill the packet: that much is plain to see for everybody.
    """
    fields = Fields(body)
    if fields.number(1) != 3:
        return []
    key_id, algorithm = fields.take(8).hex().upper(), fields.number(1)
    start = fields.at
    _require_fields(fields, algorithm)
    return [Wrapped(key_id, algorithm, body[start:])]


def _require_fields(fields: Fields, algorithm: int) -> None:
    if algorithm in RSA:
        fields.mpi()
    elif algorithm == ECDH:
        fields.mpi()
        fields.take(fields.number(1))
    else:
        return
    if fields:
        raise Malformed("octets after the fields of a wrapped session key")


def wrap(session: SessionKey, key: PublicKey) -> bytes:
    """A packet with the session key, for the holder of `key` alone."""
    checksum = (sum(session.key) & 0xFFFF).to_bytes(2, "big")
    message = bytes([session.cipher]) + session.key + checksum
    if isinstance(key.openssl, rsa.RSAPublicKey):
        content = mpi(key.openssl.encrypt(message, padding.PKCS1v15()))
    else:
        content = _wrap_over_curve(message, key)
    header = b"\x03" + bytes.fromhex(key.key_id) + bytes([key.algorithm])
    return packet(SESSION_KEY, header + content)


def packet_of(one: Wrapped) -> bytes:
    """The packet that a wrapped key came in, for another program to unwrap."""
    header = b"\x03" + bytes.fromhex(one.key_id) + bytes([one.algorithm])
    return packet(SESSION_KEY, header + one.content)


def unwrap(wrapped: Sequence[Wrapped], keys: Mapping[str, PrivateKey]) -> SessionKey:
    """The session key, or a random one. WrongRecipient when nothing is addressed to `keys`.

    WeakCipher is said openly, since only the sender who made the packet correctly can reach it.
    """
    pairs = [(one, key) for one in wrapped for key in _addressed(one, keys.values())]
    if not pairs:
        named = ", ".join(one.key_id for one in wrapped) or "nobody"
        raise WrongRecipient(f"addressed to {named}")
    for one, key in pairs:
        try:
            return session_key(_unwrap(one, key), by=key.public.fingerprint)
        except (ValueError, InvalidUnwrap, Malformed):
            continue
    return fresh_session_key()


def _addressed(one: Wrapped, keys: Iterable[PrivateKey]) -> list[PrivateKey]:
    return [
        key
        for key in keys
        if one.key_id in {key.public.key_id, HIDDEN} and one.algorithm == key.public.algorithm
    ]


def session_key(message: bytes, *, by: Fingerprint) -> SessionKey:
    """The session key in an unwrapped message; Malformed where it is none, or WeakCipher."""
    if len(message) < 3:
        raise Malformed("too short for a session key")
    cipher, key, checksum = message[0], message[1:-2], int.from_bytes(message[-2:], "big")
    if sum(key) & 0xFFFF != checksum:
        raise Malformed("the checksum does not match")
    if WEAK_CIPHER_KEY_OCTETS.get(cipher) == len(key):
        raise WeakCipher(f"cipher algorithm {cipher}")
    if CIPHER_KEY_OCTETS.get(cipher) != len(key):
        raise Malformed("an unknown cipher, or a key of the wrong length")
    return SessionKey(cipher, key, by)


def _unwrap(one: Wrapped, key: PrivateKey) -> bytes:
    fields = Fields(one.content)
    if isinstance(key.openssl, rsa.RSAPrivateKey):
        size = (key.openssl.key_size + 7) // 8
        return key.openssl.decrypt(fields.mpi().rjust(size, b"\0"), padding.PKCS1v15())
    point = fields.mpi()
    shared = _shared_secret(key.openssl, point)
    return _unpadded(
        aes_key_unwrap(_wrapping_key(shared, key.public), fields.take(fields.number(1)))
    )


def _shared_secret(private: OpenSSLPrivate, point: bytes) -> bytes:
    match private:
        case x25519.X25519PrivateKey():
            return private.exchange(x25519.X25519PublicKey.from_public_bytes(native(point)))
        case ec.EllipticCurvePrivateKey():
            other = ec.EllipticCurvePublicKey.from_encoded_point(private.curve, point)
            return private.exchange(ec.ECDH(), other)
    raise Malformed("this key unwraps nothing")


def _wrap_over_curve(message: bytes, key: PublicKey) -> bytes:
    point, shared = _ephemeral(key)
    pad = 8 - len(message) % 8
    sealed = aes_key_wrap(_wrapping_key(shared, key), message + bytes([pad]) * pad)
    return mpi(point) + bytes([len(sealed)]) + sealed


def _ephemeral(key: PublicKey) -> tuple[bytes, bytes]:
    """A one-time point, and the secret shared with the key through it."""
    match key.openssl:
        case x25519.X25519PublicKey() as public:
            once = x25519.X25519PrivateKey.generate()
            return b"\x40" + once.public_key().public_bytes_raw(), once.exchange(public)
        case ec.EllipticCurvePublicKey() as public:
            other = ec.generate_private_key(public.curve)
            numbers = other.public_key().public_numbers()
            size = (public.curve.key_size + 7) // 8
            point = b"\x04" + numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")
            return point, other.exchange(ec.ECDH(), public)
    raise Malformed("nothing can be wrapped to this key")


def _wrapping_key(shared: bytes, key: PublicKey) -> bytes:
    """The key-encryption key of RFC 9580 section 11.5; bound to curve and recipient."""
    if len(key.kdf) != 3 or key.kdf[1] not in _KDF_HASHES or key.kdf[2] not in CIPHER_KEY_OCTETS:
        raise Malformed("unknown key derivation parameters")
    parameters = bytes([len(key.curve)]) + key.curve + bytes([ECDH, 3]) + key.kdf
    context = parameters + b"Anonymous Sender    " + bytes.fromhex(key.fingerprint)
    size = CIPHER_KEY_OCTETS[key.kdf[2]]
    return ConcatKDFHash(_KDF_HASHES[key.kdf[1]](), size, context).derive(shared)


def _unpadded(message: bytes) -> bytes:
    """RFC 9580 section 11.5. The key wrap has authenticated the padding, so it tells nothing."""
    pad = message[-1]
    if not 1 <= pad <= len(message) or message[-pad:] != bytes([pad]) * pad:
        raise Malformed("wrong padding")
    return message[:-pad]
