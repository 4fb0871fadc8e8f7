"""Run a program to its end and keep what it said: initdb, the object store's shell, useradd."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from gateway.embedded.account import Account

PLAIN_ENVIRON = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}
"""What a program may know of the shell it was started from: nothing. AWS_* and PG* variables would
change how the servers behave."""

SECONDS = 120


def run_once(
    command: tuple[str, ...],
    *,
    said: str = "",
    account: Account | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path = Path("/"),
) -> "subprocess.CompletedProcess[str]":
    """Run `command` as `account`, with `said` on its stdin; the caller judges its exit status."""
    return subprocess.run(  # noqa: S603 - the program is a wheel's or the system's, by full path
        command,
        input=said,
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        env={**PLAIN_ENVIRON, **(environ or {})},
        cwd=folder,
        umask=0o077,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,  # root's other groups would go along
    )
