"""A witness (c2sp.org/tlog-witness): cosigns what extends all that it cosigned before.

Knows some logs by their keys, and of each the size and root that it cosigned last: that is all its
state. It keeps them durably before its cosignature leaves, so that it can never cosign a fork, not
even after a crash. It reads no entry and needs no trust in the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock

from audit.checkpoint import Checkpoint, claimed_checkpoint
from audit.cosignature import Cosigner
from audit.errors import AuditError, EvidenceRefused, ProofRefused
from audit.keyring import LogKeys
from audit.memory import FileMemory
from audit.merkle import EMPTY_ROOT, verify_consistency
from audit.noteform import MAX_NOTE_BYTES
from audit.numerals import read_numeral
from audit.text64 import decode_hashes, encode64

MOST_HASHES = 63
MOST_REQUEST_BYTES = MAX_NOTE_BYTES + 8192


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """What is asked of a witness: to cosign a checkpoint that extends one of `old_size`."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def to_bytes(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old_size}", *(encode64(node) for node in self.proof), "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    @classmethod
    def from_bytes(cls, body: bytes) -> "AddCheckpoint":
        """Read the body of a request; raises EvidenceRefused."""
        head, divider, note = body.partition(b"\n\n")
        try:
            first, *rest = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise EvidenceRefused("the request is not ASCII") from None
        old = read_numeral(first.removeprefix("old ")) if first.startswith("old ") else None
        if not divider or old is None or len(rest) > MOST_HASHES:
            raise EvidenceRefused("the request is not: old size, proof, checkpoint")
        hashes = decode_hashes(rest)
        if hashes is None:
            raise EvidenceRefused("a line of the proof is no hash")
        return cls(old, hashes, note)


class NotCosigned(AuditError):
    """A witness's refusal; `status` is that of its answer, `size` what it has cosigned."""

    code = "not-cosigned"

    def __init__(self, status: int, message: str, *, size: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.size = size


class Witness:
    """One witness of some logs, with its memory in a folder of its own."""

    def __init__(self, cosigner: Cosigner, logs: Mapping[str, LogKeys], folder: Path) -> None:
        self._cosigner = cosigner
        self._logs = logs
        self._folder = folder
        self._lock = Lock()

    def add_checkpoint(self, request: AddCheckpoint, *, now: datetime) -> str:
        """The cosignature line for a checkpoint; raises NotCosigned."""
        checkpoint = self._verified(request.checkpoint)
        if request.old_size > checkpoint.size:
            raise NotCosigned(400, "the old size is larger than the checkpoint's")
        with self._lock:
            last = self.last(checkpoint.origin)
            if request.old_size != last.size:
                raise NotCosigned(409, "the old size is another than was cosigned", size=last.size)
            self._require_growth(last, checkpoint, request.proof)
            if checkpoint != last:
                self._memory(checkpoint.origin).keep(checkpoint)
            return self._cosigner.cosign(checkpoint.to_text(), now)

    def last(self, origin: str) -> Checkpoint:
        """What was cosigned last of a log; the empty tree before the first."""
        return self._memory(origin).recall() or Checkpoint(origin, 0, EMPTY_ROOT)

    def _verified(self, note: bytes) -> Checkpoint:
        try:
            claimed = claimed_checkpoint(note)
        except EvidenceRefused as error:
            raise NotCosigned(400, str(error)) from error
        if claimed.origin not in self._logs:
            raise NotCosigned(404, "this log is not witnessed here")
        try:
            return self._logs[claimed.origin].checkpoint(note)
        except EvidenceRefused as error:
            raise NotCosigned(403, "the log has not signed this checkpoint") from error

    def _require_growth(self, last: Checkpoint, new: Checkpoint, proof: tuple[bytes, ...]) -> None:
        if last.size == new.size and last.root != new.root:
            raise NotCosigned(409, "another root was cosigned at this size", size=last.size)
        if last.size in {0, new.size}:
            if proof:
                raise NotCosigned(422, "there is nothing to prove")
            return
        try:
            verify_consistency(
                proof,
                old_size=last.size,
                new_size=new.size,
                old_root=last.root,
                new_root=new.root,
            )
        except ProofRefused as error:
            raise NotCosigned(422, str(error)) from error

    def _memory(self, origin: str) -> FileMemory:
        # An origin may hold any character; its hash is always the name of a file.
        name = sha256(origin.encode()).hexdigest()[:32]
        return FileMemory(self._folder / f"{name}.checkpoint")
