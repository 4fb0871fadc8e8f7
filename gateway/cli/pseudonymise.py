"""`gateway pseudonymise`: an export with names becomes CASE columns without them, at the agency."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import wraps
from io import StringIO
from pathlib import Path
from typing import Any

import click

from gateway.cli.failures import REJECTED, Failure
from gateway.cli.files import read_hex_key, write_secret
from gateway.cli.options import EXISTING, NEW_FILE, json_option, standard_option
from gateway.cli.output import print_facts, print_json, say
from validators.linkage import Export, Pseudonymised, Sources
from validators.readers import FileUnreadable
from validators.readers.csv import numbered_rows
from validators.standard import load_standard

_MOST_PROBLEMS = 20
_AS_CSV = "Save it as 'CSV UTF-8', with commas between the columns."
_SAID = {
    "local_id": "your own number of the child",
    "forenames": "the forenames",
    "surname": "the surname",
    "born": "the date of birth",
    "sex": "the sex: F, M, I or U",
    "nrm_reference": "the NRM reference",
    "upn": "the unique pupil number",
    "home_office_reference": "the Home Office reference",
}


def source_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for each column that says who a child is; the command gets them as `sources`."""

    @wraps(command)
    def given(**options: Any) -> None:
        names = {each.name: options.pop(each.name) for each in fields(Sources)}
        command(sources=Sources(**names), **options)

    for each in reversed(fields(Sources)):
        name = f"--{each.name.replace('_', '-')}"
        said = f"The column of {_SAID[each.name]}."
        given = click.option(name, default=each.default, show_default=True, help=said)(given)
    return given


@click.command()
@click.argument("export", type=EXISTING)
@click.option("--linkage-key", type=EXISTING, required=True, help="The key of the scheme's year.")
@click.option("--scheme", required=True, help="The scheme of that key, such as CTL1-2026.")
@click.option(
    "--salt", type=EXISTING, required=True, help="Your agency's own; `gateway keys init salt`."
)
@click.option("--out", type=NEW_FILE, required=True, help="Write here.")
@source_options
@standard_option
@json_option
def pseudonymise(
    export: Path,
    *,
    linkage_key: Path,
    scheme: str,
    salt: Path,
    out: Path,
    sources: Sources,
    version: str | None,
    as_json: bool,
) -> None:
    """Replace who the children of EXPORT, a CSV file, are by linkage tokens. Nothing is sent.

    Names, dates of birth, references and your own numbers do not reach the new file. Of the other
    columns those go on that a CASE record has. The file is for your eyes until you send it.
    """
    standard = load_standard(version)
    if scheme == "NONE" or scheme not in standard.codelists["CL_LINK_SCHEME"].items:
        raise click.UsageError("Name a --scheme of the standard, such as CTL1-2026.")
    keys = {"key": read_hex_key(linkage_key), "salt": read_hex_key(salt)}
    rows = _rows(export)
    header = next(rows, (1, []))[1]
    turned = Export(header, standard.records["CASE"], scheme=scheme, sources=sources, **keys)
    _require_columns(header, turned, sources)
    text, counted = _turn(header, rows, turned)
    write_secret(out, text.encode())
    facts = {"file": str(out), **counted}
    print_json(facts) if as_json else print_facts(facts)
    if turned.left_out:
        say(f"Left out, as a CASE record has no such columns: {', '.join(turned.left_out)}")


def _turn(
    header: list[str], rows: Iterator[tuple[int, list[str]]], export: Export
) -> tuple[str, dict[str, int]]:
    text = StringIO(newline="")
    writer = csv.DictWriter(text, export.columns, lineterminator="\r\n")
    writer.writeheader()
    counted: Counter[str] = Counter(rows=0)
    problems: list[str] = []
    for number, cells in rows:
        if not any(cells):
            continue
        counted["rows"] += 1
        if len(cells) != len(header):
            problems.append(f"row {number}: {len(cells)} cells under {len(header)} columns")
            continue
        made = export.turn(dict(zip(header, cells, strict=True)))
        if isinstance(made, Pseudonymised):
            writer.writerow(made.cells)
            counted.update(made.tokens or ["without any token"])
        else:
            problems += [f"row {number}, {each.column}: {each.message}" for each in made]
    if problems:
        raise _unfit(problems)
    return text.getvalue(), dict(counted)


def _rows(export: Path) -> Iterator[tuple[int, list[str]]]:
    with export.open("rb") as stream:
        try:
            yield from numbered_rows(stream, export.name)
        except FileUnreadable as refused:
            raise Failure(refused.findings[0].message(), _AS_CSV, status=REJECTED) from refused


def _require_columns(header: list[str], export: Export, sources: Sources) -> None:
    repeated = [name for name, times in Counter(header).items() if times > 1]
    if repeated:
        raise _unfit([f"the column {name} stands twice" for name in repeated])
    if len(header) == 1 and set(header[0]) & set(";\t"):
        raise Failure("The columns are not parted by commas.", _AS_CSV, status=REJECTED)
    if export.missing:
        raise Failure(
            f"The export has no column {sources.local_id}.",
            "Name the column of your own numbers with --local-id.",
            status=REJECTED,
        )


def _unfit(problems: list[str]) -> Failure:
    for each in problems[:_MOST_PROBLEMS]:
        say(each)
    rest = len(problems) - _MOST_PROBLEMS
    if rest > 0:
        say(f"and {rest:,} more")
    return Failure(
        "The export cannot be pseudonymised as it is; nothing was written.",
        "Mend what is listed above, then run the command again.",
        status=REJECTED,
    )
