"""`gateway web`: the process behind the proxy."""

import click

from gateway import journal
from gateway.cli.environment import environment
from gateway.settings import Process, Settings
from gateway.web.server import run_web


@click.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="Or unix:/path.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--threads", type=click.IntRange(1, 256), default=16, show_default=True)
def web(*, bind: str, workers: int, threads: int) -> None:
    """Serve the HTTPS API, behind a proxy that ends TLS."""
    journal.configure()
    settings = Settings.load(environment(), Process.WEB)
    run_web(settings, bind=bind, workers=workers, threads=threads)
