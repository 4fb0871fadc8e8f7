"""Small values under a symmetric key: each is sealed for one place, and opens there only.

AES-256-GCM under keys derived by HKDF (RFC 5869), one for each purpose, so that nothing made for
one can be used for another. Nonces are 96 random bits, which one key bears for 2^32 values (NIST SP
800-38D section 8.3): at a million a year, for four thousand years. The place is authenticated, so
that a value moved to another row is noticed.
"""

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import CellDamaged

KEY_BYTES = 32
NONCE_BYTES = 12


def derived(secret: bytes, purpose: str) -> bytes:
    """Return a key of 32 octets for one purpose; keys of other purposes tell nothing of it."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(secret)


class Cells:
    """Seals and opens values under one key."""

    def __init__(self, key: bytes, *, random_bytes: Callable[[int], bytes]) -> None:
        self._cipher = AESGCM(key)
        self._random = random_bytes

    def seal(self, value: bytes, *, place: bytes) -> bytes:
        """Return a value encrypted, with its nonce before it."""
        nonce = self._random(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value, place)

    def open(self, sealed: bytes, *, place: bytes) -> bytes:
        """Return what was sealed for this place; raises CellDamaged."""
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, place)
        except (InvalidTag, ValueError) as error:
            raise CellDamaged("this value was not sealed for this place") from error
