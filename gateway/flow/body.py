"""A request body as it is read: refused where it is no message, hashed, and of bounded length."""

from hashlib import new

from crypto import Form, sniff
from gateway.errors import RequestRefused, TooLarge
from gateway.store.objects import Readable

ALGORITHMS = {"sha-256": "sha256", "sha-512": "sha512"}
"""The digests of RFC 9530 that are safe against collisions, by their name in hashlib."""


_BEGIN = b"-----BEGIN PGP MESSAGE-----"
_HEAD = 512


class MessageBody:
    """Wraps a body from its first octet on; raises RequestRefused before any of it is kept.

    What nobody encrypted must not come to rest on a disk, and least of all what is legible.
    """

    def __init__(self, body: Readable) -> None:
        self._body = body
        self._begun = False

    def read(self, size: int, /) -> bytes:
        """The next bytes of the body."""
        block = self._body.read(size)
        if block and not self._begun:
            require_message(block)
            self._begun = True
        return block


class MeasuredBody:
    """Wraps a body; after it has been read, `digest` tells what passed.

    Raises TooLarge as soon as more than `max_bytes` came through, whatever was announced.
    """

    def __init__(self, body: Readable, algorithms: frozenset[str], *, max_bytes: int) -> None:
        self._body = body
        self._max_bytes = max_bytes
        self._size = 0
        self._hashes = {name: new(ALGORITHMS[name]) for name in algorithms}

    def read(self, size: int, /) -> bytes:
        """The next bytes of the body."""
        block = self._body.read(size)
        self._size += len(block)
        if self._size > self._max_bytes:
            raise too_large(self._max_bytes)
        for running in self._hashes.values():
            running.update(block)
        return block

    def digest(self, algorithm: str) -> bytes:
        """The digest of everything read so far."""
        return self._hashes[algorithm].digest()


def too_large(limit: int) -> TooLarge:
    """The refusal of a body over the limit."""
    return TooLarge(
        "too-large",
        f"The upload is larger than {limit} bytes.",
        "Split the return by record type, or leave attachments out.",
    )


def require_message(data: bytes) -> None:
    """Raise RequestRefused where these first octets begin no OpenPGP message."""
    armor = len(data) < len(_BEGIN) and _BEGIN.startswith(data.lstrip())
    if not armor and sniff(data[:_HEAD]) is Form.OTHER:
        raise RequestRefused(
            "not-openpgp",
            "This is no encrypted OpenPGP message. Nothing of it was kept.",
            "Encrypt the package to the key of the gateway and sign it first.",
        )
