"""`gateway failed`: submissions that wait for an operator. Runs on the gateway's own machine."""

from uuid import UUID

import click

from gateway.cli.administration import administration, administrator
from gateway.cli.nouns import Noun
from gateway.cli.options import json_option
from gateway.cli.output import print_facts, print_json, print_records

COLUMNS = ("received_at", "id", "agency_id", "error_code")


@click.group(cls=Noun)
def failed() -> None:
    """List submissions that failed by a fault of the gateway, and take them up again."""


@failed.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """Show every failed submission, oldest first; never its data."""
    with administration() as services:
        found = services.repair.failed()
    rows = [{name: str(getattr(each, name)) for name in COLUMNS} for each in found]
    if as_json:
        print_json({"submissions": rows})
        return
    print_records(COLUMNS, rows)


@failed.command()
@click.argument("submission", type=click.UUID)
@json_option
def retry(submission: UUID, *, as_json: bool) -> None:
    """Have a failed SUBMISSION processed again, once the cause is mended."""
    with administration() as services:
        moved = services.repair.retry(submission, by=administrator())
    facts = {"id": str(submission), "state": str(moved.state)}
    print_json(facts) if as_json else print_facts(facts)
