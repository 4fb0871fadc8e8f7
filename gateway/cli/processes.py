"""`gateway web`, `sftp`, `worker`, `sequencer`, `mirror`, `migrate`: what a supervisor runs."""

from collections.abc import Callable
from functools import partial
from threading import Event

import click

from gateway import journal
from gateway.cli.administration import administration
from gateway.cli.environment import environment
from gateway.cli.output import say
from gateway.cli.stopping import told_to_stop
from gateway.mirror import run_mirror
from gateway.sequencer import run_sequencer
from gateway.settings import Process, Settings
from gateway.sftp.server import run_sftp
from gateway.web.server import run_web
from gateway.worker import run_worker


@click.command()
def migrate() -> None:
    """Bring the database to the current schema and make missing buckets; safe to repeat."""
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
    run_web(settings, bind=bind, workers=workers, threads=threads)


@click.command()
def worker() -> None:
    """Process submissions until told to stop."""
    _run(run_worker, Process.WORKER)


@click.command()
def sequencer() -> None:
    """Put entries into the audit log until told to stop; a second one stands by."""
    _run(run_sequencer, Process.SEQUENCER)


@click.command()
def mirror() -> None:
    """Copy the audit log to a bucket that keeps it, until told to stop; refuse a fork."""
    _run(run_mirror, Process.MIRROR)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=2222, show_default=True)
def sftp(*, host: str, port: int) -> None:
    """Serve SFTP; several of these may listen on one port."""
    _run(partial(run_sftp, host=host, port=port), Process.SFTP)


def _run(loop: Callable[[Settings, Event], None], process: Process) -> None:
    journal.configure()
    loop(Settings.load(environment(), process), told_to_stop())
