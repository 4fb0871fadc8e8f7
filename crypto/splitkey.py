"""A key whose primary stays offline and certifies subkeys, which work every day and are replaced.

Whoever takes the online part can read what is sent until the subkey is retired, and can certify
nothing: the next subkey is made elsewhere, under the same fingerprint, so that senders who trust
the key trust it on. Ed25519 to certify and sign, Cv25519 to decrypt, version 4 (RFC 9580 sections
10.1 and 11). Three files make a split key; every change answers with three new ones.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from itertools import pairwise

from cryptography.hazmat.primitives.asymmetric import ed25519, x25519

from crypto import pgpylink
from crypto.armor import ArmorKind, armored
from crypto.certificate import load_certificate
from crypto.detached import digest_signature
from crypto.errors import KeyRefused
from crypto.fields import mpi, seconds
from crypto.framing import (
    PUBLIC_KEY,
    PUBLIC_SUBKEY,
    SECRET_KEY,
    SECRET_SUBKEY,
    SIGNATURE,
    USER_ID,
    Octets,
    next_packet,
)
from crypto.keyring import Keyring
from crypto.publickey import (
    ECDH,
    ED25519_OID,
    EDDSA,
    X25519_OID,
    Fingerprint,
    PublicKey,
    parse_public_key,
    public_body,
)
from crypto.sessionkey import PrivateKey
from crypto.signature import BACK_SIGNATURE, BINDING, BINDING_REVOCATION, subpacket
from crypto.writing import packet

_MOST_OCTETS = 256 * 1024
_CERTIFICATION = 0x13
_KEY_EXPIRES, _FLAGS, _EMBEDDED, _REASON = 9, 27, 32, 29
_CERTIFY, _SIGN, _ENCRYPT = 0x01, 0x02, 0x0C
_RETIRED = b"\x03"
# Preferred ciphers, hashes and compression; modification is detected (sections 5.2.3.14 and on).
_PREFERENCES = (
    subpacket(11, bytes([9, 8, 7]))
    + subpacket(21, bytes([10, 9, 8]))
    + subpacket(22, bytes([0, 2]))
    + subpacket(30, b"\x01")
)
# In place of the secret (GnuPG, doc/DETAILS: gnu-dummy S2K).
_STUB = b"\xff\x00\x65\x00GNU\x01"
_PARAMETERS = bytes([3, 1, 8, 7])

Packets = list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class SplitKey:
    """The three parts, armored. `primary` certifies; `online` signs and decrypts."""

    primary: bytes = field(repr=False)
    online: bytes = field(repr=False)
    certificate: bytes


def generate_split_key(
    user_id: str,
    *,
    now: datetime,
    valid_for: timedelta,
    subkey_valid_for: timedelta,
    passphrase: str | None = None,
) -> SplitKey:
    """A new key: the primary and its signing subkey valid for one time, the other for another.

    The passphrase locks the primary alone: the online part has to be usable without a person.
    """
    primary = _ed25519(now)
    name = user_id.encode()
    subject = primary.key.public.hashed + b"\xb4" + len(name).to_bytes(4, "big") + name
    said = _flags(_CERTIFY) + _expiry(valid_for) + _PREFERENCES
    named: Packets = [
        (USER_ID, name),
        (SIGNATURE, _signed(subject, _CERTIFICATION, by=primary.key, now=now, more=said)),
    ]
    signing = _bound(_ed25519(now), _SIGN, to=primary.key, now=now, valid_for=valid_for)
    reading = _bound(_x25519(now), _ENCRYPT, to=primary.key, now=now, valid_for=subkey_valid_for)
    secret = _secret([(SECRET_KEY, primary.body), *named])
    stub = primary.key.public.body + _STUB
    return SplitKey(
        primary=secret if passphrase is None else pgpylink.locked(secret, passphrase),
        online=_secret([(SECRET_KEY, stub), *named, *signing, *reading]),
        certificate=_public([(PUBLIC_KEY, primary.key.public.body), *named, *signing, *reading]),
    )


def rotate(
    split: SplitKey, *, now: datetime, valid_for: timedelta, passphrase: str | None = None
) -> SplitKey:
    """Add a subkey to encrypt to, which senders will choose; the old ones still decrypt.

    Raises KeyRefused when the parts do not belong together or the primary does not open.
    """
    primary = _primary(split, passphrase)
    # Senders choose by time of making, in whole seconds: the new one must be the newest.
    newest = max(key.created_at for key in _reading(split))
    made = max(now, newest + timedelta(seconds=1))
    added = _bound(_x25519(made), _ENCRYPT, to=primary, now=made, valid_for=valid_for)
    return SplitKey(
        primary=split.primary,
        online=_secret([*_packets(split.online), *added]),
        certificate=_public([*_packets(split.certificate), *added]),
    )


def retire(
    split: SplitKey, *, now: datetime, grace: timedelta, passphrase: str | None = None
) -> tuple[SplitKey, tuple[Fingerprint, ...]]:
    """Revoke the subkeys that were replaced a grace period ago, and leave their secrets out.

    Answers which: what was encrypted to them can never be opened again. Raises as `rotate` does.
    """
    primary = _primary(split, passphrase)
    old = _replaced(split, before=now - grace)
    certificate: Packets = []
    for head, *rest in _blocks(_packets(split.certificate)):
        certificate += [head, *rest]
        if head[0] == PUBLIC_SUBKEY and _fingerprint(head[1]) in old:
            both = primary.public.hashed + parse_public_key(head[1]).hashed
            reason = subpacket(_REASON, _RETIRED)
            body = _signed(both, BINDING_REVOCATION, by=primary, now=now, more=reason)
            certificate.append((SIGNATURE, body))
    online = [
        one
        for block in _blocks(_packets(split.online))
        if not (block[0][0] == SECRET_SUBKEY and _fingerprint(public_body(block[0][1])) in old)
        for one in block
    ]
    return SplitKey(split.primary, _secret(online), _public(certificate)), old


@dataclass(frozen=True, slots=True)
class _New:
    """A key pair just made, and the body of its secret packet."""

    key: PrivateKey
    body: bytes = field(repr=False)


def _ed25519(now: datetime) -> _New:
    private = ed25519.Ed25519PrivateKey.generate()
    point = b"\x40" + private.public_key().public_bytes_raw()
    body = _head(now, EDDSA, ED25519_OID) + mpi(point)
    return _New(
        PrivateKey(parse_public_key(body), private), body + _clear(private.private_bytes_raw())
    )


def _x25519(now: datetime) -> _New:
    private = x25519.X25519PrivateKey.generate()
    point = b"\x40" + private.public_key().public_bytes_raw()
    body = _head(now, ECDH, X25519_OID) + mpi(point) + _PARAMETERS
    scalar = bytearray(private.private_bytes_raw())
    # Clamped, as other programs expect to read it (RFC 7748 section 5), and the other way round.
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    return _New(PrivateKey(parse_public_key(body), private), body + _clear(bytes(scalar[::-1])))


def _head(now: datetime, algorithm: int, curve: bytes) -> bytes:
    return b"\x04" + seconds(now) + bytes([algorithm, len(curve)]) + curve


def _clear(secret: bytes) -> bytes:
    """A secret without passphrase, and its checksum (RFC 9580 section 5.5.3)."""
    number = mpi(secret)
    return b"\x00" + number + (sum(number) & 0xFFFF).to_bytes(2, "big")


def _bound(
    new: _New, flags: int, *, to: PrivateKey, now: datetime, valid_for: timedelta
) -> Packets:
    """The subkey and its binding; one that signs consents to it (RFC 9580 section 10.1.5)."""
    both = to.public.hashed + new.key.public.hashed
    said = _flags(flags) + _expiry(valid_for)
    if flags & _SIGN:
        consent = _signed(both, BACK_SIGNATURE, by=new.key, now=now)
        said += subpacket(_EMBEDDED, consent)
    return [
        (SECRET_SUBKEY, new.body),
        (SIGNATURE, _signed(both, BINDING, by=to, now=now, more=said)),
    ]


def _flags(flags: int) -> bytes:
    return subpacket(_FLAGS, bytes([flags]), critical=True)


def _expiry(valid_for: timedelta) -> bytes:
    return subpacket(_KEY_EXPIRES, int(valid_for.total_seconds()).to_bytes(4, "big"), critical=True)


def _signed(
    subject: bytes, kind: int, *, by: PrivateKey, now: datetime, more: bytes = b""
) -> bytes:
    return digest_signature(hashlib.sha512(subject), by, now=now, kind=kind, more=more)


def _primary(split: SplitKey, passphrase: str | None) -> PrivateKey:
    keyring = Keyring.load([split.primary], passphrase=passphrase)
    (fingerprint,) = keyring.fingerprints
    if fingerprint not in keyring.private:
        raise KeyRefused("the offline part does not hold the primary key")
    online = load_certificate(pgpylink.public_half(split.online)).fingerprint
    if {online, load_certificate(split.certificate).fingerprint} != {fingerprint}:
        raise KeyRefused("the three parts are not of one key")
    return keyring.private[fingerprint]


def _replaced(split: SplitKey, *, before: datetime) -> tuple[Fingerprint, ...]:
    """The live subkeys to encrypt to whose successor is older than `before`."""
    reading = pairwise(_reading(split))
    return tuple(old.fingerprint for old, new in reading if new.created_at < before)


def _reading(split: SplitKey) -> list[PublicKey]:
    """The live subkeys to encrypt to, the oldest first."""
    components = load_certificate(split.certificate).assembled.components
    reading = [part.key for part in components if part.may_encrypt and not part.revoked]
    return sorted(reading, key=lambda key: key.created_at)


def _packets(text: bytes) -> Packets:
    octets, found = Octets(BytesIO(pgpylink.unarmored(text))), list[tuple[int, bytes]]()
    while one := next_packet(octets):
        found.append((one.tag, one.body.whole(_MOST_OCTETS)))
    return found


def _blocks(packets: Packets) -> list[Packets]:
    """Each key or name with the signatures that follow it."""
    blocks: list[Packets] = []
    for one in packets:
        if one[0] == SIGNATURE and blocks:
            blocks[-1].append(one)
        else:
            blocks.append([one])
    return blocks


def _fingerprint(public: bytes) -> Fingerprint:
    return parse_public_key(public).fingerprint


def _secret(packets: Iterable[tuple[int, bytes]]) -> bytes:
    data = b"".join(packet(tag, body) for tag, body in packets)
    return armored(data, kind=ArmorKind.PRIVATE_KEY).encode()


def _public(packets: Iterable[tuple[int, bytes]]) -> bytes:
    data = b"".join(
        packet(PUBLIC_SUBKEY, public_body(body)) if tag == SECRET_SUBKEY else packet(tag, body)
        for tag, body in packets
    )
    return armored(data, kind=ArmorKind.PUBLIC_KEY).encode()
