"""`gateway web`, `sftp`, `worker`, `sequencer`, `mirror`, `migrate`: what a supervisor runs.

A process loads what it runs and nothing of the others: it is smaller for that, and knows less.
"""

from importlib import import_module
from typing import Any

import click

from gateway import journal
from gateway.cli.environment import environment
from gateway.cli.output import say
from gateway.cli.stopping import told_to_stop
from gateway.settings import Process, Settings


@click.command()
def migrate() -> None:
    """Bring the database to the current schema and make missing buckets; safe to repeat."""
    administration = import_module("gateway.cli.administration").administration
    with administration() as services:
        services.prepare()
    say("The database and the object store are ready.")


@click.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="Or unix:/path.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--threads", type=click.IntRange(1, 256), default=16, show_default=True)
def web(*, bind: str, workers: int, threads: int) -> None:
    """Serve the HTTPS API, behind a proxy that ends TLS."""
    journal.configure()
    settings = Settings.load(environment(), Process.WEB)
    run_web = import_module("gateway.web.server").run_web
    run_web(settings, bind=bind, workers=workers, threads=threads)


@click.command()
def worker() -> None:
    """Process submissions until told to stop."""
    _run("gateway.worker", "run_worker", Process.WORKER)


@click.command()
def sequencer() -> None:
    """Put entries into the audit log until told to stop; a second one stands by."""
    _run("gateway.sequencer", "run_sequencer", Process.SEQUENCER)


@click.command()
def mirror() -> None:
    """Copy the audit log to a bucket that keeps it, until told to stop; refuse a fork."""
    _run("gateway.mirror", "run_mirror", Process.MIRROR)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=2222, show_default=True)
def sftp(*, host: str, port: int) -> None:
    """Serve SFTP; several of these may listen on one port."""
    _run("gateway.sftp.server", "run_sftp", Process.SFTP, host=host, port=port)


def _run(module: str, loop: str, process: Process, **where: Any) -> None:
    journal.configure()
    run = getattr(import_module(module), loop)
    run(Settings.load(environment(), process), told_to_stop(), **where)
