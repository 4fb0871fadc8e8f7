"""A log's Ed25519 key (RFC 8032, signature type 0x01), which signs and verifies notes.

`audit.keytext` has its text forms. A `Signer` never shows its seed in a repr or an error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.errors import NoteMalformed, SignatureRefused
from audit.keytext import (
    KEY_BYTES,
    Kind,
    key_id,
    private_key,
    private_text,
    public_text,
    read_private,
    read_public,
)
from audit.noteform import SIGNATURE_PREFIX
from audit.text64 import encode64


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public half of a log's key."""

    name: str
    public_key: bytes

    @classmethod
    def from_vkey(cls, text: str) -> "Verifier":
        """Read the text form; raises KeyRefused."""
        return cls(*read_public(text, Kind.LOG))

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256 over name, algorithm and public key."""
        return key_id(self.name, Kind.LOG, self.public_key)

    @property
    def vkey(self) -> str:
        """The text form."""
        return public_text(self.name, Kind.LOG, self.public_key)

    def verify(self, text: bytes, signature: bytes) -> bytes:
        """Return the signed text, or raise SignatureRefused."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text)
        except (InvalidSignature, ValueError) as error:
            raise SignatureRefused(f"the signature of {self.name} does not verify") from error
        return text


class Signer:
    """The private half of a log's key."""

    __slots__ = ("_key", "_verifier")

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = private_key(name, seed)
        self._verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, name: str, rng: Callable[[int], bytes] = token_bytes) -> "Signer":
        """A new key from `rng`, which takes a number of bytes."""
        return cls(name, rng(KEY_BYTES))

    @classmethod
    def from_skey(cls, text: str) -> "Signer":
        """Read the text form; raises KeyRefused."""
        return cls(*read_private(text, Kind.LOG))

    def __repr__(self) -> str:
        """The public half only."""
        return f"Signer({self.vkey!r})"

    @property
    def name(self) -> str:
        """The key's name, which is the origin of the log it signs."""
        return self._verifier.name

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return self._verifier

    @property
    def vkey(self) -> str:
        """The public half as text."""
        return self._verifier.vkey

    def skey(self) -> str:
        """The private half as text. Secret."""
        return private_text(self.name, Kind.LOG, self._key)

    def sign(self, text: bytes | str) -> str:
        """The signature line over a note's text, which must end in a newline."""
        data = text.encode() if isinstance(text, str) else text
        if not data.endswith(b"\n"):
            raise NoteMalformed("the text of a note ends in a newline")
        signature = encode64(self._verifier.key_id + self._key.sign(data))
        return f"{SIGNATURE_PREFIX}{self.name} {signature}\n"
