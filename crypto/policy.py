"""What cryptography is accepted, in one place. No other module decides on strength.

RFC 9580 section 9 lists the algorithms; the choice among them is ours: AES only, SHA-2 of 256
bits or more, RSA from 3072 bits, Ed25519, X25519 and the NIST curves. Clocks may differ by five
minutes.
"""

from dataclasses import dataclass
from datetime import timedelta

CLOCK_SKEW = timedelta(minutes=5)
RSA_MINIMUM_BITS = 3072

# Key octets by cipher number (RFC 9580 section 9.3): AES-128, AES-192, AES-256.
CIPHER_KEY_OCTETS = {7: 16, 8: 24, 9: 32}
AES_256 = 9
# IDEA, TripleDES, CAST5, Blowfish, Twofish, Camellia: key octets, to recognise an honest sender.
WEAK_CIPHER_KEY_OCTETS = {1: 16, 2: 24, 3: 16, 4: 16, 10: 32, 11: 16, 12: 24, 13: 32}

# Names for hashlib by hash number (RFC 9580 section 9.5).
STRONG_HASHES = {8: "sha256", 9: "sha384", 10: "sha512"}
SHA_512 = 10
WEAK_HASHES = {1: "md5", 2: "sha1", 3: "ripemd160", 11: "sha224"}
# A revocation is believed with an old hash too, and with SHA-3: to ignore one keeps a stolen key
# alive.
REVOCATION_HASHES = {**STRONG_HASHES, 2: "sha1", 11: "sha224", 12: "sha3_256", 14: "sha3_512"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one message may cost. Octets, counts, and plain over encrypted octets."""

    plaintext_octets: int = 4 << 30
    ciphertext_octets: int = (4 << 30) + (64 << 20)
    session_keys: int = 16
    signatures: int = 4
    compression_depth: int = 2
    compression_ratio: int = 200
    ratio_from_octets: int = 16 << 20
