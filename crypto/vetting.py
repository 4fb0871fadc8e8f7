"""Judging certificates at a moment: all weaknesses at enrolment, one key's faults at each use.

Two judges must agree at enrolment: Sequoia's standard policy (pysequoia, given public keys only)
and ours (crypto.policy). A party both signs and receives, so both kinds of key are asked for.
Sequoia judges by the computer's clock, we by `now`.
"""

from collections.abc import Iterator
from datetime import datetime

from crypto.certificate import Certificate, parse_certificate
from crypto.components import Component
from crypto.errors import CertificateRefused, Weakness
from crypto.policy import CLOCK_SKEW
from crypto.publickey import PublicKey


def read_certificate(data: bytes, *, now: datetime) -> Certificate:
    """Vet one certificate, armored or binary, for enrolment.

    Raises CertificateRefused with every weakness found: malformed, too-large, secret-key,
    several-certificates, revoked, expired, not-yet-valid, weak-key, weak-hash, no-user-id,
    no-signing-key, no-encryption-key, policy.
    """
    certificate = parse_certificate(data)
    if weaknesses := find_weaknesses(certificate, now=now):
        raise CertificateRefused(weaknesses)
    return certificate


def find_weaknesses(certificate: Certificate, *, now: datetime) -> tuple[Weakness, ...]:
    """Everything against enrolling the certificate at this time; nothing for a good one."""
    found = [
        *_faults_of_all(certificate, now=now),
        *_missing(certificate, now=now),
        *_faults_by_sequoia(certificate, now=now),
    ]
    return tuple(dict.fromkeys(found))


def faults(certificate: Certificate, component: Component, *, now: datetime) -> list[Weakness]:
    """What speaks against using one key now. The primary's faults are its subkeys' faults."""
    found = list(_faults_of(certificate.assembled.primary, now=now))
    if component != certificate.assembled.primary:
        found += _faults_of(component, now=now)
    return found


def encryption_key(certificate: Certificate, *, now: datetime) -> PublicKey:
    """The newest key to encrypt to, as gpg chooses; or CertificateRefused."""
    usable = [
        component.key
        for component in certificate.assembled.components
        if component.may_encrypt and not faults(certificate, component, now=now)
    ]
    if not usable:
        raise CertificateRefused(tuple(_faults_of_all(certificate, now=now)) or (_NO_ENCRYPTION,))
    return max(usable, key=lambda key: key.created_at)


_NO_ENCRYPTION = Weakness("no-encryption-key", "The certificate has no key to encrypt to.")
_NO_SIGNING = Weakness("no-signing-key", "The certificate has no key to sign with.")
_NO_USER_ID = Weakness("no-user-id", "The certificate names no owner.")
_WEAK_HASH = Weakness(
    "weak-hash", "The certificate's own signatures use a hash that is no longer safe."
)


def _faults_of(component: Component, *, now: datetime) -> Iterator[Weakness]:
    name = f"Key {component.key.key_id}"
    if component.revoked:
        yield Weakness("revoked", f"{name} is revoked.")
    if component.expires_at and component.expires_at <= now:
        yield Weakness("expired", f"{name} expired on {component.expires_at:%Y-%m-%d}.")
    if component.key.created_at > now + CLOCK_SKEW:
        yield Weakness("not-yet-valid", f"{name} is dated in the future.")
    if component.key.fault:
        yield Weakness("weak-key", f"{name} is not strong enough: {component.key.fault}.")


def _faults_of_all(certificate: Certificate, *, now: datetime) -> Iterator[Weakness]:
    """The primary's faults, and the weakness of any subkey in use; old subkeys may rest."""
    primary, *subkeys = certificate.assembled.components
    yield from _faults_of(primary, now=now)
    for subkey in subkeys:
        found = list(_faults_of(subkey, now=now))
        if [weakness.code for weakness in found] == ["weak-key"]:
            yield from found


def _missing(certificate: Certificate, *, now: datetime) -> Iterator[Weakness]:
    live = [
        component
        for component in certificate.assembled.components
        if not list(_faults_of(component, now=now))
    ]
    lacking = []
    if not certificate.user_ids:
        lacking.append(_NO_USER_ID)
    if not any(component.may_sign for component in live):
        lacking.append(_NO_SIGNING)
    if not any(component.may_encrypt for component in live):
        lacking.append(_NO_ENCRYPTION)
    if lacking and certificate.assembled.weak_self_signatures:
        # Say the cause first: bindings made with SHA-1 do not count.
        yield _WEAK_HASH
    yield from lacking


def _faults_by_sequoia(certificate: Certificate, *, now: datetime) -> Iterator[Weakness]:
    try:
        expiration = certificate.sequoia.expiration
        revoked = certificate.sequoia.is_revoked
    except RuntimeError as refused:
        reason = first_line(refused)
        yield Weakness("policy", f"Sequoia's standard policy refuses the certificate: {reason}.")
        return
    name = f"Key {certificate.assembled.primary.key.key_id}"
    if revoked:
        yield Weakness("revoked", f"{name} is revoked.")
    if expiration and expiration <= now:
        yield Weakness("expired", f"{name} expired on {expiration:%Y-%m-%d}.")


def first_line(error: Exception) -> str:
    """Sequoia's reason, without the stack trace that its messages carry."""
    return str(error).partition("\n")[0].rstrip(".")
