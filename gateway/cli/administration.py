"""What the administrators' commands share: the services, and who is acting.

These commands run on the gateway's own machine. Whoever may read its settings may administer; the
audit log holds a pseudonym of the account that did.
"""

import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path

import click

from audit.entry import Reason
from gateway.cli.environment import environment
from gateway.records import SCOPES, Principal, Role
from gateway.settings import Process, Settings
from gateway.wiring.admin import AdminServices, admin_services

reason_option = click.option(
    "--reason",
    type=click.Choice([reason.value for reason in Reason]),
    callback=lambda _, __, given: None if given is None else Reason(given),
    help="Why; it stands in the audit log.",
)


@contextmanager
def administration() -> Iterator[AdminServices]:
    """The services of an administrator, closed afterwards."""
    services = admin_services(Settings.load(environment(), Process.ADMIN))
    try:
        yield services
    finally:
        services.database.dispose()


def administrator() -> Principal:
    """The account that runs this command."""
    return Principal(
        subject=_account(),
        role=Role.ADMINISTRATOR,
        scopes=SCOPES[Role.ADMINISTRATOR],
        auth_method="cli",
    )


def _account() -> str:
    """Who signed in to this machine, whoever `sudo` made of them since; the kernel keeps that."""
    try:
        number = int(Path("/proc/self/loginuid").read_text("ascii"))
        return pwd.getpwuid(number).pw_name
    except (OSError, ValueError, KeyError):  # no such file, or nobody signed in
        return getuser()
