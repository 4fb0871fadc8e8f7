"""`gateway token`: give people access, and take it away. Runs on the gateway's own machine."""

from datetime import timedelta
from uuid import UUID

import click

from audit.entry import Reason
from gateway.cli.administration import administration, administrator, reason_option
from gateway.cli.nouns import Noun
from gateway.cli.options import json_option
from gateway.cli.output import print_facts, print_json, say
from gateway.records import Role


@click.group(cls=Noun)
def token() -> None:
    """Issue and revoke access tokens."""


@token.command()
@click.argument("subject")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--agency", "agency_id", help="The agency, for the roles that belong to one.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True)
@json_option
def issue(subject: str, *, role: str, agency_id: str | None, days: int, as_json: bool) -> None:
    """Issue a token to SUBJECT, the person's work account. It is shown once and never again."""
    with administration() as services:
        issued = services.access.issue(
            subject,
            Role(role),
            agency_id=agency_id,
            valid_for=timedelta(days=days),
            by=administrator(),
        )
    if as_json:
        expires = issued.expires_at.isoformat()
        print_json({"id": str(issued.id), "token": issued.secret, "expires": expires})
        return
    until = issued.expires_at.isoformat(timespec="seconds")
    say(f"Token {issued.id}, until {until}. Hand it over safely:")
    print(issued.secret)


@token.command()
@click.argument("token_id", metavar="TOKEN-ID", type=click.UUID)
@reason_option
@json_option
def revoke(token_id: UUID, *, reason: Reason | None, as_json: bool) -> None:
    """Revoke a token by its id, from this moment on."""
    with administration() as services:
        services.access.revoke(token_id, by=administrator(), reason=reason)
    facts = {"id": str(token_id), "state": "revoked"}
    print_json(facts) if as_json else print_facts(facts)
