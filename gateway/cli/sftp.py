"""`gateway sftp`: the process that SSH clients talk to."""

from functools import partial

import click

from gateway.cli.running import run
from gateway.settings import Process
from gateway.sftp.server import run_sftp


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=2222, show_default=True)
def sftp(*, host: str, port: int) -> None:
    """Serve SFTP; several of these may listen on one port."""
    run(partial(run_sftp, host=host, port=port), Process.SFTP)
