"""Proofs as text (c2sp.org/tlog-proof): index, inclusion proof and checkpoint, to keep as a file.

    c2sp.org/tlog-proof@v1
    extra <base 64>          optional, and not authenticated by this format
    index <decimal>
    <base 64 hash>           none or more, from the leaf's sibling upwards
    <empty line>
    <signed checkpoint>

Reading checks the form only; `audit.receipt` establishes the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.errors import ReceiptRefused
from audit.noteform import MAX_NOTE_BYTES
from audit.numerals import read_numeral
from audit.text64 import decode64, decode_hashes, encode64

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
MAX_PROOF_CHARACTERS = MAX_NOTE_BYTES + 16_384


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof as read or to be written; nothing in it is verified."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def to_text(self) -> str:
        """The text form."""
        extra = [] if self.extra is None else [f"extra {encode64(self.extra)}"]
        hashes = [encode64(digest) for digest in self.hashes]
        lines = [HEADER, *extra, f"index {self.index}", *hashes, "", ""]
        return "\n".join(lines) + self.checkpoint.decode()

    @classmethod
    def from_text(cls, text: str) -> "TlogProof":
        """Read the text form; raises ReceiptRefused for anything but its one spelling."""
        if len(text) > MAX_PROOF_CHARACTERS:
            raise ReceiptRefused("the proof is too large")
        head, divider, note = text.partition("\n\n")
        lines = head.split("\n")
        if not divider or lines.pop(0) != HEADER:
            raise ReceiptRefused("this is not a c2sp.org/tlog-proof")
        extra = _extra(lines)
        return cls(_index(lines), _hashes(lines), _encoded(note), extra)


def _extra(lines: list[str]) -> bytes | None:
    if not lines or not lines[0].startswith("extra "):
        return None
    extra = decode64(lines.pop(0).removeprefix("extra "))
    if extra is None:
        raise ReceiptRefused("the extra line is not base 64 in its one spelling")
    return extra


def _index(lines: list[str]) -> int:
    line = lines.pop(0) if lines else ""
    index = read_numeral(line.removeprefix("index "))
    if index is None or not line.startswith("index "):
        raise ReceiptRefused("the index line is missing or malformed")
    return index


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_HASHES:
        raise ReceiptRefused("the proof is longer than any tree is high")
    hashes = decode_hashes(lines)
    if hashes is None:
        raise ReceiptRefused("a hash is not 32 bytes of base 64 in its one spelling")
    return hashes


def _encoded(note: str) -> bytes:
    try:
        return note.encode()
    except UnicodeEncodeError as error:
        raise ReceiptRefused("the checkpoint is not Unicode text") from error
