"""The keys of one log over the years: the pinned ones, and those that they handed over to.

A handover is a note that the old key signs, and the new one to show that it is there:

    ctds-gateway.log-handover.v1
    <origin>
    <size>
    <root, base 64>
    <verifier key of the new key>
    <empty line>
    — <origin> <signature of the old key>
    — <origin> <signature of the new key>

From `size` entries on the new key signs; the old one is retired, and believed only for checkpoints
of at most that size. At that very size both mean the same root. A key is trusted because somebody
pinned it or because a trusted key handed over to it, and for nothing else: least of all because the
log shows it. Two keys may share name and key id, four bytes that an attacker can hit: which one
signed is decided by the whole key.

The file of a log's keys holds the pinned verifier keys, one a line, and then any handovers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from audit.checkpoint import Checkpoint, NoteSigner, claimed_checkpoint
from audit.errors import CheckpointRefused, HandoverRefused, NoteUntrusted, SignatureRefused
from audit.keys import Verifier
from audit.merkle import HASH_BYTES
from audit.note import open_note
from audit.noteform import split_note
from audit.numerals import read_numeral
from audit.text64 import decode64, encode64

HEADER = "ctds-gateway.log-handover.v1"
_NEXT = re.compile(rf"^(?={re.escape(HEADER)}$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Handover:
    """What an old key says of its successor, verified under the old key."""

    checkpoint: Checkpoint
    old: Verifier
    new: Verifier


def sign_handover(at: Checkpoint, *, old: NoteSigner, new: NoteSigner) -> bytes:
    """The statement that `new` signs from this checkpoint on. The caller has verified it."""
    if not at.origin == old.name == new.name:
        raise HandoverRefused("the keys are not both of this log")
    if old.verifier == new.verifier:
        raise HandoverRefused("a key is not handed over to itself")
    text = f"{HEADER}\n{at.to_text()}{new.verifier.vkey}\n"
    return f"{text}\n{old.sign(text)}{new.sign(text)}".encode()


def open_handover(raw: bytes, trusted: Sequence[Verifier]) -> Handover:
    """The handover in a note that a trusted key and its successor signed.

    Raises HandoverRefused, or an error of the note.
    """
    at, new = _read(split_note(raw).text)
    for old in trusted:
        if old.name == at.origin and old != new and _signed(raw, old):
            break
    else:
        raise HandoverRefused("no trusted key of this log has signed the handover")
    if not _signed(raw, new):
        raise HandoverRefused("the new key has not signed its handover")
    return Handover(at, old, new)


@dataclass(frozen=True, slots=True)
class LogKeys:
    """Every key that may have signed for a log, and for which sizes."""

    pinned: tuple[Verifier, ...]
    handovers: tuple[Handover, ...] = ()

    @classmethod
    def from_text(cls, text: str) -> "LogKeys":
        """Read the file form; each handover by a key that came before. Raises KeyRefused,
        HandoverRefused or an error of a note."""
        first, *notes = _NEXT.split(text)
        pinned = tuple(Verifier.from_vkey(line.strip()) for line in first.split("\n") if line)
        known, handovers = list(pinned), []
        for note in notes:
            handover = open_handover(f"{note.rstrip()}\n".encode(), known)
            handovers.append(handover)
            known.append(handover.new)
        if not pinned or len({key.name for key in known}) > 1:
            raise HandoverRefused("the file does not hold the keys of one log")
        return cls(pinned, tuple(handovers))

    @property
    def keys(self) -> tuple[Verifier, ...]:
        """The keys, the newest last."""
        return (*self.pinned, *(handover.new for handover in self.handovers))

    def checkpoint(self, raw: bytes) -> Checkpoint:
        """The checkpoint in a note that one of the keys signed while it held.

        Raises CheckpointRefused where it was retired or not yet in force, or an error of the note.
        """
        checkpoint, signers = self._opened(raw)
        if not any(self._holds(key, checkpoint) for key in signers):
            raise CheckpointRefused("the key that signed did not hold for a log of this size")
        self._require_handed_over(checkpoint)
        return checkpoint

    def signed(self, raw: bytes) -> Checkpoint:
        """The same, also by a key that was retired or not yet in force: it signed, all the same.

        For accusations alone. Whoever signs with a retired key forks the log as well.
        """
        return self._opened(raw)[0]

    def _opened(self, raw: bytes) -> tuple[Checkpoint, list[Verifier]]:
        signers = [key for key in self.keys if self._has_signed(raw, key)]
        if not signers:
            raise NoteUntrusted("no trusted key has signed this note")
        return Checkpoint.verify(raw, verifier=signers[-1]), signers

    def _has_signed(self, raw: bytes, key: Verifier) -> bool:
        try:
            return _signed(raw, key)
        except SignatureRefused:
            # Condemns the note, unless it is the signature of another key of the same id.
            twins = [other for other in self.keys if _same_id(other, key) and other != key]
            if any(_verifies(raw, twin) for twin in twins):
                return False
            raise

    def _holds(self, key: Verifier, checkpoint: Checkpoint) -> bool:
        for handover in self.handovers:
            if handover.old == key and checkpoint.size > handover.checkpoint.size:
                return False
            if handover.new == key and checkpoint.size < handover.checkpoint.size:
                return False
        return True

    def _require_handed_over(self, checkpoint: Checkpoint) -> None:
        for handover in self.handovers:
            at = handover.checkpoint
            if at.size == checkpoint.size and at != checkpoint:
                raise CheckpointRefused("the checkpoint is not the one that was handed over at")


def open_checkpoint(raw: bytes, trusted: Verifier | LogKeys) -> Checkpoint:
    """The checkpoint in a note by a key or one of the keys of a log."""
    if isinstance(trusted, LogKeys):
        return trusted.checkpoint(raw)
    return Checkpoint.verify(raw, verifier=trusted)


def handover_at(raw: bytes, *, old: NoteSigner, new: NoteSigner) -> bytes:
    """The handover at a signed checkpoint; raises an error of the note unless `old` signed it."""
    Checkpoint.verify(raw, verifier=old.verifier)
    return sign_handover(claimed_checkpoint(raw), old=old, new=new)


def _read(text: str) -> tuple[Checkpoint, Verifier]:
    lines = text.split("\n")
    if len(lines) != 6 or lines[0] != HEADER or lines[5]:
        raise HandoverRefused("this is not a handover of a log's key")
    size, root = read_numeral(lines[2]), decode64(lines[3])
    new = Verifier.from_vkey(lines[4])
    if size is None or root is None or len(root) != HASH_BYTES or new.name != lines[1]:
        raise HandoverRefused("origin, size, root or key of the handover is malformed")
    return Checkpoint.from_text(f"{lines[1]}\n{size}\n{encode64(root)}\n"), new


def _signed(raw: bytes, key: Verifier) -> bool:
    try:
        open_note(raw, [key])
    except NoteUntrusted:
        return False
    return True


def _verifies(raw: bytes, key: Verifier) -> bool:
    try:
        return _signed(raw, key)
    except SignatureRefused:
        return False


def _same_id(one: Verifier, other: Verifier) -> bool:
    return (one.name, one.key_id) == (other.name, other.key_id)
