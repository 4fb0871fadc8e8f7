"""Compressed data packets, inflated in bounded steps (RFC 9580 section 5.6).

Defeats the bomb: output is capped in total, and against the ciphertext that has been read so far.
Octets after the end of the compressed stream, within its packet, are read and dropped: Sequoia pads
so, to hide how long a message is.
"""

import bz2
import zlib
from collections.abc import Callable
from typing import Protocol

from crypto.framing import CHUNK, Body
from crypto.policy import Limits
from crypto.refusals import Bomb, Malformed, TooLarge, Truncated, Unsupported


class _Engine(Protocol):
    """What zlib and bz2 have in common here."""

    def inflate(self, compressed: bytes, most: int) -> bytes: ...

    @property
    def hungry(self) -> bool: ...

    @property
    def ended(self) -> bool: ...


class _Deflate:
    def __init__(self, window: int) -> None:
        self._engine = zlib.decompressobj(window)
        self._full = False

    def inflate(self, compressed: bytes, most: int) -> bytes:
        output = self._engine.decompress(self._engine.unconsumed_tail + compressed, most)
        # A full output may leave more inside zlib although all input is taken.
        self._full = len(output) == most
        return output

    @property
    def hungry(self) -> bool:
        return not self._engine.unconsumed_tail and not self._full

    @property
    def ended(self) -> bool:
        return self._engine.eof


class _Bzip2:
    def __init__(self) -> None:
        self._engine = bz2.BZ2Decompressor()

    def inflate(self, compressed: bytes, most: int) -> bytes:
        return self._engine.decompress(compressed, most)

    @property
    def hungry(self) -> bool:
        return self._engine.needs_input

    @property
    def ended(self) -> bool:
        return self._engine.eof


_ENGINES: dict[int, Callable[[], _Engine]] = {
    1: lambda: _Deflate(-zlib.MAX_WBITS),
    2: lambda: _Deflate(zlib.MAX_WBITS),
    3: _Bzip2,
}


class Inflated:
    """The content of one compressed packet, as a source."""

    def __init__(self, body: Body, *, limits: Limits, taken: Callable[[], int]) -> None:
        self._body = body
        self._limits = limits
        self._taken = taken
        self._given = 0
        algorithm = body.exactly(1)[0]
        if algorithm not in _ENGINES:
            raise Unsupported(f"compression algorithm {algorithm}")
        self._engine = _ENGINES[algorithm]()

    def read(self, size: int, /) -> bytes:
        """One to `size` octets, or none at the end."""
        while not self._engine.ended:
            if output := self._step(size):
                self._given += len(output)
                self._require_reason()
                return output
        while self._body.read(CHUNK):
            pass
        return b""

    def _step(self, size: int) -> bytes:
        compressed = self._body.read(CHUNK) if self._engine.hungry else b""
        if not compressed and self._engine.hungry:
            raise Truncated("the compressed stream ends early")
        try:
            return self._engine.inflate(compressed, size)
        except (zlib.error, OSError) as fault:
            raise Malformed("the compressed stream is damaged") from fault

    def _require_reason(self) -> None:
        # The outer layers' headers are part of this count, which is why it may exceed the content.
        if self._given > self._limits.plaintext_octets + CHUNK:
            raise TooLarge("inflates beyond the limit")
        if self._given <= self._limits.ratio_from_octets:
            return
        if self._given > self._limits.compression_ratio * self._taken():
            raise Bomb(f"inflates to more than {self._limits.compression_ratio} times its size")
