"""Ed25519 keys that sign and verify notes, in the text forms of Go's sumdb/note.

    verifying  <name>+<key id, 8 hex digits>+<base 64 of 0x01 and 32 bytes of public key>
    signing    PRIVATE+KEY+<name>+<key id>+<base 64 of 0x01 and 32 bytes of seed>

One algorithm (signature type 0x01, RFC 8032). The key id binds name, algorithm and public key; a
text whose id does not fit is refused, so that a damaged or exchanged key is not configured. A
`Signer` never shows its seed in a repr or an error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from audit.errors import KeyRefused, NoteMalformed, SignatureRefused
from audit.noteform import KEY_ID_BYTES, SIGNATURE_PREFIX, is_key_name
from audit.text64 import decode64, encode64

ED25519 = b"\x01"
KEY_BYTES = 32
_PRIVATE = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public half of a log's key."""

    name: str
    public_key: bytes

    @classmethod
    def from_vkey(cls, text: str) -> "Verifier":
        """Read the text form; raises KeyRefused."""
        name, key_id, public_key = _read(text)
        verifier = cls(name, public_key)
        if verifier.key_id != key_id:
            raise KeyRefused("the key id does not belong to this key")
        return verifier

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256 over name, algorithm and public key."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[
            :KEY_ID_BYTES
        ]

    @property
    def vkey(self) -> str:
        """The text form."""
        return f"{self.name}+{self.key_id.hex()}+{encode64(ED25519 + self.public_key)}"

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
        if not is_key_name(name):
            raise KeyRefused("a key name has no spaces, no plus and no control characters")
        if len(seed) != KEY_BYTES:
            raise KeyRefused("an Ed25519 seed is 32 bytes long")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, name: str, rng: Callable[[int], bytes] = token_bytes) -> "Signer":
        """A new key from `rng`, which takes a number of bytes."""
        return cls(name, rng(KEY_BYTES))

    @classmethod
    def from_skey(cls, text: str) -> "Signer":
        """Read the text form; raises KeyRefused."""
        if not text.startswith(_PRIVATE):
            raise KeyRefused("this is not a signing key")
        name, key_id, seed = _read(text.removeprefix(_PRIVATE))
        signer = cls(name, seed)
        if signer.verifier.key_id != key_id:
            raise KeyRefused("the key id does not belong to this key")
        return signer

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
        seed = self._key.private_bytes_raw()
        return f"{_PRIVATE}{self.name}+{self._verifier.key_id.hex()}+{encode64(ED25519 + seed)}"

    def sign(self, text: bytes | str) -> str:
        """The signature line over a note's text, which must end in a newline."""
        data = text.encode() if isinstance(text, str) else text
        if not data.endswith(b"\n"):
            raise NoteMalformed("the text of a note ends in a newline")
        signature = encode64(self._verifier.key_id + self._key.sign(data))
        return f"{SIGNATURE_PREFIX}{self.name} {signature}\n"


def _read(text: str) -> tuple[str, bytes, bytes]:
    # Base 64 may hold a plus, a name may not, so the first two divide.
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    data = decode64(encoded)
    if not is_key_name(name) or data is None or len(data) != 1 + KEY_BYTES or data[:1] != ED25519:
        raise KeyRefused("this is not the text of an Ed25519 note key")
    try:
        identifier = bytes.fromhex(key_id)
    except ValueError:
        raise KeyRefused("the key id is not hexadecimal") from None
    if identifier.hex() != key_id:
        raise KeyRefused("the key id is not written in its one form")
    return name, identifier, data[1:]
