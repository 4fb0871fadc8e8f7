"""Two cores for one package: a block is read, and another one kept, while one is judged.

Inflating, parsing and encrypting let go of the interpreter's lock, so a thread for each is enough.
Order is kept, at most one block waits on either side, and whatever a thread raises is raised to
whoever asks for the next block, or waits for the last.
"""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Made = TypeVar("Made")

_END = object()


def ahead(made: Iterator[Made]) -> Generator[Made, None, None]:
    """Yield what an iterator yields, each made while the one before it is used."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, made, _END)
        while (one := coming.result()) is not _END:
            coming = thread.submit(next, made, _END)
            yield one  # type: ignore[misc]  # all but the mark of the end is of its type


class Behind:
    """Calls made one after another, each while the caller goes on."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._last: Future[Any] | None = None

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Have a function called once the call before it has ended well."""
        self._wait()
        self._last = self._thread.submit(function, *args)

    def end(self) -> None:
        """Wait for the last call to end well; no other is taken after that."""
        with self._thread:
            self._wait()

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()
