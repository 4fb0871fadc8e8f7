"""Checkpoints (c2sp.org/tlog-checkpoint): what a log signs, and so can be held to.

Origin, size and root in three lines. Two things are stricter than the specification: the name of
the signing key must be the origin, so that a key trusted for one log cannot vouch for another, and
extension lines are refused, because no proof covers what they say.
"""

from dataclasses import dataclass
from typing import Protocol

from audit.errors import CheckpointRefused
from audit.merkle import EMPTY_ROOT, HASH_BYTES
from audit.note import Verifier, open_note
from audit.noteform import is_key_name, split_note
from audit.numerals import read_numeral
from audit.text64 import decode64, encode64


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One state of one log."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def verify(cls, raw: bytes, *, verifier: Verifier) -> "Checkpoint":
        """The checkpoint in a note signed by the log's key.

        Raises NoteMalformed, NoteUntrusted, SignatureRefused or CheckpointRefused.
        """
        checkpoint = cls.from_text(open_note(raw, [verifier]).text)
        if checkpoint.origin != verifier.name:
            raise CheckpointRefused("the checkpoint is of another log than its key")
        return checkpoint

    @classmethod
    def from_text(cls, text: str) -> "Checkpoint":
        """Read the text of a note whose signature was checked elsewhere."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3]:
            raise CheckpointRefused("a checkpoint is three lines: origin, size and root")
        origin, size, root = lines[0], read_numeral(lines[1]), decode64(lines[2])
        if not is_key_name(origin) or size is None or root is None or len(root) != HASH_BYTES:
            raise CheckpointRefused("origin, size or root of the checkpoint is malformed")
        if size == 0 and root != EMPTY_ROOT:
            raise CheckpointRefused("an empty tree has only one root")
        return cls(origin, size, root)

    def to_text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{encode64(self.root)}\n"


class NoteSigner(Protocol):
    """A log's signing key, such as `audit.keys.Signer`."""

    @property
    def name(self) -> str:
        """The key's name, which is the log's origin."""

    @property
    def verifier(self) -> Verifier:
        """The public half."""

    def sign(self, text: str) -> str:
        """The signature line over a note's text."""


def sign_checkpoint(checkpoint: Checkpoint, *signers: NoteSigner) -> bytes:
    """The note, signed by each. Whoever calls has made sure that it extends all signed before."""
    if any(checkpoint.origin != signer.name for signer in signers):
        raise CheckpointRefused("the key belongs to another log than the checkpoint")
    text = checkpoint.to_text()
    Checkpoint.from_text(text)
    return f"{text}\n{''.join(signer.sign(text) for signer in signers)}".encode()


def claimed_checkpoint(raw: bytes) -> Checkpoint:
    """What a note claims, unverified: for the log's own server, which only needs to know the size.

    Nothing may be believed because of it.
    """
    return Checkpoint.from_text(split_note(raw).text)
