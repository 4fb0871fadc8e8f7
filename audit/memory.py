"""What the log signed last, kept where a restored backup of the store cannot reach.

A store put back to last week's state is in itself consistent: only a memory outside it can tell
that signing on from there would contradict checkpoints which others already hold.
"""

from pathlib import Path
from typing import Protocol

from audit.checkpoint import Checkpoint
from audit.durable import replace_file
from audit.errors import LogDoesNotFit
from audit.store import LogStore
from audit.tiles import StoreSource
from audit.tree import TileTree


class SignedMemory(Protocol):
    """The newest checkpoint that was published."""

    def recall(self) -> Checkpoint | None:
        """The checkpoint kept last, or None before the first."""

    def keep(self, checkpoint: Checkpoint) -> None:
        """Keep a newer checkpoint, durably."""


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


def require_remembered(store: LogStore, head: Checkpoint, memory: SignedMemory) -> Checkpoint:
    """Return the head, which provably extends what is remembered, or raise LogDoesNotFit."""
    last = memory.recall()
    if last is None or last == head:
        return head
    if last.origin != head.origin:
        raise LogDoesNotFit("the memory belongs to another log")
    if last.size > head.size:
        raise LogDoesNotFit("the store is older than what was signed: a backup was restored")
    # The head is ahead when a crash came between publishing and remembering.
    if TileTree(last.size, StoreSource(store)).root() != last.root:
        raise LogDoesNotFit("the store does not extend what was signed: the log was rewritten")
    return head
