"""Cosignatures of witnesses (c2sp.org/tlog-cosignature): the log only grew, as seen at a time.

A cosignature is 8 bytes of time (seconds since 1970, big-endian) and an Ed25519 signature over

    cosignature/v1
    time <seconds>
    <the checkpoint's text>

The type byte 0x04 of the key (`audit.keytext`) keeps it from being taken for a log's. ML-DSA-44
(0x06) has a place in the specification and none here yet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.errors import SignatureRefused
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

_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
_LATEST = 1 << 40


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """The public half of a witness's key; an `audit.note.NoteVerifier`."""

    name: str
    public_key: bytes

    @classmethod
    def from_vkey(cls, text: str) -> "WitnessKey":
        """Read the text form; raises KeyRefused."""
        return cls(*read_public(text, Kind.WITNESS))

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256 over name, algorithm and public key."""
        return key_id(self.name, Kind.WITNESS, self.public_key)

    @property
    def vkey(self) -> str:
        """The text form."""
        return public_text(self.name, Kind.WITNESS, self.public_key)

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
        self._key = private_key(name, seed)
        self.key = WitnessKey(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, name: str, rng: Callable[[int], bytes] = token_bytes) -> "Cosigner":
        """A new key from `rng`, which takes a number of bytes."""
        return cls(name, rng(KEY_BYTES))

    @classmethod
    def from_skey(cls, text: str) -> "Cosigner":
        """Read the text form; raises KeyRefused."""
        return cls(*read_private(text, Kind.WITNESS))

    def __repr__(self) -> str:
        """The public half only."""
        return f"Cosigner({self.key.vkey!r})"

    def skey(self) -> str:
        """The private half as text. Secret."""
        return private_text(self.key.name, Kind.WITNESS, self._key)

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
