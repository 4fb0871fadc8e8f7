"""`gateway submissions`: what became of what you sent."""

from pathlib import Path
from typing import Any
from uuid import UUID

import click

from gateway.cli.channels import channel_options, open_channel
from gateway.cli.failures import REFUSED, Failure
from gateway.cli.files import write_new
from gateway.cli.following import found, print_report
from gateway.cli.nouns import Noun
from gateway.cli.options import NEW_FILE, client_options, json_option, open_client
from gateway.cli.output import print_facts, print_json, print_records, say
from gateway.client import Channel, Kind, Received, Refused

COLUMNS = ("received_at", "id", "state", "verdict", "period_start", "records", "error_code")


@click.group(cls=Noun)
def submissions() -> None:
    """List, show and withdraw your agency's submissions; read their reports and receipts."""


@submissions.command("list")
@channel_options
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--before", help="Show older ones: `next_before` of the page before.")
@json_option
def list_(*, limit: int, before: str | None, as_json: bool, **options: Any) -> None:
    """Show the newest submissions."""
    with open_channel(options) as channel:
        listed = channel.page(Kind.SUBMISSION, limit=limit, before=before)
    if as_json:
        print_json(listed)
        return
    print_records(COLUMNS, map(_as_it_counts, listed["submissions"]))
    if listed.get("next_before"):
        say(f"There are older ones: --before {listed['next_before']}")


@submissions.command()
@click.argument("submission", type=click.UUID)
@channel_options
@json_option
def show(submission: UUID, *, as_json: bool, **options: Any) -> None:
    """Show one submission."""
    with open_channel(options) as channel:
        _show(found(channel, Kind.SUBMISSION, submission).shown, as_json=as_json)


@submissions.command()
@click.argument("submission", type=click.UUID)
@channel_options
@click.option(
    "--full",
    type=NEW_FILE,
    help="Write the report with values here, encrypted to you; `gateway report` reads it.",
)
@json_option
def report(submission: UUID, *, full: Path | None, as_json: bool, **options: Any) -> None:
    """Show what was found, where, and how to mend it."""
    with open_channel(options) as channel:
        received = found(channel, Kind.SUBMISSION, submission)
        print_report(channel.report(received), as_json=as_json)
        if full is not None:
            write_new(full, _full_report(channel, received))


@submissions.command()
@click.argument("submission", type=click.UUID)
@channel_options
@click.option("--out", type=NEW_FILE, help="Write it here.")
def receipt(submission: UUID, *, out: Path | None, **options: Any) -> None:
    """Fetch the receipt: proof that the gateway had these very bytes."""
    with open_channel(options) as channel:
        text = channel.receipt(found(channel, Kind.SUBMISSION, submission))
    if out is None:
        print(text.decode(), end="")
    else:
        write_new(out, text)


@submissions.command()
@click.argument("submission", type=click.UUID)
@client_options
@click.confirmation_option(prompt="It will not be part of any later release. Withdraw it?")
@json_option
def withdraw(submission: UUID, *, url: str | None, token_file: Path | None, as_json: bool) -> None:
    """Withdraw a submission."""
    _show(
        open_client(url, token_file).post(f"/v1/submissions/{submission}/withdrawal"),
        as_json=as_json,
    )


def _as_it_counts(submission: dict[str, Any]) -> dict[str, Any]:
    """What was replaced stays stored, and counts no more."""
    is_replaced = submission["state"] == "stored" and submission.get("superseded_by")
    return {**submission, "state": "replaced"} if is_replaced else submission


def _full_report(channel: Channel, received: Received) -> bytes:
    try:
        return channel.full_report(received)
    except Refused as refused:
        if refused.code != "not-found":
            raise
        # The report itself was found just before, so the submission is there and is ours.
        raise Failure(
            "There is no report with values: nothing that was found quotes one.",
            "The report above says everything.",
            status=REFUSED,
        ) from refused


def _show(shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(shown)
        return
    notice = shown.pop("notice", None)
    print_facts(shown)
    if notice:
        say(f"{notice['message']} {notice['mend']}")
