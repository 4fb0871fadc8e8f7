"""The verdict on signatures, ours in one pass and Sequoia's where it can look for itself.

A signature is taken apart here to say exactly what is wrong with it, and verified with OpenSSL over
the digest that was taken while the document streamed by. Where the document is still in memory,
pysequoia verifies the same octets as a detached signature against the one certificate that the
signature names, and both must agree; beyond that its second pass would need the whole document in
memory or in the clear on a disk. At least one signature must be good and by an expected sender, and
none by an expected sender may be bad. Signatures by strangers are passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pysequoia
from cryptography.exceptions import InvalidSignature

from crypto.certificate import Certificate
from crypto.components import Component
from crypto.digesting import Digests, Method
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
from crypto.signature import BINARY, TEXT, Signature, check_over, parse_signature
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
    intended: tuple[Fingerprint, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """What is signed: its digests, and its octets where they are in memory."""

    digests: Digests
    content: bytes | None = field(repr=False)


def verify_signatures(
    document: Document,
    signatures: Sequence[bytes],
    *,
    senders: Sequence[Certificate],
    now: datetime,
) -> Verified:
    """The first good signature by a sender, once none by a sender is bad; or MessageRefused.

    `signatures` are packet bodies.
    """
    if not signatures:
        raise NotSigned("no signature packet")
    parsed = [(body, parse_signature(body)) for body in signatures]
    good = [
        _verify(document, body, signature, among=named, now=now)
        for body, signature in parsed
        if (named := _named(signature, senders))
    ]
    if not good:
        issuers = ", ".join(one.issuer_fingerprint or one.issuer_key_id for _, one in parsed)
        raise UnknownSigner(f"signed by {issuers or 'nobody named'}")
    return good[0]


_Candidate = tuple[Certificate, Component]


def _named(signature: Signature, senders: Sequence[Certificate]) -> list[_Candidate]:
    """The senders' keys that the signature names, by fingerprint first; the key id may collide."""
    named = [
        (sender, component)
        for sender in senders
        for component in sender.assembled.components
        if signature.names(component.key)
    ]
    return sorted(named, key=lambda one: one[1].key.fingerprint != signature.issuer_fingerprint)


def _verify(
    document: Document,
    body: bytes,
    signature: Signature,
    *,
    among: list[_Candidate],
    now: datetime,
) -> Verified:
    refusals = []
    for sender, component in among:
        try:
            _require_policy(signature, sender, component, now=now)
            _require_signed(document.digests, signature, component)
            if document.content is not None:
                _require_sequoia_agrees(document.content, body, sender, component)
        except MessageRefused as refused:
            refusals.append(refused)
            continue
        return Verified(sender, component.key.fingerprint, signature.created_at, signature.intended)
    raise refusals[0]


def _require_policy(
    signature: Signature, sender: Certificate, component: Component, *, now: datetime
) -> None:
    """Algorithms, kind, the key's state and usage, and the times."""
    if signature.hash_id in WEAK_HASHES:
        raise WeakHash(WEAK_HASHES[signature.hash_id])
    if signature.hash_id not in STRONG_HASHES:
        raise Unsupported(f"hash algorithm {signature.hash_id}")
    if signature.kind not in {BINARY, TEXT}:
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


def _require_signed(digests: Digests, signature: Signature, component: Component) -> None:
    """The signature itself, by OpenSSL, over the digest taken in passing."""
    context = digests.over(Method(signature.hash_id, signature.kind))
    if context is None:
        raise BadSignature("announced with another hash or type than it has")
    try:
        check_over(context, signature, signer=component.key)
    except InvalidSignature:
        raise BadSignature("does not verify") from None


def _require_sequoia_agrees(
    content: bytes, body: bytes, sender: Certificate, component: Component
) -> None:
    """Sequoia's verdict; and it must have used the certificate and key that we judged."""
    try:
        detached = pysequoia.Sig.from_bytes(packet(SIGNATURE, body))
        result = pysequoia.verify(
            bytes=content, store=lambda _: [sender.sequoia], signature=detached
        )
    except RuntimeError as refused:
        raise BadSignature(first_line(refused)) from None
    used = [(one.certificate.upper(), one.signing_key.upper()) for one in result.valid_sigs]
    if used != [(sender.fingerprint, component.key.fingerprint)]:
        raise BadSignature("verified under another key", cause_code="key-mismatch")
