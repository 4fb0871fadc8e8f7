"""Clocks of single processes that jump, by libfaketime; the machine's own clock is left alone.

Only what a clock says of the day is changed. What a process measures spans of time by goes on
evenly, as it does when an operator or a time server sets a clock.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

STARTUP = Path(__file__).parent / "startup"
PROGRAM = "faketime"
SHARED = Path("/dev/shm")
_OF_A_PROCESS = re.compile(r"(?:sem\.)?faketime_(?:sem|shm)_(\d+)")


class Clocks:
    """One for each process, by its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        _forget_the_dead()
        self._library = _library() if can_jump() else None

    def environ(self, name: str) -> dict[str, str]:
        """What a process is started with so that its clock can jump, where that can be had."""
        if self._library is None:
            return {}
        self.set(name, "+0")
        return {
            "LD_PRELOAD": self._library,
            "PYTHONPATH": os.pathsep.join([str(STARTUP), os.environ.get("PYTHONPATH", "")]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file(name)),
            "FAKETIME_CACHE_DURATION": "1",  # seconds after which the file is looked at again
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, name: str, offset: str) -> None:
        """Have a clock jump: "+1d", "-1d", or "+0" for what it should be."""
        new = self._file(name).with_suffix(".new")
        new.write_text(f"{offset}\n")
        new.replace(self._file(name))

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.clock"


def can_jump() -> bool:
    """Whether libfaketime is on this machine."""
    return shutil.which(PROGRAM) is not None


def _library() -> str:
    """Where libfaketime is, as its own command tells the programs that it starts."""
    told = subprocess.run(
        [PROGRAM, "-f", "+0", "printenv", "LD_PRELOAD"],
        capture_output=True,
        check=True,
        text=True,
    )
    return told.stdout.strip()


def _forget_the_dead() -> None:
    """Remove what libfaketime shared for processes that are no more.

    It leaves that behind, and a process that gets the number of such a one would end at its start.
    """
    for path in SHARED.glob("*faketime_*"):
        found = _OF_A_PROCESS.fullmatch(path.name)
        if found is not None and not Path("/proc", found[1]).exists():
            path.unlink(missing_ok=True)
