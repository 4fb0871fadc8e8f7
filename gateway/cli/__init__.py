"""The command `gateway`: one file a noun, each loaded only when it is asked for.

What an agency or an auditor uses needs no server part. stdout is data, stderr is talk.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click

from gateway.cli.environment import read_environment
from gateway.cli.failures import report_failure
from gateway.cli.nouns import Noun

AT_A_DESK = {
    "keys": "keys",
    "package": "package",
    "template": "template",
    "validate": "validate",
    "pseudonymise": "pseudonymise",
    "convert": "convert",
    "standard": "standard",
    "submit": "submit",
    "submissions": "submissions",
    "dry-runs": "dryruns",
    "report": "report",
    "receipt": "receipt",
    "release": "release",
    "unseal": "unseal",
    "rewrap": "rewrap",
    "audit": "audit",
    "witness": "witness",
}
"""What agencies, auditors and analysts use: each command and the module here that holds it."""

ON_THE_MACHINES = {
    "agency": "agency",
    "certificate": "certificate",
    "token": "token",
    "sshkey": "sshkey",
    "failed": "failed",
    "mail": "mail",
    "log": "log",
    "migrate": "migrate",
    "web": "web",
    "sftp": "sftp",
    "worker": "worker",
    "sequencer": "sequencer",
    "mirror": "mirror",
    "signer": "signer",
    "serve": "serve",
}
"""Likewise what only the gateway's machines need, whose libraries an agency does not install."""

PARTS = (("At a desk", AT_A_DESK), ("On the gateway's machines", ON_THE_MACHINES))
COMMANDS = {**AT_A_DESK, **ON_THE_MACHINES}


class _Lazy(Noun):
    """Loads a command's module when the command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command that is installed, in the order of the table."""
        del ctx
        return list(COMMANDS if find_spec("sqlalchemy") else AT_A_DESK)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list in two parts: by far the most readers need the first alone."""
        names = self.list_commands(ctx)
        for title, part in PARTS:
            self.write_commands(ctx, formatter, title, [name for name in names if name in part])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        try:
            module = import_module(f"gateway.cli.{COMMANDS[cmd_name]}")
        except ModuleNotFoundError as missing:
            return _not_installed(cmd_name, missing)
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


def _not_installed(name: str, missing: ModuleNotFoundError) -> click.Command:
    """Stands in for a command of the server part where only the light part is installed."""

    def tell() -> None:
        raise missing

    return click.Command(
        name,
        callback=tell,
        help="Needs the server part, which is not installed here.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ctds-gateway", prog_name="gateway")
@click.option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read settings from this file of NAME=value lines; the environment itself goes first.",
)
@click.pass_context
def cli(ctx: click.Context, env_file: Path | None) -> None:
    """Send data on child victims of trafficking safely, and check what became of it."""
    ctx.obj = read_environment(env_file)


def main() -> None:
    """Run a command; any foreseen failure ends in two lines and a status, never in a trace."""
    try:
        cli(prog_name="gateway", standalone_mode=False)
    except Exception as error:  # noqa: BLE001 - the one place where everything foreseen ends
        sys.exit(report_failure(error))
