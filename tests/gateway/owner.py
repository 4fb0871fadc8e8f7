"""What the owner of a certificate does to it: extends, revokes, adds to it, with the real key.

Made packet by packet, so that a test can say exactly which signature a copy holds.
"""

from datetime import UTC, datetime, timedelta
from time import sleep

from crypto import Certificate, Keyring, load_certificate
from crypto.framing import PUBLIC_KEY, PUBLIC_SUBKEY, SIGNATURE
from crypto.publickey import PublicKey
from crypto.writing import packet
from tests.crypto.handmade import signature

USER_ID_POSITIVE, SUBKEY_BINDING, KEY_REVOCATION, SUBKEY_REVOCATION = 0x13, 0x18, 0x20, 0x28
CERTIFY_AND_SIGN, ENCRYPT = 0x03, 0x0C


def revoked(keyring: Keyring, *, at: datetime | None = None) -> bytes:
    """The certificate with its owner's revocation."""
    return _after_primary(keyring, _signed(keyring, b"", kind=KEY_REVOCATION, at=at))


def without_encryption(keyring: Keyring) -> bytes:
    """The certificate with its encryption subkey revoked."""
    subkey = _subkey(keyring)
    revocation = _signed(keyring, subkey.hashed, kind=SUBKEY_REVOCATION)
    return keyring.certificates[0].data + revocation


def extended(keyring: Keyring, until: datetime) -> bytes:
    """The certificate with a new expiry date, on its user ID and on its subkey."""
    (certificate,) = keyring.certificates
    primary, subkey = certificate.assembled.primary.key, _subkey(keyring)
    (name,) = certificate.user_ids
    subject = b"\xb4" + len(name).to_bytes(4, "big") + name.encode()
    owner = _expiring(primary, until) + bytes([2, 27, CERTIFY_AND_SIGN])
    bound = _expiring(subkey, until) + bytes([2, 27, ENCRYPT])
    whole = certificate.data
    cut = whole.index(packet(PUBLIC_SUBKEY, subkey.body))
    return b"".join(
        (
            whole[:cut],
            _signed(keyring, subject, kind=USER_ID_POSITIVE, subpackets=owner),
            whole[cut:],
            _signed(keyring, subkey.hashed, kind=SUBKEY_BINDING, subpackets=bound),
        )
    )


def with_subkey(keyring: Keyring, other: Certificate, *, by: Keyring | None = None) -> bytes:
    """The certificate with the encryption subkey of another, bound by its owner or by a thief."""
    foreign = other.assembled.components[1].key
    subject = keyring.certificates[0].assembled.primary.key.hashed + foreign.hashed
    now = datetime.now(UTC)
    binding = signature(
        subject,
        by=(by or keyring).signing_key(now=now),
        kind=SUBKEY_BINDING,
        at=now,
        subpackets=bytes([2, 27, ENCRYPT]),
    )
    grafted = packet(PUBLIC_SUBKEY, foreign.body) + packet(SIGNATURE, binding)
    return keyring.certificates[0].data + grafted


def _signed(
    keyring: Keyring,
    subject: bytes,
    *,
    kind: int,
    at: datetime | None = None,
    subpackets: bytes = b"",
) -> bytes:
    primary = keyring.certificates[0].assembled.primary.key
    # Signatures are dated to the second, and of two of one second neither is the newer one.
    sleep(max(0.0, (primary.created_at + timedelta(seconds=1) - datetime.now(UTC)).total_seconds()))
    now = datetime.now(UTC)
    made = signature(
        primary.hashed + subject,
        by=keyring.signing_key(now=now),
        kind=kind,
        at=at or now,
        subpackets=subpackets,
    )
    return packet(SIGNATURE, made)


def _after_primary(keyring: Keyring, signatures: bytes) -> bytes:
    (certificate,) = keyring.certificates
    head = packet(PUBLIC_KEY, certificate.assembled.primary.key.body)
    return load_certificate(head + signatures + certificate.data[len(head) :]).data


def _subkey(keyring: Keyring) -> PublicKey:
    return keyring.certificates[0].assembled.components[1].key


def _expiring(key: PublicKey, until: datetime) -> bytes:
    seconds = (until - key.created_at) // timedelta(seconds=1)
    return bytes([5, 9]) + seconds.to_bytes(4, "big")
