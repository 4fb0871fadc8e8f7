"""Version 4 signature packets: reading, checking over data, and making them (RFC 9580 section 5.2).

What decides (times, flags) is taken from the hashed subpackets alone; the unhashed ones, which
anybody can change, only help to find the issuer and the embedded back signature, which proves
itself. Makes no judgement on strength: crypto.policy does.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from cryptography.exceptions import InvalidSignature

from crypto.fields import Fields, seconds
from crypto.policy import REVOCATION_HASHES, SHA_512
from crypto.publickey import ECDSA, EDDSA, RSA, Fingerprint, PublicKey, verify_digest
from crypto.refusals import Malformed, Unsupported
from crypto.writing import length

BINARY, TEXT = 0x00, 0x01
CERTIFICATIONS = frozenset({0x10, 0x11, 0x12, 0x13})
BINDING, BACK_SIGNATURE, DIRECT = 0x18, 0x19, 0x1F
KEY_REVOCATION, BINDING_REVOCATION, CERTIFICATION_REVOCATION = 0x20, 0x28, 0x30

_CREATED, _EXPIRES, _KEY_EXPIRES, _ISSUER = 2, 3, 9, 16
_PRIMARY, _FLAGS, _EMBEDDED, _ISSUER_FINGERPRINT, _INTENDED = 25, 27, 32, 33, 35
# Understood or harmless; a critical subpacket outside this set voids the signature.
_KNOWN = frozenset(
    {2, 3, 4, 5, 6, 7, 9, 11, 16, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33, 34, 35}
)
_CRITICAL = 0x80
MAY_SIGN, MAY_ENCRYPT = 0x02, 0x0C

Subpackets = dict[int, bytes]


class Hash(Protocol):
    """A hashlib context."""

    def update(self, data: bytes, /) -> None:
        """More of the document."""

    def digest(self) -> bytes:
        """The digest of what was seen."""

    def copy(self) -> "Hash":
        """Another context that has seen the same."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as read: a claim, until `check` has returned it."""

    kind: int
    algorithm: int
    hash_id: int
    created_at: datetime
    expires_after: timedelta | None
    key_expires_after: timedelta | None
    flags: int
    primary: int
    issuer_fingerprint: str
    issuer_key_id: str
    intended: tuple[str, ...]
    embedded: tuple[bytes, ...] = field(repr=False)
    hashed: bytes = field(repr=False)
    start: bytes = field(repr=False)
    numbers: tuple[bytes, ...] = field(repr=False)

    def names(self, key: PublicKey) -> bool:
        """Whether the signature claims, in either way, to be by this key."""
        return key.fingerprint == self.issuer_fingerprint or key.key_id == self.issuer_key_id


def parse_signature(body: bytes) -> Signature:
    """The signature in a packet body; Malformed, or Unsupported for another version."""
    fields = Fields(body)
    version = fields.number(1)
    if version != 4:
        raise Unsupported(f"signature version {version}")
    kind, algorithm, hash_id = fields.number(1), fields.number(1), fields.number(1)
    subpackets = _subpackets(fields.take(fields.number(2)))
    hashed = _understood(subpackets)
    hashed_part = body[: fields.at]
    unhashed = _last(_subpackets(fields.take(fields.number(2))))
    start = fields.take(2)
    numbers = tuple(_numbers(fields, algorithm))
    if _CREATED not in hashed:
        raise Malformed("a signature without a time")
    advisory = unhashed | hashed
    return Signature(
        kind=kind,
        algorithm=algorithm,
        hash_id=hash_id,
        created_at=Fields(_four(hashed[_CREATED])).moment(),
        expires_after=_span(hashed.get(_EXPIRES)),
        key_expires_after=_span(hashed.get(_KEY_EXPIRES)),
        flags=(hashed.get(_FLAGS) or b"\0")[0],
        primary=(hashed.get(_PRIMARY) or b"\0")[0],
        issuer_fingerprint=advisory.get(_ISSUER_FINGERPRINT, b"")[1:].hex().upper(),
        issuer_key_id=advisory.get(_ISSUER, b"").hex().upper(),
        intended=_intended(subpackets),
        embedded=tuple(part[_EMBEDDED] for part in (hashed, unhashed) if _EMBEDDED in part),
        hashed=hashed_part,
        start=start,
        numbers=numbers,
    )


