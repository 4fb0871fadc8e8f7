"""Finding other people's programs. Without one a build fails; on a laptop the tests say why they
skip.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def require(program: str, package: str) -> str:
    """The path of a program, which a Debian package brings; servers' may not be on the PATH."""
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        missing(f"{program} is not installed (Debian: {package})")
    return str(path)


def missing(reason: str) -> None:
    """End the test: as a failure in CI, where nothing may be skipped in silence."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def run(*command: str | Path, given: bytes = b"") -> bytes:
    """Run a program to its good end; answer its output."""
    done = subprocess.run(
        [str(part) for part in command], input=given, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout
