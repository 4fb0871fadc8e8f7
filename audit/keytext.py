"""The text forms of Ed25519 keys, after Go's sumdb/note: of logs and of witnesses alike.

    public   <name>+<key id, 8 hex digits>+<base 64 of the kind and 32 bytes of public key>
    private  PRIVATE+KEY+<name>+<key id>+<base 64 of the kind and 32 bytes of seed>

The key id binds name, kind and public key; a text whose id does not fit is refused, so that a
damaged or exchanged key is not configured. What a key of one kind signs never counts for another.
"""

from enum import Enum
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import KeyRefused
from audit.noteform import KEY_ID_BYTES, is_key_name
from audit.text64 import decode64, encode64

KEY_BYTES = 32
_PRIVATE = "PRIVATE+KEY+"


class Kind(Enum):
    """The signature types (c2sp.org/signed-note) that we know."""

    LOG = b"\x01"
    WITNESS = b"\x04"


def key_id(name: str, kind: Kind, public_key: bytes) -> bytes:
    """The first four bytes of SHA-256 over name, kind and public key."""
    return sha256(name.encode() + b"\n" + kind.value + public_key).digest()[:KEY_ID_BYTES]


def public_text(name: str, kind: Kind, public_key: bytes) -> str:
    """The text of a public key."""
    return _written(name, key_id(name, kind, public_key), kind, public_key)


def private_text(name: str, kind: Kind, key: Ed25519PrivateKey) -> str:
    """The text of a private key. Secret."""
    identifier = key_id(name, kind, key.public_key().public_bytes_raw())
    return _PRIVATE + _written(name, identifier, kind, key.private_bytes_raw())


def read_public(text: str, kind: Kind) -> tuple[str, bytes]:
    """Name and public key; raises KeyRefused."""
    name, identifier, public_key = _read(text, kind)
    _require_id(identifier, key_id(name, kind, public_key))
    return name, public_key


def read_private(text: str, kind: Kind) -> tuple[str, bytes]:
    """Name and seed; raises KeyRefused."""
    if not text.startswith(_PRIVATE):
        raise KeyRefused("this is not a signing key")
    name, identifier, seed = _read(text.removeprefix(_PRIVATE), kind)
    _require_id(
        identifier, key_id(name, kind, private_key(name, seed).public_key().public_bytes_raw())
    )
    return name, seed


def private_key(name: str, seed: bytes) -> Ed25519PrivateKey:
    """The key of a seed, under a name that it may have; raises KeyRefused."""
    if not is_key_name(name):
        raise KeyRefused("a key name has no spaces, no plus and no control characters")
    if len(seed) != KEY_BYTES:
        raise KeyRefused("an Ed25519 seed is 32 bytes long")
    return Ed25519PrivateKey.from_private_bytes(seed)


def _written(name: str, identifier: bytes, kind: Kind, key: bytes) -> str:
    return f"{name}+{identifier.hex()}+{encode64(kind.value + key)}"


def _require_id(told: bytes, right: bytes) -> None:
    if told != right:
        raise KeyRefused("the key id does not belong to this key")


def _read(text: str, kind: Kind) -> tuple[str, bytes, bytes]:
    # Base 64 may hold a plus, a name may not, so the first two divide.
    name, _, rest = text.partition("+")
    told, _, encoded = rest.partition("+")
    data = decode64(encoded)
    if not is_key_name(name) or data is None or len(data) != 1 + KEY_BYTES:
        raise KeyRefused("this is not the text of an Ed25519 note key")
    if data[:1] != kind.value:
        raise KeyRefused(f"this is a key of another kind than 0x{kind.value.hex()}")
    try:
        identifier = bytes.fromhex(told)
    except ValueError:
        raise KeyRefused("the key id is not hexadecimal") from None
    if identifier.hex() != told:
        raise KeyRefused("the key id is not written in its one form")
    return name, identifier, data[1:]
