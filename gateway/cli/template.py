"""`gateway template`: an empty return to fill in, as a workbook or as CSV files."""

from pathlib import Path

import click

from gateway.cli.failures import USAGE, Failure
from gateway.cli.files import write_new
from gateway.cli.options import standard_option
from gateway.cli.output import say
from validators.filenames import RECORD_TYPES
from validators.standard import load_standard
from validators.templates import csv_template, workbook_template


@click.command()
@click.argument("form", type=click.Choice(["xlsx", "csv"]))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A file, or a folder.")
@click.option(
    "--record-type",
    "record_types",
    type=click.Choice(RECORD_TYPES),
    multiple=True,
    help="Only this kind of record; may be given several times.",
)
@standard_option
def template(form: str, *, out: Path, record_types: tuple[str, ...], version: str | None) -> None:
    """Write an empty return: a workbook (xlsx) with drop-downs, or a folder of CSV files.

    It has exactly the columns of the standard, with notes on what belongs into each.
    """
    standard = load_standard(version)
    wanted = record_types or RECORD_TYPES
    if form == "xlsx":
        write_new(_workbook_name(out), workbook_template(standard, wanted))
    else:
        out.mkdir(parents=True, exist_ok=True)
        for kind in wanted:
            text = csv_template(standard.records[kind])
            # The mark tells Excel that the file is UTF-8.
            write_new(out / f"{kind}.csv", text.encode("utf-8-sig"))
    say(f"Written to {out}. Fill it in, then: gateway validate")


def _workbook_name(out: Path) -> Path:
    if out.suffix.lower() != ".xlsx":
        raise Failure(f"{out} is no name for a workbook.", "Let it end in .xlsx.", status=USAGE)
    return out
