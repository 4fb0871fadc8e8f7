"""`gateway mail`: mails that wait for an operator. Runs on the gateway's own machine."""

from uuid import UUID

import click

from gateway.cli.administration import administration, administrator
from gateway.cli.nouns import Noun
from gateway.cli.options import json_option
from gateway.cli.output import print_json, print_records

COLUMNS = ("given_up_at", "id", "agency_id", "error_code")


@click.group(cls=Noun)
def mail() -> None:
    """List mails to agencies that were given up, and have them sent again."""


@mail.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """Show the submission of every mail that was given up, oldest first; never an address."""
    with administration() as services:
        found = services.repair.given_up_mails()
    rows = [{name: str(getattr(each, name)) for name in COLUMNS} for each in found]
    if as_json:
        print_json({"mails": rows})
        return
    print_records(COLUMNS, rows)


@mail.command()
@click.argument("submissions", metavar="[SUBMISSION]...", type=click.UUID, nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that `gateway mail list` shows.")
@json_option
def retry(submissions: tuple[UUID, ...], *, every: bool, as_json: bool) -> None:
    """Have the mail of each SUBMISSION tried for another day, once the cause is mended."""
    if every is bool(submissions):
        raise click.UsageError("Name submissions, or --all.")
    with administration() as services:
        listed = [each.id for each in services.repair.given_up_mails()] if every else submissions
        services.repair.mail_again(listed, by=administrator())
    rows = [{"id": str(each)} for each in listed]
    print_json({"mails": rows}) if as_json else print_records(("id",), rows)
