"""CT-024: a record_id stands once in a submission, across all its files.

Both rows go back: which of the two the agency meant is not ours to guess. Remembers one short
string for each row, and only for ids that are UUIDs; anything else is returned by its field rule.
"""

import re
from collections.abc import Iterator

from validators.rules.group import Place

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class RecordIds:
    """The ids of one submission, and where each stands."""

    def __init__(self) -> None:
        self._files: dict[str, int] = {}
        self._first: dict[str, Place] = {}
        self._repeated: dict[Place, str] = {}

    def see(self, record_id: object, place: Place) -> None:
        """Remember the id of a row, good or not."""
        self._files.setdefault(place.file, len(self._files))
        if not isinstance(record_id, str) or not _UUID.fullmatch(record_id):
            return
        first = self._first.setdefault(record_id, place)
        if first != place:
            self._repeated |= {first: record_id, place: record_id}

    def repeated(self) -> Iterator[tuple[str, Place]]:
        """Yield every row whose id stands elsewhere too, in the order in which they were read."""
        for place in sorted(self._repeated, key=self._order):
            yield self._repeated[place], place

    def _order(self, place: Place) -> tuple[int, int]:
        return self._files[place.file], place.row
