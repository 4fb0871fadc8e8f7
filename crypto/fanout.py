"""Handing each piece of a stream to several takers, side by side once the stream is long.

Hashing with SHA-512 takes as long as decrypting and everything else together, and OpenSSL and the
kernel need no interpreter while they work: with a thread for each taker a second core does half of
the work. Pieces reach each taker in order, and few are held at a time.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

LONG = 4 << 20
"""Octets from which threads pay; shorter streams are served in the caller's thread."""

_MOST_HELD = 4

Taker = Callable[[bytes], Any]


class FanOut:
    """Every piece goes to every taker; leaving the block waits for them and raises their faults."""

    def __init__(self, *takers: Taker) -> None:
        self._takers = takers
        self._given = 0
        self._threads: list[ThreadPoolExecutor] = []
        self._under_way: deque[list[Future[Any]]] = deque()

    def give(self, piece: bytes) -> None:
        """Hand on a piece; wait while the takers are far behind."""
        self._await(fewer_than=_MOST_HELD)
        self._given += len(piece)
        if self._given <= LONG:
            for take in self._takers:
                take(piece)
            return
        if not self._threads:
            self._threads = [ThreadPoolExecutor(1, "fan-out") for _ in self._takers]
        both = zip(self._threads, self._takers, strict=True)
        self._under_way.append([thread.submit(take, piece) for thread, take in both])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for thread in self._threads:
            thread.shutdown(cancel_futures=error is not None)
        if error is None:
            self._await(fewer_than=1)

    def _await(self, *, fewer_than: int) -> None:
        while len(self._under_way) >= fewer_than:
            for future in self._under_way.popleft():
                future.result()
