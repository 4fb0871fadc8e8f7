"""Cosignatures of witnesses (c2sp.org/tlog-cosignature): the log only grew, as seen at a time.

    verifying  <name>+<key id, 8 hex digits>+<base 64 of 0x04 and 32 bytes of public key>
    signing    PRIVATE+KEY+<name>+<key id>+<base 64 of 0x04 and 32 bytes of seed>

A cosignature is 8 bytes of time (seconds since 1970, big-endian) and an Ed25519 signature over

    cosignature/v1
    time <seconds>
    <the checkpoint's text>

The type byte 0x04 keeps a witness's key from being taken for a log's. ML-DSA-44 (0x06) has a place
in the specification and none here yet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from audit.errors import KeyRefused, SignatureRefused
from audit.noteform import KEY_ID_BYTES, SIGNATURE_PREFIX, is_key_name
from audit.text64 import decode64, encode64

COSIGNATURE = b"\x04"
KEY_BYTES = 32
_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
_LATEST = 1 << 40
_PRIVATE = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """The public half of a witness's key; an `audit.note.NoteVerifier`."""

    name: str
    public_key: bytes

    @classmethod
    def from_vkey(cls, text: str) -> "WitnessKey":
        """Read the text form; raises KeyRefused."""
        name, key_id, public_key = _read(text)
        key = cls(name, public_key)
        if key.key_id != key_id:
            raise KeyRefused("the key id does not belong to this key")
        return key

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256 over name, algorithm and public key."""
        bound = self.name.encode() + b"\n" + COSIGNATURE + self.public_key
        return sha256(bound).digest()[:KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The text form."""
        return f"{self.name}+{self.key_id.hex()}+{encode64(COSIGNATURE + self.public_key)}"

    def verify(self, text: bytes, signature: bytes) -> bytes:
        """Return the checkpoint's text, or raise SignatureRefused."""
        if len(signature) != _TIME_BYTES + _SIGNATURE_BYTES:
            raise SignatureRefused(f"the cosignature of {self.name} has another length")
        signed = _signed(text, int.from_bytes(signature[:_TIME_BYTES], "big"))
        try:
            key = Ed25519PublicKey.from_public_bytes(self.public_key)
            key.verify(signature[_TIME_BYTES:], signed)
        except (InvalidSignature, ValueError) as error:
            raise SignatureRefused(f"the cosignature of {self.name} does not verify") from error
        return text


class Cosigner:
    """The private half of a witness's key."""

    __slots__ = ("_key", "key")

    def __init__(self, name: str, seed: bytes) -> None:
        if not is_key_name(name):
            raise KeyRefused("a key name has no spaces, no plus and no control characters")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = WitnessKey(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, name: str, rng: Callable[[int], bytes] = token_bytes) -> "Cosigner":
        """A new key from `rng`, which takes a number of bytes."""
        return cls(name, rng(KEY_BYTES))

    @classmethod
    def from_skey(cls, text: str) -> "Cosigner":
        """Read the text form; raises KeyRefused."""
        if not text.startswith(_PRIVATE):
            raise KeyRefused("this is not a signing key")
        name, key_id, seed = _read(text.removeprefix(_PRIVATE))
        cosigner = cls(name, seed)
        if cosigner.key.key_id != key_id:
            raise KeyRefused("the key id does not belong to this key")
        return cosigner

    def __repr__(self) -> str:
        """The public half only."""
        return f"Cosigner({self.key.vkey!r})"

    def skey(self) -> str:
        """The private half as text. Secret."""
        seed = encode64(COSIGNATURE + self._key.private_bytes_raw())
        return f"{_PRIVATE}{self.key.name}+{self.key.key_id.hex()}+{seed}"

    def cosign(self, text: str, now: datetime) -> str:
        """The signature line over a checkpoint's text, which the caller has verified."""
        seconds = int(now.timestamp())
        signature = self._key.sign(_signed(text.encode(), seconds))
        data = self.key.key_id + seconds.to_bytes(_TIME_BYTES, "big") + signature
        return f"{SIGNATURE_PREFIX}{self.key.name} {encode64(data)}\n"


def time_of(signature: bytes) -> datetime:
    """When a cosignature that verified was made, by the witness's clock."""
    seconds = int.from_bytes(signature[:_TIME_BYTES], "big")
    if seconds >= _LATEST:
        raise SignatureRefused("the cosignature is of no time that there is")
    return datetime.fromtimestamp(seconds, UTC)


def _signed(text: bytes, seconds: int) -> bytes:
    return b"cosignature/v1\ntime %d\n%s" % (seconds, text)


def _read(text: str) -> tuple[str, bytes, bytes]:
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    data = decode64(encoded)
    if not is_key_name(name) or data is None or len(data) != 1 + KEY_BYTES:
        raise KeyRefused("this is not the text of a witness's key")
    if data[:1] != COSIGNATURE:
        raise KeyRefused("this is a key of another kind: a witness's has the type 0x04")
    try:
        identifier = bytes.fromhex(key_id)
    except ValueError:
        raise KeyRefused("the key id is not hexadecimal") from None
    if identifier.hex() != key_id:
        raise KeyRefused("the key id is not written in its one form")
    return name, identifier, data[1:]
