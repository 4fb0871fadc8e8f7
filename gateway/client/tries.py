"""How often something is tried again, and how long is waited in between.

Given up is only what makes no progress: a few tries in a row that brought not one octet further.
"""

from collections.abc import Callable

from gateway.client.answers import ClientError

TRIES = 8
MOST_WAIT = 30.0


class Tries:
    """Waits between tries, longer each time, and gives up after too many without progress."""

    def __init__(self, sleep: Callable[[float], None], *, most: int = TRIES) -> None:
        self._sleep = sleep
        self._most = most
        self._failed = 0

    def progressed(self) -> None:
        """Begin to count anew."""
        self._failed = 0

    def failed(self, error: ClientError, *, seconds: float = 0.0) -> None:
        """Wait before the next try; raises the error where there were enough."""
        self._failed += 1
        if self._failed >= self._most:
            raise error
        self._sleep(min(max(seconds, 2.0 ** (self._failed - 1)), MOST_WAIT))
