"""`gateway dry-runs`: what would have become of what you tried out with `submit --dry-run`."""

from pathlib import Path
from uuid import UUID

import click

from gateway.cli.files import write_new
from gateway.cli.following import show_report
from gateway.cli.options import NEW_FILE, client_options, json_option, open_client
from gateway.cli.output import print_facts, print_json, print_records, say

COLUMNS = ("received_at", "id", "state", "period_start", "records", "error_code")


@click.group("dry-runs")
def dry_runs() -> None:
    """List and show your agency's dry runs, and read their reports; each is kept for 30 days."""


@dry_runs.command("list")
@client_options
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--before", help="Show older ones: `next_before` of the page before.")
@json_option
def list_(
    *, url: str | None, token_file: Path | None, limit: int, before: str | None, as_json: bool
) -> None:
    """Show the newest dry runs."""
    found = open_client(url, token_file).get("/v1/dry-runs", limit=limit, before=before)
    if as_json:
        print_json(found)
        return
    print_records(COLUMNS, found["dry_runs"])
    if found.get("next_before"):
        say(f"There are older ones: --before {found['next_before']}")


@dry_runs.command()
@click.argument("dry_run", type=click.UUID)
@client_options
@json_option
def show(dry_run: UUID, *, url: str | None, token_file: Path | None, as_json: bool) -> None:
    """Show one dry run."""
    found = open_client(url, token_file).get(f"/v1/dry-runs/{dry_run}")
    print_json(found) if as_json else print_facts(found)


@dry_runs.command()
@click.argument("dry_run", type=click.UUID)
@client_options
@click.option(
    "--full",
    type=NEW_FILE,
    help="Write the report with values here, encrypted to you; `gateway report` reads it.",
)
@json_option
def report(
    dry_run: UUID, *, url: str | None, token_file: Path | None, full: Path | None, as_json: bool
) -> None:
    """Show what would have been found, where, and how to mend it."""
    client, path = open_client(url, token_file), f"/v1/dry-runs/{dry_run}"
    found = client.get(f"{path}/report")
    print_json(found) if as_json else print(show_report(found), end="")
    if full is not None:
        write_new(full, client.data(f"{path}/report.pgp"))
