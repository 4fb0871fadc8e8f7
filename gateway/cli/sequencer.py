"""`gateway sequencer`: the process that keeps the log."""

import click

from gateway.cli.running import run
from gateway.sequencer import run_sequencer
from gateway.settings import Process


@click.command()
def sequencer() -> None:
    """Put entries into the audit log until told to stop; a second one stands by."""
    run(run_sequencer, Process.SEQUENCER)
