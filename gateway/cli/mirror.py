"""`gateway mirror`: the process that copies the log to where nobody can remove it."""

import click

from gateway.cli.running import run
from gateway.mirror import run_mirror
from gateway.settings import Process


@click.command()
def mirror() -> None:
    """Copy the audit log to a bucket that keeps it, until told to stop; refuse a fork."""
    run(run_mirror, Process.MIRROR)
