"""`gateway convert`: what an agency has already, made into the record files of a return."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from gateway.cli.converting import Return, finish, problems_told
from gateway.cli.options import EXISTING, FOLDER, json_option
from validators.converting.homeoffice import Counted, convert_home_office
from validators.converting.tables import Source


def return_options(command: Callable[..., None]) -> Callable[..., None]:
    """--profile and --period, given to the command as `made_for`; --out and --json."""

    @wraps(command)
    def given(*, profile: Path, period: str, **options: Any) -> None:
        command(made_for=Return.read(profile, period), **options)

    said_profile = "The agency's own facts, as TOML; `gateway package --example-profile`."
    said_period = "The quarter of the return, such as 2026Q1."
    profile = click.option("--profile", type=EXISTING, required=True, help=said_profile)
    period = click.option("--period", required=True, help=said_period)
    out = click.option("--out", type=FOLDER, required=True, help="A new folder to write into.")
    return profile(period(out(json_option(given))))


@click.group()
def convert() -> None:
    """Make record files of what your agency has already. Nothing is sent."""


@convert.command("home-office")
@click.argument("table", type=EXISTING)
@click.option(
    "--first-responder",
    help="Whose rows to take, as the table names them; your agency's without it.",
)
@return_options
def home_office(
    table: Path, *, first_responder: str | None, made_for: Return, out: Path, as_json: bool
) -> None:
    """Make ACTV counts of TABLE, laid out like the Home Office's quarterly NRM tables (CSV)."""
    counted = Counted(made_for.standard, made_for.agency, made_for.facts.period, first_responder)
    with problems_told(as_json=as_json), table.open("rb") as stream:
        made = convert_home_office(Source(table.name, stream), counted)
    finish(made, made_for, out, as_json=as_json)
