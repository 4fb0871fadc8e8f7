"""`gateway migrate`: what is done before the processes start."""

import click

from gateway.cli.administration import administration
from gateway.cli.output import say


@click.command()
def migrate() -> None:
    """Bring the database to the current schema and make missing buckets; safe to repeat."""
    with administration() as services:
        services.prepare()
    say("The database and the object store are ready.")
