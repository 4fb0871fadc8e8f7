"""Rules between records: one pure function over a group of rows that belong together.

A group rule sees the rows that could be read, whether or not they break rules of their own: what it
says is about the data as sent. It claims that something is absent only where the whole story is in
the package (`Family.is_whole`), for agencies send what is new, and earlier rows are sealed. Rows
that withdraw a record (`record_action` DELETE) belong to no group.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from validators.findings import Finding, finding
from validators.rules.rule import Record, RecordContext

Group = TypeVar("Group")


class Place(NamedTuple):
    """Where a row stands in the package."""

    file: str
    row: int


class Member(NamedTuple):
    """A row in a group: where it stands, and the columns that group rules look at."""

    place: Place
    record: Record


@dataclass(slots=True)
class Family:
    """A case and every row about it; `broken` where one of them could not be read."""

    case: Member | None = None
    rows: dict[str, list[Member]] = field(default_factory=dict)
    broken: bool = False

    def of(self, record_type: str) -> list[Member]:
        """The rows of a record type, in the order of the file."""
        return self.rows.get(record_type, [])

    @property
    def is_whole(self) -> bool:
        """Whether all there is about the case is in this package, and could be read."""
        return (
            self.case is not None and not self.broken and self.case.record["record_action"] == "NEW"
        )


@dataclass(frozen=True, slots=True)
class Misfit:
    """A row that does not fit its group, the column to look at, and the message's values.

    Without a member it is the file as a whole that does not fit.
    """

    file: str
    member: Member | None
    column: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GroupRule(Generic[Group]):
    """A coded check of one kind of group."""

    code: str
    applies: frozenset[str]
    check: Callable[[Group, RecordContext], Iterable[Misfit]]


def finding_at(
    code: str, place: Place, column: str | None, values: Mapping[str, object]
) -> Finding:
    """Return a finding of this rule about one row."""
    return finding(code, file=place.file, row=place.row, column=column, **values)


def misfit(member: Member, column: str, **values: object) -> Misfit:
    """Return a misfit of a row; values become the text that the message shows."""
    return Misfit(member.place.file, member, column, _texts(values))


def misfit_of_file(file: str, column: str, **values: object) -> Misfit:
    """Return a misfit of a file as a whole."""
    return Misfit(file, None, column, _texts(values))


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
