"""One public key packet: fingerprint, OpenSSL key object, strength, and checking by it.

Version 4 keys (RFC 9580 section 5.5.2.2): RSA, ECDSA, EdDSA over Ed25519, ECDH over Curve25519 and
the NIST curves. Other kinds are read as far as their fingerprint, and carry a fault.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha1

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils, x25519

from crypto.fields import Fields
from crypto.policy import RSA_MINIMUM_BITS
from crypto.refusals import Malformed

Fingerprint = str

RSA = frozenset({1, 2, 3})
ECDH, ECDSA, EDDSA = 18, 19, 22
_SIGNING = RSA - {2} | {ECDSA, EDDSA}
_ENCRYPTING = RSA - {3} | {ECDH}

ED25519_OID = bytes.fromhex("2b06010401da470f01")
X25519_OID = bytes.fromhex("2b060104019755010501")
_NIST: dict[bytes, Callable[[], ec.EllipticCurve]] = {
    bytes.fromhex("2a8648ce3d030107"): ec.SECP256R1,
    bytes.fromhex("2b81040022"): ec.SECP384R1,
    bytes.fromhex("2b81040023"): ec.SECP521R1,
}
_DIGESTS: dict[int, Callable[[], hashes.HashAlgorithm]] = {
    2: hashes.SHA1,
    8: hashes.SHA256,
    9: hashes.SHA384,
    10: hashes.SHA512,
    11: hashes.SHA224,
    12: hashes.SHA3_256,
    14: hashes.SHA3_512,
}

OpenSSLPublic = (
    rsa.RSAPublicKey
    | ec.EllipticCurvePublicKey
    | ed25519.Ed25519PublicKey
    | x25519.X25519PublicKey
    | None
)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key or subkey. `fault` says why it may not be used, and is empty for a good one."""

    fingerprint: Fingerprint
    algorithm: int
    created_at: datetime
    body: bytes = field(repr=False)
    openssl: OpenSSLPublic = field(repr=False, compare=False)
    curve: bytes = b""
    kdf: bytes = b""
    fault: str = ""

    @property
    def key_id(self) -> str:
        """The low 64 bits of the fingerprint; not unique, so never a proof of identity."""
        return self.fingerprint[-16:]

    @property
    def can_sign(self) -> bool:
        """Whether the algorithm makes signatures."""
        return self.algorithm in _SIGNING

    @property
    def can_encrypt(self) -> bool:
        """Whether the algorithm wraps session keys."""
        return self.algorithm in _ENCRYPTING

    @property
    def hashed(self) -> bytes:
        """The key as it is hashed into fingerprints and signatures (RFC 9580 section 5.2.4)."""
        return b"\x99" + len(self.body).to_bytes(2, "big") + self.body


def parse_public_key(body: bytes) -> PublicKey:
    """The key in a packet body, or Malformed."""
    fields = Fields(body)
    if fields.number(1) != 4:
        raise Malformed("a key that is not of version 4")
    created_at, algorithm = fields.moment(), fields.number(1)
    hashed = b"\x99" + len(body).to_bytes(2, "big") + body
    fingerprint = sha1(hashed, usedforsecurity=False).hexdigest().upper()
    try:
        openssl, curve, kdf, fault = _material(fields, algorithm)
    except ValueError as invalid:
        raise Malformed("key material that is no key") from invalid
    return PublicKey(
        fingerprint, algorithm, created_at, body, openssl, curve=curve, kdf=kdf, fault=fault
    )


def public_body(body: bytes) -> bytes:
    """The public part of a secret key packet's body (RFC 9580 section 5.5.3), or Malformed."""
    fields = Fields(body)
    if fields.number(1) != 4:
        raise Malformed("a key that is not of version 4")
    fields.moment()
    try:
        _, _, _, fault = _material(fields, fields.number(1))
    except ValueError as invalid:
        raise Malformed("key material that is no key") from invalid
    if fault:
        raise Malformed(fault)
    return body[: fields.at]


def verify_digest(key: PublicKey, digest: bytes, *, hash_id: int, numbers: list[bytes]) -> bytes:
    """Return the digest that the key signed, or raise InvalidSignature. Strength is not judged."""
    match key.openssl:
        case rsa.RSAPublicKey() as public:
            signature = numbers[0].rjust((public.key_size + 7) // 8, b"\0")
            algorithm = utils.Prehashed(_DIGESTS[hash_id]())
            public.verify(signature, digest, padding.PKCS1v15(), algorithm)
        case ed25519.Ed25519PublicKey() as public:
            public.verify(numbers[0].rjust(32, b"\0") + numbers[1].rjust(32, b"\0"), digest)
        case ec.EllipticCurvePublicKey() as public:
            pair = [int.from_bytes(number, "big") for number in numbers]
            der = utils.encode_dss_signature(pair[0], pair[1])
            public.verify(der, digest, ec.ECDSA(utils.Prehashed(_DIGESTS[hash_id]())))
        case _:
            raise InvalidSignature
    return digest


_Material = tuple[OpenSSLPublic, bytes, bytes, str]


def _material(fields: Fields, algorithm: int) -> _Material:
    if algorithm in RSA:
        return _rsa(fields)
    if algorithm in {ECDH, ECDSA, EDDSA}:
        return _elliptic(fields, algorithm)
    return None, b"", b"", f"public-key algorithm {algorithm} is not accepted"


def _rsa(fields: Fields) -> _Material:
    modulus, exponent = (int.from_bytes(fields.mpi(), "big") for _ in range(2))
    bits = modulus.bit_length()
    if bits < RSA_MINIMUM_BITS:
        # Not even built: OpenSSL refuses some of these, and none may ever be used.
        return None, b"", b"", f"RSA of {bits} bits is below {RSA_MINIMUM_BITS}"
    return rsa.RSAPublicNumbers(exponent, modulus).public_key(), b"", b"", ""


def _elliptic(fields: Fields, algorithm: int) -> _Material:
    curve = fields.take(fields.number(1))
    point = fields.mpi()
    kdf = fields.take(fields.number(1)) if algorithm == ECDH else b""
    if algorithm == EDDSA and curve == ED25519_OID:
        return ed25519.Ed25519PublicKey.from_public_bytes(native(point)), curve, kdf, ""
    if algorithm == ECDH and curve == X25519_OID:
        return x25519.X25519PublicKey.from_public_bytes(native(point)), curve, kdf, ""
    if algorithm != EDDSA and curve in _NIST:
        public = ec.EllipticCurvePublicKey.from_encoded_point(_NIST[curve](), point)
        return public, curve, kdf, ""
    return None, curve, kdf, "this elliptic curve is not accepted"


def native(point: bytes) -> bytes:
    """A Curve25519 or Ed25519 point without its 0x40 prefix (RFC 9580 section 11.2)."""
    if len(point) != 33 or point[0] != 0x40:
        raise Malformed("a point that is not in native form")
    return point[1:]
