"""The newest checkpoint that a witness has cosigned of a log, in a file."""

from pathlib import Path

from audit.checkpoint import Checkpoint
from audit.durable import replace_file


class FileMemory:
    """The newest checkpoint in a file, replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recall(self) -> Checkpoint | None:
        """The checkpoint in the file, or None where there is no file."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return Checkpoint.from_text(text)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Replace the file; what it held survives a crash until the new one is on the disk."""
        replace_file(self._path, checkpoint.to_text().encode())
