"""Signed notes (c2sp.org/signed-note): text, a blank line, and signatures that name their keys.

Nothing of a note is handed out before a trusted key's signature has been verified. Signatures of
unknown keys are passed over, as the specification demands: witnesses and later keys add theirs. A
signature that names a trusted key and is wrong condemns the note. Stricter than the specification:
one trusted key may sign only once, so that no count of signatures can be inflated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.errors import NoteUntrusted, SignatureRefused
from audit.keys import Signer, Verifier
from audit.noteform import Signature, split_note

__all__ = ["NoteVerifier", "Signer", "VerifiedNote", "Verifier", "open_note"]


class NoteVerifier(Protocol):
    """A trusted key. A log's is `Verifier`; a witness's cosigning key is another kind."""

    @property
    def name(self) -> str:
        """The key's name, as its signature lines carry it."""

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""

    def verify(self, text: bytes, signature: bytes) -> bytes:
        """Return the text that the signature covers, or raise SignatureRefused."""


@dataclass(frozen=True, slots=True)
class VerifiedNote:
    """Text under at least one trusted signature, and all trusted signatures on it."""

    text: str
    signatures: tuple[Signature, ...]


def open_note(raw: bytes, verifiers: Sequence[NoteVerifier]) -> VerifiedNote:
    """Return the note as far as the trusted keys vouch for it.

    Raises NoteMalformed, SignatureRefused or NoteUntrusted.
    """
    note = split_note(raw)
    trusted = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    vouched: dict[tuple[str, bytes], Signature] = {}
    for signature in note.signatures:
        key = (signature.name, signature.key_id)
        if key not in trusted:
            continue
        if key in vouched:
            raise SignatureRefused(f"{signature.name} has signed twice")
        trusted[key].verify(note.text.encode(), signature.signature)
        vouched[key] = signature
    if not vouched:
        raise NoteUntrusted("no trusted key has signed this note")
    return VerifiedNote(note.text, tuple(vouched.values()))
