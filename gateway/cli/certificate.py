"""`gateway certificate`: what a lost key touches. Runs on the gateway's own machine."""

import re
from datetime import UTC, datetime

import click

from gateway.cli.administration import administration, administrator
from gateway.cli.nouns import Noun
from gateway.cli.options import json_option
from gateway.cli.output import print_json, print_table

FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")


@click.group(cls=Noun)
def certificate() -> None:
    """Find out what a certificate or a key was used for."""


@certificate.command()
@click.argument("key", metavar="FINGERPRINT")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Received on this day (UTC) or later, such as 2026-11-23.",
)
@json_option
def exposure(key: str, *, since: datetime | None, as_json: bool) -> None:
    """List what was sent that the key with this FINGERPRINT had to do with, never its contents.

    For a key that is lost or stolen, be it an agency's, the gateway's or the vault's; give the
    fingerprint of the certificate or of one of its keys, as `gateway keys show` prints them. Dry
    runs are listed as long as they are kept.

    USE says how: signed (the message is signed with it), report (the full report is encrypted to
    it), opened (the message was encrypted to it), sealed (the sealed object is encrypted to it).
    """
    written = key.replace(" ", "").upper()
    if not FINGERPRINT.fullmatch(written):
        raise click.UsageError("A fingerprint has 40 or 64 hexadecimal digits.")
    start = since.replace(tzinfo=UTC) if since else None
    with administration() as services:
        found = services.certificates.exposure(written, since=start, by=administrator())
    rows = [
        {
            "id": str(each.id),
            "kind": each.kind,
            "agency": each.agency_id,
            "received": each.received_at.isoformat(),
            "state": each.state,
            "use": list(each.uses),
        }
        for each in found
    ]
    if as_json:
        print_json({"fingerprint": written, "submissions": rows})
        return
    columns = ("received", "kind", "id", "agency", "state")
    table = [[*(row[name] for name in columns), ", ".join(row["use"])] for row in rows]
    print_table([*columns, "use"], table)
