"""`gateway dry-runs`: what would have become of what you tried out with `submit --dry-run`."""

from pathlib import Path
from typing import Any
from uuid import UUID

import click

from gateway.cli.channels import channel_options, open_channel
from gateway.cli.files import write_new
from gateway.cli.following import found, print_report
from gateway.cli.nouns import Noun
from gateway.cli.options import NEW_FILE, json_option
from gateway.cli.output import print_facts, print_json, print_records, say
from gateway.client import Kind

COLUMNS = ("received_at", "id", "state", "period_start", "records", "error_code")


@click.group("dry-runs", cls=Noun)
def dry_runs() -> None:
    """List and show your agency's dry runs, and read their reports; each is kept for 30 days."""


@dry_runs.command("list")
@channel_options
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--before", help="Show older ones: `next_before` of the page before.")
@json_option
def list_(*, limit: int, before: str | None, as_json: bool, **options: Any) -> None:
    """Show the newest dry runs."""
    with open_channel(options) as channel:
        listed = channel.page(Kind.DRY_RUN, limit=limit, before=before)
    if as_json:
        print_json(listed)
        return
    print_records(COLUMNS, listed["dry_runs"])
    if listed.get("next_before"):
        say(f"There are older ones: --before {listed['next_before']}")


@dry_runs.command()
@click.argument("dry_run", type=click.UUID)
@channel_options
@json_option
def show(dry_run: UUID, *, as_json: bool, **options: Any) -> None:
    """Show one dry run."""
    with open_channel(options) as channel:
        shown = found(channel, Kind.DRY_RUN, dry_run).shown
    print_json(shown) if as_json else print_facts(shown)


@dry_runs.command()
@click.argument("dry_run", type=click.UUID)
@channel_options
@click.option(
    "--full",
    type=NEW_FILE,
    help="Write the report with values here, encrypted to you; `gateway report` reads it.",
)
@json_option
def report(dry_run: UUID, *, full: Path | None, as_json: bool, **options: Any) -> None:
    """Show what would have been found, where, and how to mend it."""
    with open_channel(options) as channel:
        received = found(channel, Kind.DRY_RUN, dry_run)
        print_report(channel.report(received), as_json=as_json)
        if full is not None:
            write_new(full, channel.full_report(received))
