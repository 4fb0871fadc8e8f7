"""The signer: the log's key, and the right edge of the tree that it signed last.

It is given leaf hashes and never a root: it adds them to its own edge and signs what comes out. So
it cannot sign a fork, whatever the store holds and whoever asks. What it is about to sign is on the
disk before the signature leaves it, and its disk is no part of the store's backups: a store put
back to last week's state is in itself consistent, and only somebody outside it can tell that
signing on from there would contradict checkpoints which others already hold.

A crash may come between signing and storing. Then what was signed is owed: exactly those leaves are
to be stored before any others, and until then the same signature is given again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.durable import replace_file
from audit.edge import RightEdge
from audit.errors import LogDoesNotFit
from audit.keyring import LogKeys
from audit.keys import Signer
from audit.merkle import HASH_BYTES
from audit.text64 import decode_hashes, encode64

MOST_LEAVES = 8192
"""Leaf hashes in one batch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Leaf hashes that are added to a tree of `base` leaves."""

    base: int
    leaves: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """The leaves of the tree with them."""
        return self.base + len(self.leaves)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able facts."""
        return {"base": self.base, "leaves": [encode64(leaf) for leaf in self.leaves]}

    @classmethod
    def from_dict(cls, told: Any) -> "Batch":
        """The batch that `to_dict` told; raises ValueError, KeyError or TypeError."""
        base, leaves = told["base"], _hashes(told["leaves"])
        if type(base) is not int:
            raise ValueError("no size")
        return cls(base, leaves)


class Owed(LogDoesNotFit):
    """Another batch was signed at this size, and never stored: it comes first."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(f"{len(batch.leaves)} leaves from {batch.base} on were signed before")
        self.batch = batch


class TreeSigner(Protocol):
    """Whoever holds the log's key and knows what it signed."""

    @property
    def keys(self) -> LogKeys:
        """The keys under which the log is verified; their name is its origin."""

    def sign(self, batch: Batch) -> bytes:
        """Return the signed checkpoint of the tree with this batch.

        Raises Owed where another batch was signed at its base, and LogDoesNotFit where the tree
        that was signed is of another size.
        """


class SignedEdge:
    """A tree signer with its state in one file.

    Where there are several signing keys, all sign: so a log passes from one to the next.
    """

    def __init__(self, signers: Sequence[Signer], path: Path) -> None:
        """Raises LogDoesNotFit where the file is of another log, or damaged.

        Without the file the log begins.
        """
        self._signers = tuple(signers)
        self._path = path
        self._origin = signers[0].name
        self._edge, self._last = RightEdge(), Batch(0, ())
        if path.exists():
            self._edge, self._last = _read(path.read_bytes(), self._origin)

    @property
    def keys(self) -> LogKeys:
        """The keys that sign."""
        return LogKeys(tuple(signer.verifier for signer in self._signers))

    @property
    def last(self) -> Checkpoint:
        """What was signed last; the empty tree before the first."""
        return Checkpoint(self._origin, self._edge.size, self._edge.root())

    def sign(self, batch: Batch) -> bytes:
        """Return the signed checkpoint of the tree with this batch; raises Owed, LogDoesNotFit."""
        last = self._last
        if batch == last and last.leaves:
            return sign_checkpoint(self.last, *self._signers)
        if batch.base == last.base < last.size:
            raise Owed(last)
        if batch.base < last.size:
            raise LogDoesNotFit("the store is older than what was signed: a backup was restored")
        if batch.base > last.size:
            raise LogDoesNotFit("the store is ahead of what was signed: another signer was at work")
        if not 0 < len(batch.leaves) <= MOST_LEAVES or _odd(batch.leaves):
            raise LogDoesNotFit("a batch is some leaf hashes, and not more than fit")
        replace_file(self._path, _written(self._origin, self._edge, batch))
        _extend(self._edge, batch)
        self._last = batch
        return sign_checkpoint(self.last, *self._signers)

    def adopt(self, edge: RightEdge) -> None:
        """Go on from a tree that was verified otherwise; raises LogDoesNotFit if one was signed."""
        if self._path.exists():
            raise LogDoesNotFit(f"{self._path} remembers what was signed already")
        nothing = Batch(edge.size, ())
        replace_file(self._path, _written(self._origin, edge, nothing))
        self._edge, self._last = edge, nothing


def _extend(edge: RightEdge, batch: Batch) -> None:
    for _ in edge.extend(batch.leaves):
        pass  # full tiles are the store's to keep


def _odd(hashes: Sequence[bytes]) -> bool:
    return any(len(each) != HASH_BYTES for each in hashes)


def _written(origin: str, before: RightEdge, last: Batch) -> bytes:
    levels = [[encode64(each) for each in level] for level in before.levels]
    return json.dumps({"origin": origin, "levels": levels, **last.to_dict()}).encode()


def _read(data: bytes, origin: str) -> tuple[RightEdge, Batch]:
    """The edge with the last batch, and that batch."""
    try:
        state = json.loads(data)
        named, last = state["origin"], Batch.from_dict(state)
        levels = [_hashes(level) for level in state["levels"]]
    except (ValueError, KeyError, TypeError):
        raise LogDoesNotFit("the memory of what was signed is damaged") from None
    if named != origin:
        raise LogDoesNotFit("the memory belongs to another log")
    edge = RightEdge(last.base, levels)
    _extend(edge, last)
    return edge, last


def _hashes(texts: Any) -> tuple[bytes, ...]:
    hashes = decode_hashes(texts)
    if hashes is None:
        raise ValueError("no hash")
    return hashes
