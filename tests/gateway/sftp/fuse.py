"""A gateway's tree as a folder of this machine, by sshfs, where this machine lets anybody mount.

The rule: to mount takes /dev/fuse and CAP_SYS_ADMIN, and many containers have neither. Where both
are there, sshfs must be too and the mount must succeed, in CI as elsewhere. Where one is missing
nobody could have run the test, so it is skipped and says so, in CI as well.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crypto.peers.programs import require
from tests.gateway.sftp.conftest import Person

CAP_SYS_ADMIN = 21


def why_not() -> str | None:
    """What forbids FUSE here; None where it can be mounted."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"/dev/fuse cannot be opened: {error.strerror}"
    status = Path("/proc/self/status").read_text("ascii")
    [held] = [line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")]
    if not int(held, 16) >> CAP_SYS_ADMIN & 1:
        return "CAP_SYS_ADMIN, which a mount takes, is not given here"
    return None


@contextmanager
def mounted(person: Person) -> Iterator[Path]:
    """The tree at a folder, until the end of the block."""
    reason = why_not()
    if reason is not None:
        pytest.skip(f"FUSE cannot be mounted: {reason}")
    folder = person.folder / "gateway"
    folder.mkdir()
    ssh = " ".join(["ssh", *person.options])
    program = require("sshfs", "sshfs")
    options = ["-p", str(person.door.port), "-o", f"ssh_command={ssh}", "-o", "dir_cache=no"]
    with subprocess.Popen([program, "-f", *options, "ctds@127.0.0.1:/", str(folder)]) as process:
        try:
            deadline = time.monotonic() + 20
            while not folder.is_mount():
                assert process.poll() is None, "sshfs could not mount"
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield folder
        finally:
            # Also where a test failed: a mount that is left would hold its folder for ever.
            subprocess.run(["fusermount3", "-u", "-z", str(folder)], check=False, timeout=20)
            process.wait(timeout=20)
