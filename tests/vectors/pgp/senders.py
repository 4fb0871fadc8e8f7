"""Certificates of the agency, built packet by packet, in the states that a verdict depends on."""

from datetime import datetime, timedelta

from crypto.framing import PUBLIC_KEY, PUBLIC_SUBKEY, SIGNATURE, USER_ID
from crypto.sessionkey import PrivateKey
from crypto.writing import length, packet
from tests.crypto.handmade import signature
from tests.crypto.parties import AGENCY, MADE, NOW, STRANGER
from tests.vectors.pgp.parties import party

CERTIFY, SIGN, ENCRYPT, AUTHENTICATE = 0x01, 0x02, 0x0C, 0x20
NAME = b"Agency <agency@example.org>"
EXPIRED = timedelta(days=200)

PRIMARY = AGENCY.keyring.signing_key(now=NOW)
ENCRYPTING = next(iter(AGENCY.keyring.decrypting.values()))
SUBKEY = party("subkey").keyring.signing_key(now=NOW)
FOREIGN = STRANGER.keyring.signing_key(now=NOW)


def subpacket(kind: int, content: bytes) -> bytes:
    """One subpacket (RFC 9580 section 5.2.3.7)."""
    return length(len(content) + 1) + bytes([kind]) + content


def made(
    subject: bytes, kind: int, *, by: PrivateKey = PRIMARY, more: bytes = b"", **how: int
) -> bytes:
    """A signature packet, dated when the keys were made."""
    return packet(SIGNATURE, signature(subject, by=by, kind=kind, at=MADE, subpackets=more, **how))


def usage(flags: int, expires: timedelta | None = None) -> bytes:
    """Key flags and, where given, the time after which the key expires."""
    ends = b"" if expires is None else int(expires.total_seconds()).to_bytes(4, "big")
    return subpacket(27, bytes([flags])) + (subpacket(9, ends) if ends else b"")


def primary(
    flags: int = CERTIFY | SIGN, *, expires: timedelta | None = None, hash_id: int = 10
) -> bytes:
    """The primary key, its name and its self-signature."""
    head = packet(PUBLIC_KEY, PRIMARY.public.body)
    named = PRIMARY.public.hashed + b"\xb4" + len(NAME).to_bytes(4, "big") + NAME
    return (
        head
        + packet(USER_ID, NAME)
        + made(named, 0x13, more=usage(flags, expires), hash_id=hash_id)
    )


def revoked(certificate: bytes, *, at: datetime = MADE, reason: int = 0) -> bytes:
    """The certificate with a revocation of its primary key."""
    head = packet(PUBLIC_KEY, PRIMARY.public.body)
    body = signature(
        PRIMARY.public.hashed,
        by=PRIMARY,
        kind=0x20,
        at=at,
        subpackets=subpacket(29, bytes([reason])),
    )
    return head + packet(SIGNATURE, body) + certificate[len(head) :]


def bound(
    key: PrivateKey,
    flags: int,
    *,
    by: PrivateKey = PRIMARY,
    back: bool = False,
    expires: timedelta | None = None,
) -> bytes:
    """A subkey and its binding; `back` is the subkey's own consent (0x19)."""
    both = PRIMARY.public.hashed + key.public.hashed
    consent = subpacket(32, signature(both, by=key, kind=0x19, at=MADE)) if back else b""
    binding = made(both, 0x18, by=by, more=usage(flags, expires) + consent)
    return packet(PUBLIC_SUBKEY, key.public.body) + binding


def revoked_subkey() -> bytes:
    """A signing subkey, and its revocation."""
    both = PRIMARY.public.hashed + SUBKEY.public.hashed
    return bound(SUBKEY, SIGN, back=True) + made(both, 0x28)


def all_senders() -> dict[str, bytes]:
    """Every state by name."""
    tail = bound(ENCRYPTING, ENCRYPT)
    good = primary() + tail
    signing = bound(SUBKEY, SIGN, back=True)
    return {
        "good": good,
        "expired": primary(expires=EXPIRED) + tail,
        "revoked": revoked(good),
        "revoked-as-compromised": revoked(good, reason=2),
        "revoked-later": revoked(good, at=NOW - timedelta(minutes=1)),
        "revoked-and-expired": revoked(primary(expires=EXPIRED) + tail),
        "with-signing-subkey": good + signing,
        "expired-with-live-subkey": primary(expires=EXPIRED) + tail + signing,
        "revoked-with-live-subkey": revoked(good + signing),
        "with-expired-subkey": good + bound(SUBKEY, SIGN, back=True, expires=EXPIRED),
        "with-revoked-subkey": good + revoked_subkey(),
        "with-subkey-that-did-not-consent": good + bound(SUBKEY, SIGN),
        "with-subkey-that-encrypts": good + bound(SUBKEY, ENCRYPT),
        "authenticates-only": primary(AUTHENTICATE) + tail,
        "certifies-only": primary(CERTIFY) + tail,
        "encrypts-only": primary(ENCRYPT) + tail,
        "bound-with-sha1": primary(hash_id=2) + tail,
        "with-unbound-subkey": good + packet(PUBLIC_SUBKEY, FOREIGN.public.body),
        "with-subkey-bound-by-a-stranger": good + bound(FOREIGN, SIGN, by=FOREIGN, back=True),
        "with-adopted-subkey": good + bound(FOREIGN, SIGN),
    }
