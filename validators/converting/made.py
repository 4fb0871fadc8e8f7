"""What a conversion makes: records by type, and what its source could not say.

A cell that the source does not know is not known either after the conversion: it is blank, or has a
code that says so. Which cells those are is told, so that whoever knows more can add it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from validators.converting.problems import Place
from validators.standard import Standard
from validators.templates import as_csv

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MadeRow:
    """A record, the columns in it that the source or the agency decides, and where it is from."""

    cells: Cells
    known: frozenset[str]
    place: Place


@dataclass(frozen=True, slots=True)
class Addition:
    """A column to be filled in by who knows more: what stands there now, and in how many rows."""

    record_type: str
    column: str
    value: str
    rows: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """The records, what is to be added to them, and what else the sender should know."""

    records: Mapping[str, Sequence[Cells]]
    additions: tuple[Addition, ...] = ()
    notes: tuple[str, ...] = ()

    def files(self, standard: Standard) -> dict[str, bytes]:
        """Return a CSV file for each record type that has records."""
        return {
            f"{kind}.csv": as_csv(standard.records[kind], [dict(row) for row in rows])
            for kind, rows in self.records.items()
            if rows
        }


@dataclass
class Notes:
    """Sentences for the sender, and counts of what was passed over and why."""

    sentences: list[str] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)

    def all(self) -> tuple[str, ...]:
        """Every sentence; the counted ones after the others."""
        counted = (f"{reason}: {count:,}" for reason, count in sorted(self.passed_over.items()))
        return (*self.sentences, *counted)

    def columns_left_out(self, file: str, names: Iterable[str]) -> None:
        """Say which columns of a file were not read."""
        named = ", ".join(name for name in names if name)
        if named:
            self.sentences.append(f"Not read, as nothing comes of them: {named} ({file})")


def additions(rows: Mapping[str, Sequence[MadeRow]]) -> tuple[Addition, ...]:
    """Return what the sources did not know, by record type and column."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for kind, made in rows.items():
        for row in made:
            for column, value in row.cells.items():
                if value and column not in row.known:
                    counted[kind, column, value] += 1
    return tuple(Addition(*what, count) for what, count in counted.items())
