"""A request body that hashes itself as it is read, once, under every digest its sender announced."""

from hashlib import new
from io import RawIOBase
from typing import TYPE_CHECKING, BinaryIO

from gateway.errors import TooLarge

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ALGORITHMS = {"sha-256": "sha256", "sha-512": "sha512"}
"""The digests of RFC 9530 that are safe against collisions, by their name in hashlib."""


class MeasuredBody(RawIOBase):
    """Wraps a body; after it has been read, `digest` tells what passed.

    Raises TooLarge as soon as more than `max_bytes` came through, whatever was announced.
    """

    def __init__(self, body: BinaryIO, algorithms: frozenset[str], *, max_bytes: int) -> None:
        self._body = body
        self._max_bytes = max_bytes
        self._size = 0
        self._hashes = {name: new(ALGORITHMS[name]) for name in algorithms}

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        target = memoryview(buffer).cast("B")
        block = self._body.read(len(target))
        target[: len(block)] = block
        self._size += len(block)
        if self._size > self._max_bytes:
            raise too_large(self._max_bytes)
        for running in self._hashes.values():
            running.update(block)
        return len(block)

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
