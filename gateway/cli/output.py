"""What commands print: data on stdout (for machines with --json), talk and progress on stderr."""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

talk = Console(stderr=True, highlight=False)
# A table is as wide as its content, on a narrow terminal too: an id that is cut off is of no use.
_UNCUT = 250
MOST_SAID = 20
_FRACTION = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+")
page = Console(highlight=False, width=_UNCUT)


def print_json(data: Mapping[str, Any]) -> None:
    """One JSON document."""
    print(json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, default=str))


def print_facts(facts: Mapping[str, object]) -> None:
    """Names and values, one a line; what is unknown is left out."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        if value is not None:
            print(f"{name:<{width}}  {_as_said(value)}")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table; every cell is shown as it is, never as markup."""
    page.print(_table(columns, rows))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table for the person, not for a program that reads the output."""
    Console(stderr=True, highlight=False, width=_UNCUT).print(_table(columns, rows))


def print_records(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> None:
    """A table of records: a column for each of these members, blank where a record lacks it."""
    rows = [[_to_the_second(each.get(name)) for name in columns] for each in records]
    print_table([name.replace("_", " ") for name in columns], rows)


def say(text: str) -> None:
    """Something for the person, not for a program that reads the output."""
    print(text, file=sys.stderr)


def some_of(lines: Sequence[str], in_all: str) -> list[str]:
    """As many lines as can be read; of more of them also how many there are, `in_all`."""
    more = [f"{len(lines)} {in_all}"] if len(lines) > MOST_SAID else []
    return [*lines[:MOST_SAID], *more]


@contextmanager
def byte_progress(label: str, total: int) -> Iterator[Progress]:
    """A bar that counts bytes; its one task is task 0."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=talk, transient=True, disable=not talk.is_terminal
    ) as progress:
        progress.add_task(label, total=total)
        yield progress


@contextmanager
def step_progress(label: str, total: int | None) -> Iterator[Progress]:
    """A bar that counts steps; its one task is task 0."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=talk, transient=True, disable=not talk.is_terminal
    ) as progress:
        progress.add_task(label, total=total)
        yield progress


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    return table


def _to_the_second(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return _FRACTION.sub(r"\1", value) if isinstance(value, str) else value


def _as_said(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _to_the_second(value)


def _cell(value: object) -> str:
    return "" if value is None else escape(str(value))
