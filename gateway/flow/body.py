"""A request body that hashes itself as it is read, under every digest that was announced."""

from hashlib import new

from gateway.errors import TooLarge
from gateway.store.objects import Readable

ALGORITHMS = {"sha-256": "sha256", "sha-512": "sha512"}
"""The digests of RFC 9530 that are safe against collisions, by their name in hashlib."""


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
