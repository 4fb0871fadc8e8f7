"""The digests that signatures are over, taken while the document streams by.

A document signature is over the octets as they are, or, when of type 0x01, over the text with its
line ends as CR LF (RFC 9580 sections 5.2.1.2 and 5.2.4). One pass takes every digest that is
asked for, and none with a hash that is not safe.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from crypto.policy import STRONG_HASHES
from crypto.signature import BINARY, TEXT, Hash


class Method(NamedTuple):
    """How a signature takes the document: hash algorithm and signature type."""

    hash_id: int
    kind: int


class Digests:
    """Running digests by method."""

    def __init__(self, methods: Iterable[Method]) -> None:
        self._contexts: dict[Method, Hash] = {
            method: hashlib.new(STRONG_HASHES[method.hash_id])
            for method in methods
            if method.hash_id in STRONG_HASHES and method.kind in {BINARY, TEXT}
        }
        self._text = _CanonicalText()

    def update(self, data: bytes) -> None:
        """More of the document."""
        for context in self._of(BINARY):
            context.update(data)
        if texts := list(self._of(TEXT)):
            canonical = self._text.next(data)
            for context in texts:
                context.update(canonical)

    def finish(self) -> None:
        """The document has ended."""
        for context in self._of(TEXT):
            context.update(self._text.rest)

    def over(self, method: Method) -> Hash | None:
        """A context that has seen the document this way, or None if that was not asked for."""
        context = self._contexts.get(method)
        return None if context is None else context.copy()

    def _of(self, kind: int) -> Iterator[Hash]:
        return (context for method, context in self._contexts.items() if method.kind == kind)


class _CanonicalText:
    """Line ends as CR LF, whether they came as LF or CR LF, wherever the pieces are cut."""

    def __init__(self) -> None:
        self.rest = b""

    def next(self, data: bytes) -> bytes:
        text = self.rest + data
        # A CR at the end may be the first half of a line end.
        self.rest = b"\r" if text.endswith(b"\r") else b""
        whole = text[: len(text) - len(self.rest)]
        return whole.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
