"""`gateway template`: a return to fill in, empty or as an example; a workbook or CSV files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import click

from gateway.cli.failures import USAGE, Failure
from gateway.cli.files import write_new
from gateway.cli.options import standard_option
from gateway.cli.output import say
from validators.filenames import RECORD_TYPES
from validators.standard import RecordType, load_standard
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
@standard_option
def template(
    form: str,
    *,
    out: Path,
    record_types: tuple[str, ...],
    example: bool,
    version: str | None,
) -> None:
    """Write a return to fill in: a workbook (xlsx, ods) with drop-downs, or a folder of CSV files.

    It has exactly the columns of the standard. A workbook has notes on what belongs into each, what
    the codes mean, and unused ids for new records.
    """
    standard = load_standard(version)
    rows = example_rows(standard) if example else None
    wanted = record_types or RECORD_TYPES
    if form == "csv":
        _write_files(out, [standard.records[kind] for kind in wanted], rows or {})
    else:
        fresh_ids = [uuid4() for _ in range(_FRESH_IDS)]
        _write_workbook(out, form, plan(standard, wanted, fresh_ids=fresh_ids, rows=rows))
    say(f"Written to {out}. {_NEXT[example]}")


_NEXT = {
    False: "Fill it in, then check it: gateway validate --help",
    True: "Every child in it is invented. Send it, if at all, with: gateway package --type TEST",
}


def _write_workbook(out: Path, form: str, book: Template) -> None:
    if out.suffix.lower() != f".{form}":
        raise Failure(
            f"{out} is no name for such a workbook.", f"Let it end in .{form}.", status=USAGE
        )
    write_new(out, _WORKBOOKS[form](book))


def _write_files(folder: Path, record_types: Sequence[RecordType], rows: Rows) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in record_types:
        write_new(folder / f"{each.code}.csv", as_csv(each, rows.get(each.code, ())))
