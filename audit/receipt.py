"""Receipts: what a sender keeps to hold the gateway to its word.

A receipt is a tlog-proof whose extra data are the bytes of the entry. They need no trust: the
entry is believed because its hash is proven to stand under a signed checkpoint. Steps:

1. The checkpoint is signed by a key of the log that held then, and is of that log.
2. The hash of the entry stands under its root, at the index given.
3. The bytes are a canonical entry.
4. Where the caller still has the ciphertext, the entry carries its SHA-256.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hmac import compare_digest

from audit.checkpoint import Checkpoint
from audit.entry import Entry
from audit.errors import ReceiptRefused
from audit.keyring import LogKeys, open_checkpoint
from audit.merkle import leaf_hash, verify_inclusion
from audit.note import Verifier
from audit.proof import TlogProof


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry, where it stands, and the proof; nothing in it is verified."""

    entry: bytes
    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def to_text(self) -> str:
        """The text form; files of it end in `.tlog-proof`."""
        return TlogProof(self.index, self.proof, self.checkpoint, self.entry).to_text()

    @classmethod
    def from_text(cls, text: str) -> "Receipt":
        """Read the text form; raises ReceiptRefused."""
        read = TlogProof.from_text(text)
        if read.extra is None:
            raise ReceiptRefused("the proof does not carry its entry")
        return cls(read.extra, read.index, read.hashes, read.checkpoint)


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """An event that provably stands in the log."""

    entry: Entry
    index: int
    checkpoint: Checkpoint


def make_receipt(entry: bytes, index: int, proof: Sequence[bytes], checkpoint: bytes) -> Receipt:
    """The receipt of an entry under a signed checkpoint."""
    return Receipt(entry, index, tuple(proof), checkpoint)


def verify_receipt(
    text: str, *, verifier: Verifier | LogKeys, ciphertext_sha256: str | None = None
) -> VerifiedReceipt:
    """Return what the receipt proves; the numbers are those of the module docstring.

    `ciphertext_sha256` is 64 lower-case hex digits. Raises ReceiptRefused, CheckpointRefused,
    ProofRefused, EntryRefused, or an error of the note.
    """
    receipt = Receipt.from_text(text)
    checkpoint = open_checkpoint(receipt.checkpoint, verifier)  # 1
    verify_inclusion(  # 2
        receipt.proof,
        index=receipt.index,
        size=checkpoint.size,
        leaf=leaf_hash(receipt.entry),
        root=checkpoint.root,
    )
    entry = Entry.from_bytes(receipt.entry)  # 3
    if ciphertext_sha256 is not None:  # 4
        require_same(entry.object_sha256, ciphertext_sha256)
    return VerifiedReceipt(entry, receipt.index, checkpoint)


def require_same(recorded: str | None, measured: str) -> None:
    """Raise ReceiptRefused unless an entry is about the ciphertext that was measured."""
    if recorded is None or not compare_digest(recorded.encode(), measured.encode()):
        raise ReceiptRefused("the receipt is for another submission")
