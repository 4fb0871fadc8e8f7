"""`gateway template`: a return to fill in, empty or as an example; a workbook or CSV files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import click

from gateway.cli.failures import USAGE, Failure
from gateway.cli.files import write_new
from gateway.cli.output import say
from validators.filenames import RECORD_TYPES
from validators.standard import load_standard
from validators.templates import (
    Rows,
    Template,
    as_csv,
    as_ods,
    as_xlsx,
    example_rows,
    plan,
)

_WORKBOOKS: dict[str, Callable[[Template], bytes]] = {"xlsx": as_xlsx, "ods": as_ods}
_FRESH_IDS = 500


@click.command()
@click.argument("form", type=click.Choice([*_WORKBOOKS, "csv"]))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A file, or a folder.")
@click.option(
    "--record-type",
    "record_types",
    type=click.Choice(RECORD_TYPES),
    multiple=True,
    help="Only this kind of record; may be given several times.",
)
@click.option(
    "--example", is_flag=True, help="Filled in: an invented return of 2026Q1, to learn from."
)
def template(form: str, *, out: Path, record_types: tuple[str, ...], example: bool) -> None:
    """Write a return to fill in: a workbook (xlsx, ods) with drop-downs, or a folder of CSV files.

    It has exactly the columns of the standard. A workbook has notes on what belongs into each, what
    the codes mean, and unused ids for new records.
    """
    rows = example_rows(load_standard()) if example else None
    wanted = record_types or RECORD_TYPES
    if form == "csv":
        _write_files(out, wanted, rows or {})
    else:
        _write_workbook(out, form, wanted, rows)
    say(f"Written to {out}. {_NEXT[example]}")


_NEXT = {
    False: "Fill it in, then check it: gateway validate --help",
    True: "Every child in it is invented. Send it, if at all, with: gateway package --type TEST",
}


def _write_workbook(out: Path, form: str, record_types: Sequence[str], rows: Rows | None) -> None:
    if out.suffix.lower() != f".{form}":
        raise Failure(
            f"{out} is no name for such a workbook.", f"Let it end in .{form}.", status=USAGE
        )
    fresh_ids = [uuid4() for _ in range(_FRESH_IDS)]
    book = plan(load_standard(), record_types, fresh_ids=fresh_ids, rows=rows)
    write_new(out, _WORKBOOKS[form](book))


def _write_files(folder: Path, record_types: Sequence[str], rows: Rows) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for kind in record_types:
        data = as_csv(load_standard().records[kind], rows.get(kind, ()))
        write_new(folder / f"{kind}.csv", data)
