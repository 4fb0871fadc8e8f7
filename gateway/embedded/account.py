"""Whom PostgreSQL runs as when we are root.

PostgreSQL refuses to run as root. An ordinary user runs it as itself. Root runs it as the system
account `gateway-postgres`, made on first use: no shell, no home, no password. `passage.py` lets
that account, and nobody else, reach its files.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass

from gateway.embedded.errors import NoAccount

NAME = "gateway-postgres"


@dataclass(frozen=True, slots=True)
class Account:
    """A system account that runs a server."""

    name: str
    uid: int
    gid: int


def service_account() -> Account | None:
    """The account to run PostgreSQL as; None where we are not root and run it ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        return _look_up()
    except KeyError:
        return _make()


def _look_up() -> Account:
    entry = pwd.getpwnam(NAME)
    return Account(NAME, entry.pw_uid, entry.pw_gid)


def _make() -> Account:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise NoAccount(NAME, detail="useradd is not on this machine")
    flags = ("--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin")
    made = subprocess.run(  # noqa: S603 - the system's useradd, by full path
        (useradd, *flags, "--home-dir", "/nonexistent", NAME),
        check=False,
        capture_output=True,
        text=True,
    )
    try:
        return _look_up()  # whatever useradd answered: another process may have been first
    except KeyError:
        raise NoAccount(NAME, detail=made.stderr) from None
