"""A request body that hashes itself as it is read, once, under every digest its sender announced."""

from hashlib import new
from io import RawIOBase
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ALGORITHMS = {"sha-256": "sha256", "sha-512": "sha512"}
"""The digests of RFC 9530 that are safe against collisions, by their name in hashlib."""


class MeasuredBody(RawIOBase, BinaryIO):
    """Wraps a body; after it has been read, `digest` tells what passed."""

    def __init__(self, body: BinaryIO, algorithms: frozenset[str]) -> None:
        self._body = body
        self._hashes = {name: new(ALGORITHMS[name]) for name in algorithms}

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        target = memoryview(buffer).cast("B")
        block = self._body.read(len(target))
        target[: len(block)] = block
        for running in self._hashes.values():
            running.update(block)
        return len(block)

    def digest(self, algorithm: str) -> bytes:
        """The digest of everything read so far."""
        return self._hashes[algorithm].digest()
