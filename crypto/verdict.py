"""The verdict on signatures: ours on policy, Sequoia's on the signature itself; both must agree.

A signature is taken apart here to say exactly what is wrong with it; then pysequoia verifies it as
a detached signature against the one certificate that it names. At least one signature must be
good and by an expected sender, and none by an expected sender may be bad. Signatures by strangers
are passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pysequoia

from crypto.certificate import Certificate
from crypto.components import Component
from crypto.errors import MessageRefused
from crypto.framing import SIGNATURE
from crypto.policy import CLOCK_SKEW, STRONG_HASHES, WEAK_HASHES
from crypto.publickey import Fingerprint
from crypto.refusals import (
    BadSignature,
    NotSigned,
    SignatureFuture,
    SignerExpired,
    SignerRevoked,
    UnknownSigner,
    Unsupported,
    WeakHash,
    WeakKey,
)
from crypto.signature import BINARY, Signature, parse_signature
from crypto.vetting import faults, first_line
from crypto.writing import packet

_BY_FAULT: dict[str, type[MessageRefused]] = {
    "revoked": SignerRevoked,
    "expired": SignerExpired,
    "weak-key": WeakKey,
    "not-yet-valid": BadSignature,
}


@dataclass(frozen=True, slots=True)
class Verified:
    """Who signed, with which key, and when."""

    signer: Certificate
    signing_key: Fingerprint
    signed_at: datetime


def verify_signatures(
    data: bytes, signatures: Sequence[bytes], *, senders: Sequence[Certificate], now: datetime
) -> Verified:
    """The first good signature by a sender, once none by a sender is bad; or MessageRefused.

    `signatures` are packet bodies.
    """
    if not signatures:
        raise NotSigned("no signature packet")
    parsed = [(body, parse_signature(body)) for body in signatures]
    good = [
        _verify(data, body, signature, among=named, now=now)
        for body, signature in parsed
        if (named := _named(signature, senders))
    ]
    if not good:
        issuers = ", ".join(one.issuer_fingerprint or one.issuer_key_id for _, one in parsed)
        raise UnknownSigner(f"signed by {issuers or 'nobody named'}")
    return good[0]


_Candidate = tuple[Certificate, Component]


def _named(signature: Signature, senders: Sequence[Certificate]) -> list[_Candidate]:
    """The senders' keys that the signature names; several when their key ids collide."""
    return [
        (sender, component)
        for sender in senders
        for component in sender.assembled.components
        if signature.names(component.key)
    ]


def _verify(
    data: bytes, body: bytes, signature: Signature, *, among: list[_Candidate], now: datetime
) -> Verified:
    refusals = []
    for sender, component in among:
        try:
            _require_policy(signature, sender, component, now=now)
            return _require_good(data, body, sender, component, signed_at=signature.created_at)
        except MessageRefused as refused:
            refusals.append(refused)
    raise refusals[0]


def _require_policy(
    signature: Signature, sender: Certificate, component: Component, *, now: datetime
) -> None:
    """Algorithms, kind, the key's state and usage, and the times."""
    if signature.hash_id in WEAK_HASHES:
        raise WeakHash(WEAK_HASHES[signature.hash_id])
    if signature.hash_id not in STRONG_HASHES:
        raise Unsupported(f"hash algorithm {signature.hash_id}")
    if signature.kind != BINARY:
        raise Unsupported(f"signature of type {signature.kind:#04x}")
    for fault in faults(sender, component, now=now):
        raise _BY_FAULT[fault.code](fault.sentence, cause_code=fault.code)
    if not component.may_sign:
        raise BadSignature("made by a key that may not sign", cause_code="key-usage")
    _require_times(signature, component, now=now)


def _require_times(signature: Signature, component: Component, *, now: datetime) -> None:
    if signature.created_at > now + CLOCK_SKEW:
        raise SignatureFuture(f"dated {signature.created_at:%Y-%m-%dT%H:%M:%SZ}")
    if signature.created_at < component.key.created_at:
        raise BadSignature("older than its key", cause_code="signature-before-key")
    if signature.expires_after and signature.created_at + signature.expires_after <= now:
        raise BadSignature("the signature has expired", cause_code="signature-expired")


def _require_good(
    data: bytes, body: bytes, sender: Certificate, component: Component, *, signed_at: datetime
) -> Verified:
    """Sequoia's verdict; and it must have used the certificate and key that we judged."""
    try:
        detached = pysequoia.Sig.from_bytes(packet(SIGNATURE, body))
        result = pysequoia.verify(bytes=data, store=lambda _: [sender.sequoia], signature=detached)
    except RuntimeError as refused:
        raise BadSignature(first_line(refused)) from None
    used = [(one.certificate.upper(), one.signing_key.upper()) for one in result.valid_sigs]
    if used != [(sender.fingerprint, component.key.fingerprint)]:
        raise BadSignature("verified under another key", cause_code="key-mismatch")
    return Verified(sender, component.key.fingerprint, signed_at)
