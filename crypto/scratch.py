"""Scratch: room for plaintext that may not be seen yet, and that never reaches a disk in the clear.

A message can be larger than memory, and nothing of it may be used before its last octet has been
checked. What exceeds a limit goes to an unlinked file, in pages sealed with AES-256-GCM under a key
that lives in this object alone: whoever reads the disk finds noise, and whoever writes to it is
noticed. Each page is written once, so that its number is its nonce (NIST SP 800-38D section 8.2.1).
"""

import io
from pathlib import Path
from secrets import token_bytes
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

PAGE = 1 << 16
MEMORY = 8 << 20
_TAG = 16


class ScratchDamaged(OSError):
    """The file under a scratch was changed or cut short by somebody else."""


class Scratch(io.RawIOBase):
    """Written once from start to end, then read at will: `rewind` ends the writing.

    Holds `memory` octets and one page at most, whatever is written. `folder` is where the encrypted
    file goes; the system's folder for temporary files by default.
    """

    def __init__(self, *, memory: int = MEMORY, folder: Path | None = None) -> None:
        self._most = memory
        self._folder = folder
        self._memory: io.BytesIO | None = io.BytesIO()
        self._file: IO[bytes] | None = None
        self._cipher: AESGCM | None = None
        self._page = bytearray()
        self._pages = 0
        self._size = 0
        self._at = 0
        self._writing = True
        self._opened = (-1, memoryview(b""))

    def readable(self) -> bool:
        """It is once writing has ended."""
        return not self._writing

    def writable(self) -> bool:
        """It is until writing has ended."""
        return self._writing

    def seekable(self) -> bool:
        """It is once writing has ended."""
        return not self._writing

    @property
    def size(self) -> int:
        """How many octets were written."""
        return self._size

    @property
    def in_memory(self) -> bytes | None:
        """Everything, where it fitted into memory; None where it went to the file."""
        return None if self._memory is None else self._memory.getvalue()

    def write(self, data: "ReadableBuffer", /) -> int:
        """Take all of it."""
        self._require(writing=True)
        view = memoryview(data).cast("B")
        if self._memory is not None and self._size + len(view) > self._most:
            self._move_to_file(self._memory)
        if self._memory is not None:
            self._memory.write(view)
        else:
            self._write_pages(view)
        self._size += len(view)
        return len(view)

    def rewind(self) -> "Scratch":
        """End the writing and stand at the start."""
        if self._writing and self._file is not None:
            self._seal_page(self._page)
            self._page = bytearray()
            self._file.flush()
        self._writing = False
        self._at = 0
        return self

    def reader(self) -> io.BufferedReader:
        """End the writing and read from the start; closing the reader closes this."""
        return io.BufferedReader(self.rewind(), PAGE)

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read up to the end of a page; 0 at the end."""
        self._require(writing=False)
        target = memoryview(buffer).cast("B")
        if self._memory is not None:
            piece = self._memory.getbuffer()[self._at : self._at + len(target)]
        else:
            page, offset = divmod(self._at, PAGE)
            piece = self._open_page(page)[offset : offset + len(target)]
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move; never before the start."""
        self._require(writing=False)
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("a position before the start")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        """Where the next read begins; while writing, where the next write goes."""
        return self._size if self._writing else self._at

    def close(self) -> None:
        """Forget everything: the key goes with the object, and the file has no name."""
        if not self.closed:
            if self._file is not None:
                self._file.close()
            self._memory = self._cipher = None
            self._page = bytearray()
            self._opened = (-1, memoryview(b""))
        super().close()

    def _require(self, *, writing: bool) -> None:
        if self.closed:
            raise ValueError("the scratch is closed")
        if writing != self._writing:
            raise io.UnsupportedOperation("scratch is written first and read afterwards")

    def _move_to_file(self, held: io.BytesIO) -> None:
        self._file = _unnamed_file(self._folder)
        self._cipher = AESGCM(token_bytes(32))
        self._memory = None
        self._write_pages(held.getbuffer())

    def _write_pages(self, data: memoryview) -> None:
        """Whole pages go out; the rest waits."""
        start = 0
        if self._page:
            start = PAGE - len(self._page)
            self._page += data[:start]
            if len(self._page) < PAGE:
                return
            self._seal_page(self._page)
            self._page = bytearray()
        while len(data) - start >= PAGE:
            self._seal_page(data[start : start + PAGE])
            start += PAGE
        self._page += data[start:]

    def _seal_page(self, page: bytearray | memoryview) -> None:
        assert self._file is not None
        assert self._cipher is not None
        sealed = memoryview(self._cipher.encrypt(_nonce(self._pages), page, None))
        while sealed:
            sealed = sealed[self._file.write(sealed) :]
        self._pages += 1

    def _open_page(self, number: int) -> memoryview:
        """One page of plaintext, kept for the next read; empty after the last."""
        if number >= self._pages:
            return memoryview(b"")
        if self._opened[0] != number:
            assert self._file is not None
            assert self._cipher is not None
            self._file.seek(number * (PAGE + _TAG))
            sealed = self._file.read(PAGE + _TAG)
            try:
                page = self._cipher.decrypt(_nonce(number), sealed, None)
            except InvalidTag as changed:
                raise ScratchDamaged("scratch was changed on the disk") from changed
            if len(page) != min(PAGE, self._size - number * PAGE):
                raise ScratchDamaged("scratch was cut short on the disk")
            self._opened = (number, memoryview(page))
        return self._opened[1]


def _unnamed_file(folder: Path | None) -> IO[bytes]:
    return TemporaryFile(dir=folder, buffering=0, prefix="scratch-")


def _nonce(page: int) -> bytes:
    return page.to_bytes(12, "big")
