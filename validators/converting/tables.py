"""Tables of agencies' exports: CSV with a header row, of which only known columns are ever held.

What stands in a column that no conversion knows is dropped as its row is read: a free text or a
name can then reach nothing. Headers are compared without regard to case. Of a file of any length
one row is held at a time; reading is `validators.readers`' own, with its bounds.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from validators.converting.problems import Place, Problems
from validators.readers.csv import numbered_rows

MOST_COLUMNS = 500
_EXPORT_AGAIN = "Export it again as a table with one header row."
_AS_CSV = "Save it as 'CSV UTF-8', with commas between the columns."


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the agency's under the name that it has there."""

    name: str
    stream: BinaryIO


class SourceRow(NamedTuple):
    """The known cells of a row, and where it stands."""

    place: Place
    cells: dict[str, str]


class SourceTable:
    """The rows of one file; raises SourceUnfit where it cannot be read on.

    Names of columns are one where `fold` makes them one.
    """

    def __init__(
        self, source: Source, problems: Problems, *, fold: Callable[[str], str] = str.casefold
    ) -> None:
        self.name = source.name
        self._problems = problems
        self._fold = fold
        self._rows = numbered_rows(source.stream, source.name)
        with problems.unreadable():
            header = next(self._rows, (1, []))[1]
        self.header = [name.strip() for name in header]
        self._require_header()

    def columns(self, known: Sequence[str]) -> dict[str, int]:
        """Return where those of these columns stand that the table has."""
        by_name = {self._fold(name): at for at, name in enumerate(self.header)}
        found = {name: by_name.get(self._fold(name)) for name in known}
        return {name: at for name, at in found.items() if at is not None}

    def unknown(self, known: Sequence[str]) -> list[str]:
        """Return the names of the other columns."""
        names = set(map(self._fold, known))
        return [name for name in self.header if self._fold(name) not in names]

    def rows(self, known: Sequence[str], *, required: Sequence[str]) -> Iterator[SourceRow]:
        """Yield the rows with these columns; a ragged row is a problem, and is passed over."""
        at = self.columns(known)
        missing = [name for name in required if name not in at]
        for name in missing:
            self._fault("the column is missing", mend=_EXPORT_AGAIN, column=name)
        if missing:
            self._problems.require_none()
        with self._problems.unreadable():
            for number, cells in self._rows:
                place = Place(self.name, number)
                if not any(cells):
                    continue
                if len(cells) == len(self.header):
                    yield SourceRow(place, {name: cells[i].strip() for name, i in at.items()})
                else:
                    message = f"the row has {len(cells)} cells, the header {len(self.header)}"
                    self._problems.add(place, message, mend=_EXPORT_AGAIN)

    def _require_header(self) -> None:
        if not any(self.header):
            self._fault("the file has no header row", mend=_EXPORT_AGAIN)
        elif len(self.header) > MOST_COLUMNS:
            self._fault(f"there are more than {MOST_COLUMNS} columns", mend=_EXPORT_AGAIN)
        elif len(self.header) == 1 and set(self.header[0]) & set(";\t"):
            self._fault("its columns are not parted by commas", mend=_AS_CSV)
        elif repeated := self._repeated():
            message = f"column {repeated} has the same name as one before it"
            self._fault(message, mend=_EXPORT_AGAIN)
        self._problems.require_none()

    def _repeated(self) -> int | None:
        names = list(map(self._fold, self.header))
        times = Counter(name for name in names if name)
        again = (at for at, name in enumerate(names) if times[name] > 1 and name in names[:at])
        return next((at + 1 for at in again), None)

    def _fault(self, message: str, *, mend: str, column: str | None = None) -> None:
        self._problems.add(Place(self.name, 1), message, mend=mend, column=column)
