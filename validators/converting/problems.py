"""What is wrong with a file that is to be converted: where it stands, and how to mend it.

A problem names file, row and column, and never repeats a cell: exports hold names, and problems are
shown on screens. Rows are numbered as a spreadsheet shows them, children of an XML file by their
place in it. All problems are told at once, and nothing is converted while there is one: what was
left out without a word would be missing from the count of children.

    ValidatorsError
    └── SourceUnfit         code "source-unfit": a file cannot be converted as it is
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from validators.errors import ValidatorsError
from validators.readers import FileUnreadable

MOST_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the files of the sender."""

    file: str
    row: int | None = None

    def __str__(self) -> str:
        return self.file if self.row is None else f"{self.file}, row {self.row}"


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """One fault of a source, in words of our own."""

    file: str
    row: int | None
    column: str | None
    message: str
    mend: str

    def sentence(self) -> str:
        """The whole of it on one line."""
        column = f", {self.column}" if self.column else ""
        return f"{Place(self.file, self.row)}{column}: {self.message}. {self.mend}"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able facts."""
        return asdict(self)


class SourceUnfit(ValidatorsError):
    """The sources cannot be converted; `problems` says why."""

    code = "source-unfit"
    mend = "Mend what is listed above, then run the command again."

    def __init__(self, problems: "Problems") -> None:
        self.message = "The export cannot be converted as it is; nothing was written."
        super().__init__(self.message)
        self.problems = problems


@dataclass
class Problems:
    """Every problem of a conversion; of very many the first are kept, and all are counted."""

    kept: list[SourceProblem] = field(default_factory=list)
    count: int = 0

    def add(self, place: Place, message: str, *, mend: str, column: str | None = None) -> None:
        """Note a problem."""
        self.count += 1
        if len(self.kept) < MOST_KEPT:
            self.kept.append(SourceProblem(place.file, place.row, column, message, mend))

    def adding(self, place: Place) -> Callable[..., None]:
        """Return `add` for one place."""

        def add(column: str | None, message: str, *, mend: str) -> None:
            self.add(place, message, mend=mend, column=column)

        return add

    def require_none(self) -> None:
        """Raise SourceUnfit where there is a problem."""
        if self.count:
            raise SourceUnfit(self)

    @contextmanager
    def unreadable(self) -> Iterator[None]:
        """Around the reading of a file: what cannot be read on becomes problems."""
        try:
            yield
        except FileUnreadable as refused:
            for each in refused.findings:
                # The readers' findings about structure hold no text of the sender's.
                told = each.redacted().values.get("detail", each.redacted().message())
                place = Place(each.file or "", each.row)
                self.add(place, told, mend=each.mend, column=each.column)
            self.require_none()
