"""How large reports are, for as long as this process runs.

A listing tells sizes, and to know one a report is made whole, or the object store asked. A report
never changes, so that once is enough for all sessions. Not longer than the process: another version
of the software may word a report otherwise.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from uuid import UUID

MOST_SIZES = 50_000
"""About 15 MB; whichever was not asked for longest is forgotten."""


class Sizes:
    """Sizes by the submission or dry run and the kind of report; any thread may use it."""

    def __init__(self, most: int = MOST_SIZES) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[UUID, str], int] = OrderedDict()
        self._lock = Lock()

    def of(self, about: UUID, kind: str, measure: Callable[[], int]) -> int:
        """The size of a report; `measure` is asked where it is not known."""
        with self._lock:
            known = self._kept.get((about, kind))
            if known is not None:
                self._kept.move_to_end((about, kind))
                return known
        size = measure()
        with self._lock:
            self._kept[about, kind] = size
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return size

    def forget(self, about: UUID, kind: str) -> None:
        """Measure again next time."""
        with self._lock:
            self._kept.pop((about, kind), None)
