"""The accepted rows of one file, kept outside memory, in the order of the file.

A return may hold millions of rows, and a row may still go back after it was accepted, when a later
one claims its id. So rows are written to a spool as they are judged, and what was withdrawn is left
out when they are read. The spool is the caller's: the gateway gives one that never reaches a disk
in the clear.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any, BinaryIO, Protocol

Accepted = Mapping[str, Any]
"""An accepted record, JSON-able: dates are text, blank fields are left out."""


def accepted(record: Mapping[str, Any]) -> Accepted:
    """Return a typed record in the form in which it is kept."""
    return {name: jsonable(value) for name, value in record.items() if value is not None}


def jsonable(value: Any) -> Any:
    """Return a typed value as JSON has it."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple | list):
        return [jsonable(part) for part in value]
    return value


def line_of(record: Accepted) -> str:
    """Return an accepted record as one line of JSON, without its line end."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True)


class Spool(Protocol):
    """Room that is written first and read afterwards."""

    def write(self, data: bytes, /) -> Any:
        """Add to the end."""

    def reader(self) -> BinaryIO:
        """What was written, as a seekable file; asked for once, and nothing is written after."""


MakeSpool = Callable[[], Spool]


class MemorySpool:
    """A spool for whoever has the rows on the machine anyway."""

    def __init__(self) -> None:
        self._memory = BytesIO()

    def write(self, data: bytes, /) -> int:
        """Add to the end."""
        return self._memory.write(data)

    def reader(self) -> BinaryIO:
        """What was written."""
        self._memory.seek(0)
        return self._memory


class AcceptedRows:
    """Rows by their number; each is added once. `withdrawn` are those that were given back."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        # One octet for each row of the file: 1 where it is accepted.
        self._stands = bytearray()
        self._count = 0
        self.withdrawn: list[int] = []
        self._reader: BinaryIO | None = None

    def add(self, number: int, record: Accepted) -> None:
        """Keep a row."""
        self.mark(number)
        self.write(f"{number}\t{line_of(record)}\n".encode())

    def mark(self, first: int, count: int = 1) -> None:
        """Accept rows that follow each other, whose lines are written now or later."""
        self._stands.extend(bytes(max(0, first + count - len(self._stands))))
        self._stands[first : first + count] = b"\1" * count
        self._count += count

    def write(self, lines: bytes) -> None:
        """Keep what rows are: lines of JSON, each with its number and a tab before it."""
        self._spool.write(lines)

    def withdraw(self, number: int) -> None:
        """Give a row back after all, if it was accepted."""
        if self.stands(number):
            self._count -= 1
            self._stands[number] = 0
            self.withdrawn.append(number)

    def stands(self, number: int) -> bool:
        """Tell whether a row is accepted and was not given back."""
        return number < len(self._stands) and bool(self._stands[number])

    def __len__(self) -> int:
        return self._count

    def lines(self) -> Iterator[bytes]:
        """Each row as one line of JSON with its line end; one pass at a time."""
        self._reader = self._reader or self._spool.reader()
        self._reader.seek(0)
        for line in self._reader:
            number, _, record = line.partition(b"\t")
            if self._stands[int(number)]:
                yield record

    def __iter__(self) -> Iterator[Accepted]:
        return map(json.loads, self.lines())
