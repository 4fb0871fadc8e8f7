"""The integrity protected data packet, version 1: AES in CFB with a SHA-1 modification check.

RFC 9580 section 5.13.1. The reader hands out decrypted octets as they come, so that memory stays
bounded; whoever reads must not let them out before the end is reached, where the check stands.
The two repeated octets of the prefix ("quick check") are not looked at in what a stranger sends: to
answer them is to tell an attacker about the plaintext.
"""

from hashlib import sha1
from hmac import compare_digest
from secrets import token_bytes

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from crypto.cfb import CFB
from crypto.framing import CHUNK, Readable
from crypto.refusals import MdcFailed
from crypto.writing import Write

_ZERO = bytes(16)
_PREFIX = 18
_MDC_HEADER = b"\xd3\x14"
_TAIL = 22


def require_own_key(body: Readable, key: bytes) -> None:
    """Raise MdcFailed unless the key fits the two repeated octets; for objects of our own only.

    It reads the prefix and no more. On what a stranger sends this would answer questions that he
    may not ask (Mister and Zuccherato 2005).
    """
    prefix = b""
    while len(prefix) < _PREFIX and (piece := body.read(_PREFIX - len(prefix))):
        prefix += piece
    plain = Cipher(AES(key), CFB(_ZERO)).decryptor().update(prefix)
    if len(plain) < _PREFIX or plain[-4:-2] != plain[-2:]:
        raise MdcFailed("the session key does not fit")


class ProtectedReader:
    """Decrypts, and at the end checks; the octets read are unverified until `read` answers none."""

    def __init__(self, body: Readable, key: bytes) -> None:
        self._body = body
        self._cipher = Cipher(AES(key), CFB(_ZERO)).decryptor()
        self._hash = sha1(usedforsecurity=False)
        self._tail = b""
        self._skip = _PREFIX
        self._checked = False

    def read(self, size: int, /) -> bytes:
        """One to `size` octets of unverified plaintext; none after a good check, or MdcFailed."""
        while not self._checked:
            ciphertext = self._body.read(size)
            if not ciphertext:
                return self._check()
            if plaintext := self._unprefixed(self._decrypted(ciphertext)):
                return plaintext
        return b""

    def drain(self) -> None:
        """Read to the end, so that the check has the last word."""
        while self.read(CHUNK):
            pass

    def _decrypted(self, ciphertext: bytes) -> bytes:
        """All but the last 22 octets so far, which may be the check."""
        joined = self._tail + ciphertext
        self._tail = joined[-_TAIL:]
        plaintext = self._cipher.update(memoryview(joined)[:-_TAIL])
        self._hash.update(plaintext)
        return plaintext

    def _unprefixed(self, plaintext: bytes) -> bytes:
        skipped = min(self._skip, len(plaintext))
        self._skip -= skipped
        return plaintext[skipped:]

    def _check(self) -> bytes:
        tail = self._cipher.update(self._tail)
        self._hash.update(tail[:2])
        if self._skip or not compare_digest(tail, _MDC_HEADER + self._hash.digest()):
            raise MdcFailed("the modification check does not match")
        self._checked = True
        return b""


class ProtectedWriter:
    """Encrypts what is written and ends with the modification check."""

    def __init__(self, write: Write, key: bytes) -> None:
        self._write = write
        self._cipher = Cipher(AES(key), CFB(_ZERO)).encryptor()
        self._hash = sha1(usedforsecurity=False)
        write(b"\x01")
        prefix = token_bytes(16)
        self.write(prefix + prefix[-2:])

    def write(self, data: bytes) -> None:
        """More plaintext."""
        self._hash.update(data)
        self._write(self._cipher.update(data))

    def finish(self) -> None:
        """The modification check, hashed with its own header as the RFC demands."""
        self._hash.update(_MDC_HEADER)
        self._write(self._cipher.update(_MDC_HEADER + self._hash.digest()))
