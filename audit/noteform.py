"""The form of a signed note (c2sp.org/signed-note): taken apart, with nothing believed yet."""

from dataclasses import dataclass

from audit.errors import NoteMalformed
from audit.text64 import decode64

# 16 signatures must be accepted, and a post-quantum one takes up to 7 kB of base 64.
MAX_NOTE_BYTES = 262_144
MAX_SIGNATURES = 64
KEY_ID_BYTES = 4
SIGNATURE_PREFIX = "\u2014 "


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, taken apart and not yet believed."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SplitNote:
    """A well-formed note of which nothing has been verified."""

    text: str
    signatures: tuple[Signature, ...]


def split_note(raw: bytes) -> SplitNote:
    """Take a note apart without believing any of it. Raises NoteMalformed."""
    whole = _clean_text(raw)
    # The text may hold blank lines of its own; only the last one divides.
    head, divider, tail = whole.rpartition("\n\n")
    if not divider or not tail.endswith("\n"):
        raise NoteMalformed("a note is text, a blank line and signature lines")
    lines = tail.removesuffix("\n").split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteMalformed("too many signatures")
    return SplitNote(head + "\n", tuple(_signature(line) for line in lines))


def is_key_name(name: str) -> bool:
    """Whether a name can stand in a signature line and in the text form of a key."""
    return bool(name) and "+" not in name and not any(char.isspace() for char in name)


def _clean_text(raw: bytes) -> str:
    if len(raw) > MAX_NOTE_BYTES:
        raise NoteMalformed("the note is too large")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteMalformed("the note is not UTF-8") from error
    # A carriage return or an escape could show an operator another text than the one signed.
    if any(char < " " and char != "\n" for char in text):
        raise NoteMalformed("the note holds control characters")
    return text


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(SIGNATURE_PREFIX).partition(" ")
    data = decode64(encoded) if space and line.startswith(SIGNATURE_PREFIX) else None
    if data is None or len(data) <= KEY_ID_BYTES or not is_key_name(name):
        raise NoteMalformed("a line after the blank line is no signature")
    return Signature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])
