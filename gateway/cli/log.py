"""`gateway log`: the log as its operators see it. Runs on the gateway's own machine."""

import click

from gateway.cli.administration import administration
from gateway.cli.failures import UNTRUSTED, Stop
from gateway.cli.nouns import Noun
from gateway.cli.options import json_option
from gateway.cli.output import print_facts, print_json, print_table
from gateway.store.reconcile import unlogged


@click.group(cls=Noun)
def log() -> None:
    """Compare the audit log with what the database knows."""


@log.command()
@json_option
def reconcile(*, as_json: bool) -> None:
    """List every act on a submission whose entry has not reached the log; exit 6 if there is any.

    An entry that waits to be sequenced is not missing. One that is missing was taken out of the
    database by somebody with the rights of its owner: tell the auditors.
    """
    with administration() as services, services.database.transaction() as session:
        found = unlogged(session)
    rows = [
        {"submission": str(each.submission), "act": each.act, "event_id": str(each.event_id)}
        for each in found
    ]
    if as_json:
        print_json({"missing": rows})
    elif rows:
        print_table(["submission", "act", "event id"], [list(row.values()) for row in rows])
    else:
        print_facts({"missing": "none"})
    if rows:
        raise Stop(UNTRUSTED)
