"""The file that is sent: measured once, and read from any octet on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 16

Progress = Callable[[int], None]
"""Called with the number of bytes that have just passed."""


class Told:
    """What was told of progress so far, and taken back where it turns out not to have arrived."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.told = 0

    def __call__(self, count: int) -> None:
        self.told += count
        self._progress(count)

    def until(self, offset: int) -> None:
        """Tell that so much is there, more or less than was told."""
        if offset != self.told:
            self(offset - self.told)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send, and what its bytes are."""

    path: Path
    size: int
    sha256: bytes

    @classmethod
    def of(cls, path: Path) -> "Upload":
        """Measure a file."""
        digest, size = sha256(), 0
        with path.open("rb") as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
                size += len(block)
        return cls(path, size, digest.digest())


class Counted:
    """A file that tells how much of it was read; its length makes the request's header."""

    def __init__(self, stream: BinaryIO, size: int, progress: Progress) -> None:
        self._stream = stream
        self._size = size
        self._progress = progress

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(BLOCK if size < 0 else size)
        self._progress(len(block))
        return block

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(BLOCK):
            yield block
