"""How long a certificate is good for, and where it stands today.

A certificate ends when it can no longer both sign and receive: with its primary key, or with the
last subkey for one of the two, whichever is first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crypto import (
    Certificate,
    CertificateRefused,
    Weakness,
    load_certificate,
    read_certificate,
)
from gateway.records import KeptCertificate

WARNED_AHEAD = (60, 30, 7)
"""Days before its end at which a certificate is warned of."""

SOON = timedelta(days=max(WARNED_AHEAD))


class Standing(StrEnum):
    """Whether what a certificate signs is taken."""

    ACCEPTED = "accepted"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class CertificateState:
    """An agency's certificate and where it stands; whose name is on it is not part of this."""

    fingerprint: str
    agency_id: str
    created_at: datetime
    expires_at: datetime | None
    standing: Standing
    days_left: int | None


def state_of(kept: KeptCertificate, *, now: datetime) -> CertificateState:
    """Where a certificate stands at this time."""
    certificate = load_certificate(kept.data)
    ends = usable_until(certificate)
    return CertificateState(
        fingerprint=kept.fingerprint,
        agency_id=kept.agency_id,
        created_at=certificate.created_at,
        expires_at=ends,
        standing=_standing(kept, ends, now=now),
        days_left=None if ends is None else max((ends - now).days, 0),
    )


def usable_until(certificate: Certificate) -> datetime | None:
    """When the certificate can no longer both sign and receive; None for never."""
    components = certificate.assembled.components
    parts = [part for part in components if not part.revoked and not part.key.fault]
    ends = (
        certificate.assembled.primary.expires_at,
        _last(part.expires_at for part in parts if part.may_sign),
        _last(part.expires_at for part in parts if part.may_encrypt),
    )
    return min((end for end in ends if end), default=None)


def weaknesses_of(data: bytes, *, now: datetime) -> tuple[Weakness, ...]:
    """What would keep a certificate from being enrolled today; nothing for a good one."""
    try:
        read_certificate(data, now=now)
    except CertificateRefused as refused:
        return refused.weaknesses
    return ()


def _standing(kept: KeptCertificate, ends: datetime | None, *, now: datetime) -> Standing:
    codes = {weakness.code for weakness in weaknesses_of(kept.data, now=now)}
    if kept.revoked or "revoked" in codes:
        return Standing.REVOKED
    if ends is not None and ends <= now:
        return Standing.EXPIRED
    if codes & {"no-signing-key", "no-encryption-key"}:
        return Standing.REVOKED  # not expired, so its owner revoked the last key for one of these
    return Standing.EXPIRING if ends is not None and ends - now <= SOON else Standing.ACCEPTED


def _last(ends: Iterable[datetime | None]) -> datetime | None:
    """The latest of these ends; None where one of them is never, or there is none at all."""
    found = list(ends)
    return None if None in found else max((end for end in found if end), default=None)
