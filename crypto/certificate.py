"""Certificates as values: public keys of one party, read once and kept parsed.

Refuses private keys, several certificates at once, and more than 256 KiB; judges nothing else.
crypto.vetting judges, at enrolment and again at each use. What is kept is Sequoia's own public
serialisation, without whatever stood around it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import pysequoia
from pysequoia.packet import PacketPile, Tag

from crypto.components import Assembled, Component, assemble
from crypto.errors import CertificateRefused, MessageRefused, Weakness
from crypto.publickey import Fingerprint

MOST_OCTETS = 256 * 1024
_HOLDS_PRIVATE = (
    "The file holds a private key. Treat that key as lost: revoke it and make a new one."
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One party's public keys. `data` is binary and public; the rest is read from it."""

    fingerprint: Fingerprint
    # Often a person's name: not for logs, so not for repr.
    user_ids: tuple[str, ...] = field(repr=False)
    data: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime | None
    signing_keys: tuple[Fingerprint, ...]
    encryption_keys: tuple[Fingerprint, ...]
    assembled: Assembled = field(repr=False, compare=False)
    sequoia: pysequoia.Cert = field(repr=False, compare=False)


@lru_cache(maxsize=1024)
def load_certificate(data: bytes) -> Certificate:
    """Load a certificate that was vetted before; kept, since it is needed again and again."""
    return parse_certificate(data)


def parse_certificate(data: bytes) -> Certificate:
    """Read a certificate, armored or binary. Refuses only what is not one certificate."""
    if len(data) > MOST_OCTETS:
        raise _refused("too-large", "The file is larger than a certificate may be (256 KB).")
    sequoia, public = _only_certificate(data)
    try:
        assembled = assemble(public)
    except MessageRefused as refused:
        raise _refused("malformed", f"The certificate cannot be read: {refused.detail}.") from None
    return Certificate(
        fingerprint=assembled.primary.key.fingerprint,
        user_ids=assembled.user_ids,
        data=public,
        created_at=assembled.primary.key.created_at,
        expires_at=assembled.primary.expires_at,
        signing_keys=_fingerprints(part for part in assembled.components if part.may_sign),
        encryption_keys=_fingerprints(part for part in assembled.components if part.may_encrypt),
        assembled=assembled,
        sequoia=sequoia,
    )


def _fingerprints(components: Iterable[Component]) -> tuple[Fingerprint, ...]:
    return tuple(
        part.key.fingerprint for part in components if not part.revoked and not part.key.fault
    )


def _only_certificate(data: bytes) -> tuple[pysequoia.Cert, bytes]:
    """Sequoia's certificate and its public serialisation, which some odd signatures forbid."""
    not_one = _refused("malformed", "The file is not an OpenPGP certificate.")
    try:
        # The packets first: a private key must not get as far as Sequoia's own key objects.
        tags = [packet.tag for packet in PacketPile.from_bytes(data)]
        if Tag.SecretKey in tags or Tag.SecretSubkey in tags:
            raise _refused("secret-key", _HOLDS_PRIVATE)
        found = [(one, bytes(one)) for one in pysequoia.Cert.split_bytes(data)]
    except RuntimeError:
        raise not_one from None
    if len(found) > 1:
        raise _refused("several-certificates", "The file holds more than one certificate.")
    if not found:
        raise not_one
    return found[0]


def _refused(code: str, sentence: str) -> CertificateRefused:
    return CertificateRefused((Weakness(code, sentence),))
