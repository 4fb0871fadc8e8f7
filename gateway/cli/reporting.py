"""A report in the form that was asked for, on the screen or in a file of its reader's alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.cli.environment import environment
from gateway.cli.files import write_secret
from gateway.cli.options import NEW_FILE
from gateway.cli.output import say
from validators.report import Report, render_text
from validators.report.machine import render_json
from validators.report.page import render_html
from validators.report.prose import outcome_of
from validators.report.sheet import render_csv

F = TypeVar("F", bound=Callable[..., Any])

FORMS: dict[str, Callable[[Report], str]] = {
    "text": render_text,
    "json": render_json,
    "csv": lambda report: render_csv(report, gateway=known_gateway()),
    "html": lambda report: render_html(report, gateway=known_gateway()),
}


def form_options(function: F) -> F:
    """--format (and --json), and --out."""
    kind = click.option(
        "--format", "form", type=click.Choice([*FORMS]), default="text", show_default=True
    )
    json = click.option("--json", "form", flag_value="json", help="The same as --format json.")
    out = click.option(
        "--out", type=NEW_FILE, help="Write the report here instead of to the screen."
    )
    return kind(json(out(function)))


def known_gateway() -> str:
    """Where the rules are explained, if we know; nothing is asked there."""
    return environment().get("GATEWAY_URL", "").rstrip("/")


def hand_over(report: Report, *, form: str, out: Path | None) -> None:
    """Print a report, or write it."""
    text = FORMS[form](report)
    if out is None:
        print(text, end="")
        return
    # The mark tells Excel that a CSV file is UTF-8.
    write_secret(out, text.encode("utf-8-sig" if form == "csv" else "utf-8"))
    say(f"{outcome_of(report)} The report is in {out}.")
