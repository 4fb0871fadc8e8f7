"""What a rule is: one pure function over one record, and what it reports.

A rule knows neither file nor row, and neither severity nor sentence: those come from the standard's
own data by the rule's code. A rule yields once for each place that must be mended. It sees records
whose fields are each valid, so it never checks a format again; a field that is not given is None.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from validators.manifest import Manifest
from validators.standard import Agency, Standard

Record = Mapping[str, Any]

SENTINELS = frozenset({"UNK", "NCL", "WHD", "REF"})


@dataclass(frozen=True, slots=True)
class RecordContext:
    """What a record is judged against besides itself."""

    standard: Standard
    manifest: Manifest
    agency: Agency
    received_on: date


@dataclass(frozen=True, slots=True)
class Violation:
    """The column to look at, and the values that the rule's message names."""

    column: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A coded check of one record of certain types."""

    code: str
    applies: frozenset[str]
    check: Callable[[Record, RecordContext], Iterable[Violation]]


def violation(column: str, **values: object) -> Violation:
    """Return a violation; values become the text that the message shows."""
    return Violation(column, {name: str(value) for name, value in values.items()})
