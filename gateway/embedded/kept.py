"""The owner's handle on one kept server program: start, stop for certain, kill for crash tests.

A keeper process (`keeper.py`) stands between: PR_SET_PDEATHSIG alone would fire when the starting
*thread* ends, does not exist on macOS, and needs a `preexec_fn`, which is unsafe under threads.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway.embedded.account import Account
from gateway.embedded.errors import DidNotStart, FolderInUse
from gateway.embedded.keeper import KILL_COMMAND
from gateway.embedded.once import PLAIN_ENVIRON

KEEPER = Path(__file__).with_name("keeper.py")
PATIENCE = 15.0
"""Seconds to wait for the processes of an earlier owner, which may just be stopping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is to run, where, as whom and how it is asked to stop."""

    name: str
    command: tuple[str, ...]
    folder: Path
    stop_signal: signal.Signals
    environ: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    grace: float = 15.0

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folder / "server.log"


class Kept:
    """A program that runs until `stop` or until this process ends, whichever is first."""

    def __init__(self, program: Program) -> None:
        """Start it; raise FolderInUse or DidNotStart. It may not answer requests yet."""
        self._program = program
        self._keeper = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            # -I -S: no environment, no site packages; nothing but the standard library.
            [sys.executable, "-I", "-S", str(KEEPER), _plan(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environ(program),
            cwd="/",
            start_new_session=True,  # Ctrl-C must reach us first, and the database last
        )
        self.pid = self._started()

    def running(self) -> bool:
        """Whether the program has not ended yet."""
        return self._keeper.poll() is None

    def stop(self) -> None:
        """Ask it to end and wait until it has; after the grace it is killed."""
        self._end(b"")

    def kill(self) -> None:
        """End it as `kill -9` would, and wait until it is gone."""
        self._end(KILL_COMMAND)

    def _started(self) -> int:
        assert self._keeper.stdout is not None
        word, _, pid = self._keeper.stdout.readline().decode().strip().partition(" ")
        if word == "started":
            return int(pid)
        _, said = self._keeper.communicate()
        if word == "in-use":
            raise FolderInUse(self._program.folder)
        detail = said.decode(errors="replace")[-2000:]
        raise DidNotStart(self._program.name, self._program.log, detail=detail)

    def _end(self, command: bytes) -> None:
        try:
            # Closing stdin is the order to stop; the keeper may have ended by itself.
            with suppress(BrokenPipeError):
                self._keeper.communicate(command, timeout=self._program.grace + 5)
        except subprocess.TimeoutExpired:
            self._keeper.kill()  # which kills the program too, where the kernel offers it
            self._keeper.communicate()


def _plan(program: Program) -> str:
    account = program.account
    return json.dumps(
        {
            "command": program.command,
            "folder": str(program.folder),
            "lock": str(program.folder / "keeper.pid"),
            "log": str(program.log),
            "stop_signal": int(program.stop_signal),
            "grace": program.grace,
            "patience": PATIENCE,
            "uid": account.uid if account else None,
            "gid": account.gid if account else None,
        }
    )


def _environ(program: Program) -> dict[str, str]:
    return {**PLAIN_ENVIRON, "HOME": str(program.folder), **program.environ}
