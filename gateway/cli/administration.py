"""What the administrators' commands share: the services, and who is acting.

These commands run on the gateway's own machine. Whoever may read its settings may administer; the
audit log holds a pseudonym of the account that did.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser

from gateway.cli.environment import environment
from gateway.records import SCOPES, Principal, Role
from gateway.settings import Process, Settings
from gateway.wiring import AdminServices, admin_services


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
        subject=getuser(),
        role=Role.ADMINISTRATOR,
        scopes=SCOPES[Role.ADMINISTRATOR],
        auth_method="cli",
    )
