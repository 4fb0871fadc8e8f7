"""`gateway worker`: the process that opens and judges what has come."""

import click

from gateway.cli.running import run
from gateway.settings import Process
from gateway.worker import run_worker


@click.command()
def worker() -> None:
    """Process submissions until told to stop."""
    run(run_worker, Process.WORKER)
