"""A disk that fills up: a small file system where one may be mounted, else a limit on files.

Both give a process the same thing, a write that fails in the middle of its work.
"""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SIZE = 4 << 20
BESIDE = 64 << 10
"""Where only files can be limited: by how much one may be larger than the journal is."""


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """The folder of the spool."""

    folder: Path
    mounted: bool

    @classmethod
    @contextmanager
    def at(cls, folder: Path) -> Iterator["SmallDisk"]:
        """A disk of 4 MiB at a folder, which is a folder again afterwards."""
        mounted = _mount(folder)
        folder.chmod(0o700)
        try:
            yield cls(folder, mounted)
        finally:
            if mounted:
                subprocess.run(["umount", "--lazy", str(folder)], check=True)

    @contextmanager
    def full(self, writer: int, *, left: int) -> Iterator[int]:
        """Within the block the process `writer` has room for hardly more than `left` octets there.

        Gives the size of a file for which there is certainly no room.
        """
        full = _filled(self.folder, left) if self.mounted else _limited(writer)
        with full as room:
            yield room + 1


def _mount(folder: Path) -> bool:
    if os.geteuid() != 0:
        return False
    options = f"size={SIZE},mode=700"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@contextmanager
def _filled(folder: Path, left: int) -> Iterator[int]:
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            status = os.statvfs(folder)
            file.write(bytes(max(0, status.f_bavail * status.f_frsize - left)))
        yield left
    finally:
        filler.unlink()


@contextmanager
def _limited(writer: int) -> Iterator[int]:
    """Its journal must go on; that is a file as well."""
    room = Path(f"/proc/{writer}/fd/1").stat().st_size + BESIDE
    before = resource.prlimit(writer, resource.RLIMIT_FSIZE)
    resource.prlimit(writer, resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield room
    finally:
        resource.prlimit(writer, resource.RLIMIT_FSIZE, before)
