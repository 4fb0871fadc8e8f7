"""Runs one server program and sees to it that the program never outlives its owner.

Started by `kept.py` as a script of its own, with the standard library only, so that it is up in
some 20 ms. It holds a lock on the data folder, starts the program, says so on stdout, and waits.
The program is stopped when

1. the owner asks for it by closing our stdin, or dies, which closes it too;
2. our parent is no longer the owner (a fork of the owner may still hold the pipe open);
3. somebody sends us SIGTERM, SIGINT or SIGHUP.

Where the kernel offers it (Linux), the program is also killed when this script is killed. A polite
signal first, SIGKILL after a grace. The lock is inherited by the program, so that it is held until
the last of its processes has ended, even those that a `kill -9` orphaned.
"""

import ctypes
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
KILL_COMMAND = b"K"
LOG_LIMIT = 16 << 20


def main() -> int:
    """Keep the program described by the JSON in the first argument; return its exit status."""
    plan = json.loads(sys.argv[1])
    owner = os.getppid()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    lock = take_lock(plan["lock"], patience=plan["patience"])
    if lock is None:
        say("in-use")
        return 1
    adopt_orphans()
    server = start(plan, lock)
    say(f"started {server.pid}")
    guard = threading.Thread(target=guarding, args=(server, plan, owner, stopping), daemon=True)
    guard.start()
    status = server.wait()
    reap_orphans()
    return status


def take_lock(path: str, *, patience: float) -> int | None:
    """An exclusive lock on `path`; None if it is still held elsewhere after `patience` seconds."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.05)
            continue
        os.ftruncate(lock, 0)
        # For `make clean`, which stops whatever an interrupted run may have left.
        os.write(lock, f"{os.getpid()}\n".encode())
        return lock


def start(plan: dict[str, Any], lock: int) -> "subprocess.Popen[bytes]":
    """The program, in a session of its own, out of reach of the terminal's Ctrl-C."""
    with open_log(plan["log"]) as log:
        return subprocess.Popen(  # noqa: S603 - the plan is our owner's
            plan["command"],
            cwd=plan["folder"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=plan["uid"],
            group=plan["gid"],
            extra_groups=None if plan["uid"] is None else [],
            umask=0o077,
            start_new_session=True,
            pass_fds=(lock,),
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - no thread runs yet
        )


def open_log(path: str) -> Any:
    """The log, continued; a large one is put aside at a start, so that two are kept at most."""
    if os.path.exists(path) and os.path.getsize(path) > LOG_LIMIT:
        os.replace(path, f"{path}.old")
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def die_with_parent() -> Callable[[], None] | None:
    """What the child does before it becomes the program: ask to be killed when we are (Linux)."""
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we were killed before the arrangement stood
            os._exit(1)

    return arrange


def adopt_orphans() -> None:
    """Become the parent of processes that the program leaves behind (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def reap_orphans() -> None:
    """Wait until they have ended: backends of a killed PostgreSQL notice it and follow."""
    with suppress(ChildProcessError):
        while True:
            os.wait()


def guarding(
    server: "subprocess.Popen[bytes]", plan: dict[str, Any], owner: int, stopping: threading.Event
) -> None:
    """Watch the owner; then stop the server, politely at first."""
    while not stopping.is_set() and os.getppid() == owner:
        if select.select([0], [], [], 0.25)[0]:
            if os.read(0, 1) == KILL_COMMAND:
                server.kill()
            break
    server.send_signal(plan["stop_signal"])
    time.sleep(plan["grace"])
    server.kill()


def say(line: str) -> None:
    """One line to the owner, if it is still there to read it."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        sys.stdout = None  # the guard sees the same thing and stops the server


if __name__ == "__main__":
    sys.exit(main() & 0xFF)
