"""CT-024: a record_id stands once in a submission, across all its files.

Both rows go back: which of the two the agency meant is not ours to guess. Remembers one short
string for each row, and only for ids that are UUIDs; anything else is returned by its field rule.
"""

import re
from collections.abc import Iterator

from validators.rules.group import Place

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class RecordIds:
    """The ids seen so far in one submission."""

    def __init__(self) -> None:
        self._first: dict[str, Place | None] = {}

    def repeated(self, record_id: object, place: Place) -> Iterator[Place]:
        """Yield every place that this id makes ambiguous: none, both, or this one again."""
        if not isinstance(record_id, str) or not _UUID.fullmatch(record_id):
            return
        if record_id not in self._first:
            self._first[record_id] = place
            return
        first = self._first[record_id]
        if first is not None:
            self._first[record_id] = None
            yield first
        yield place