def check(signature: Signature, subject: bytes, *, signer: PublicKey) -> Signature:
    """Return the signature if `signer` made it over `subject`; else raise InvalidSignature."""
    if signature.hash_id not in REVOCATION_HASHES:
        raise InvalidSignature
    name = REVOCATION_HASHES[signature.hash_id]
    return check_over(hashlib.new(name, subject, usedforsecurity=False), signature, signer=signer)


def check_over(context: Hash, signature: Signature, *, signer: PublicKey) -> Signature:
    """As `check`, over what the context has hashed, which is used up."""
    if signature.algorithm != signer.algorithm:
        raise InvalidSignature
    context.update(trailer(signature.hashed))
    digest = context.digest()
    if digest[:2] != signature.start:
        raise InvalidSignature
    numbers = list(signature.numbers)
    verify_digest(signer, digest, hash_id=signature.hash_id, numbers=numbers)
    return signature


def trailer(hashed: bytes) -> bytes:
    """What is hashed after the data (RFC 9580 section 5.2.4)."""
    return hashed + b"\x04\xff" + len(hashed).to_bytes(4, "big")


def new_hashed_part(
    key: PublicKey, *, now: datetime, kind: int = BINARY, more: bytes = b""
) -> bytes:
    """The hashed part of a new SHA-512 signature; `more` are further subpackets."""
    created = subpacket(_CREATED, seconds(now), critical=True)
    issuer = subpacket(_ISSUER_FINGERPRINT, b"\x04" + bytes.fromhex(key.fingerprint))
    subpackets = issuer + created + more
    header = bytes([4, kind, key.algorithm, SHA_512])
    return header + len(subpackets).to_bytes(2, "big") + subpackets


def meant_for(fingerprints: Iterable[Fingerprint]) -> bytes:
    """Subpackets that name the certificates which a document is meant for."""
    return b"".join(subpacket(_INTENDED, b"\x04" + bytes.fromhex(one)) for one in fingerprints)


def subpacket(kind: int, content: bytes, *, critical: bool = False) -> bytes:
    """One subpacket (RFC 9580 section 5.2.3.7)."""
    return length(len(content) + 1) + bytes([kind | _CRITICAL * critical]) + content


def complete(hashed: bytes, *, key: PublicKey, digest: bytes, numbers: bytes) -> bytes:
    """The body of a signature packet from its parts; old readers find the issuer's key id."""
    unhashed = bytes([9, _ISSUER]) + bytes.fromhex(key.key_id)
    return hashed + len(unhashed).to_bytes(2, "big") + unhashed + digest[:2] + numbers


def _understood(subpackets: list[tuple[int, bytes]]) -> Subpackets:
    """The hashed subpackets, or Unsupported when one is critical and unknown."""
    for kind, _ in subpackets:
        if kind & _CRITICAL and kind & ~_CRITICAL not in _KNOWN:
            raise Unsupported(f"critical subpacket {kind & ~_CRITICAL}")
    return _last(subpackets)


def _last(subpackets: list[tuple[int, bytes]]) -> Subpackets:
    """By kind; of several, the last counts (RFC 9580 section 5.2.3.9)."""
    return {kind & ~_CRITICAL: content for kind, content in subpackets}


def _intended(subpackets: list[tuple[int, bytes]]) -> tuple[str, ...]:
    """The certificates that the document is meant for (RFC 9580 section 5.2.3.36)."""
    return tuple(
        content[1:].hex().upper() for kind, content in subpackets if kind & ~_CRITICAL == _INTENDED
    )


def _subpackets(area: bytes) -> list[tuple[int, bytes]]:
    fields = Fields(area)
    found = []
    while fields:
        size = _subpacket_length(fields)
        if size < 1:
            raise Malformed("an empty subpacket")
        found.append((fields.number(1), fields.take(size - 1)))
    return found


def _subpacket_length(fields: Fields) -> int:
    first = fields.number(1)
    if first == 255:
        return fields.number(4)
    if first >= 192:
        return ((first - 192) << 8) + fields.number(1) + 192
    return first


def _span(content: bytes | None) -> timedelta | None:
    """A duration of four octets; absent or zero means for ever."""
    if content is None:
        return None
    value = int.from_bytes(_four(content), "big")
    return timedelta(seconds=value) if value else None


def _four(content: bytes) -> bytes:
    """The content of a subpacket that is a time or a duration."""
    if len(content) != 4:
        raise Malformed("a time that is not of four octets")
    return content


def _numbers(fields: Fields, algorithm: int) -> Iterator[bytes]:
    count = {ECDSA: 2, EDDSA: 2}.get(algorithm, 1 if algorithm in RSA else 0)
    for _ in range(count):
        yield fields.mpi()
