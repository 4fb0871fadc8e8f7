"""Enrolling agencies and their certificates; administrators do this and never see data."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from audit.actions import Action
from audit.entry import ObjectType, Reason
from crypto import (
    Certificate,
    CertificateRefused,
    Weakness,
    load_certificate,
    merge_certificates,
    read_certificate,
)
from gateway.errors import Conflict, NotFound, RequestRefused
from gateway.flow.lifespan import usable_until, weaknesses_of
from gateway.flow.trail import AuditTrail, What
from gateway.records import EnrolledAgency, KeptCertificate, Principal
from gateway.store.agencies import (
    add_agency,
    find_agency,
    list_agencies,
    resume_agency,
    suspend_agency,
)
from gateway.store.certificates import (
    add_certificate,
    lock_certificate,
    revoke_certificate,
    update_certificate,
)
from gateway.store.database import Database
from validators.standard import Standard


class Change(StrEnum):
    """What enrolling a certificate changed."""

    ADDED = "added"
    UPDATED = "updated"
    NONE = "unchanged"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A certificate as it is kept now; weaknesses are those of an owner's own revocation."""

    certificate: Certificate
    change: Change
    weaknesses: tuple[Weakness, ...] = ()


class Enrolment:
    """The register of the standard, met by the certificates of real agencies."""

    def __init__(
        self,
        database: Database,
        trail: AuditTrail,
        standard: Standard,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._trail = trail
        self._standard = standard
        self._clock = clock

    def enrol(self, agency_id: str, certificate: bytes, *, by: Principal) -> Enrolled:
        """Enrol an agency of the register with a certificate, add one to it, or update one of it.

        A certificate that the agency has already is merged with what is kept: nothing that its
        owner said before is lost. Raises RequestRefused `CT-003` for an id that is not in the
        register, Conflict for a certificate of another agency or one that was revoked here, and
        crypto.CertificateRefused naming every weakness of the certificate.
        """
        given = load_certificate(certificate)
        with self._database.transaction() as session:
            self._enrol_agency(session, agency_id, by=by)
            kept = lock_certificate(session, given.fingerprint)
            if kept is None and self._add(session, agency_id, given, by=by):
                return Enrolled(given, Change.ADDED)
            # Where another administrator was faster, it is there by now.
            kept = kept or lock_certificate(session, given.fingerprint)
            if kept is None or kept.agency_id != agency_id or kept.revoked:
                raise _taken(given.fingerprint)
            return self._update(session, kept, given, by=by)

    def _enrol_agency(self, session: Session, agency_id: str, *, by: Principal) -> None:
        agency = self._standard.agencies.get(agency_id)
        if agency is None:
            raise RequestRefused(
                "CT-003",
                f"Agency {agency_id} is not in the register of the standard.",
                "Check the id against CL_AGENCY; a new agency must first be added to the register.",
            )
        added = add_agency(
            session,
            agency_id,
            name=agency.name,
            agency_type=agency.agency_type,
            area=agency.area,
            now=self._clock(),
        )
        if added:
            self._trail.record(session, Action.AGENCY_ENROLLED, by, _about(agency_id))

    def _add(self, session: Session, agency_id: str, given: Certificate, *, by: Principal) -> bool:
        """Vet and add a certificate; False if it has been added meanwhile."""
        now = self._clock()
        vetted = read_certificate(given.data, now=now)
        added = add_certificate(
            session,
            agency_id,
            fingerprint=vetted.fingerprint,
            data=vetted.data,
            expires_at=vetted.expires_at,
            now=now,
        )
        if added:
            what = _certificate(agency_id, vetted.fingerprint)
            self._trail.record(session, Action.CERTIFICATE_ADDED, by, what)
        return added

    def _update(
        self, session: Session, kept: KeptCertificate, given: Certificate, *, by: Principal
    ) -> Enrolled:
        """Merge; a weak result is refused, unless it is weak because its owner took something away.

        A revocation is in force at once: refusing it would keep a stolen key alive.
        """
        before = load_certificate(kept.data)
        merged = merge_certificates(before, given)
        weaknesses = weaknesses_of(merged.data, now=self._clock())
        if weaknesses and not _revoked(weaknesses) and not _takes_away(before, merged):
            raise CertificateRefused(weaknesses)
        if merged.data == before.data:
            return Enrolled(merged, Change.NONE, weaknesses)
        update_certificate(
            session, kept.fingerprint, data=merged.data, expires_at=merged.expires_at
        )
        what = _certificate(kept.agency_id, kept.fingerprint)
        self._trail.record(session, Action.CERTIFICATE_UPDATED, by, what)
        return Enrolled(merged, Change.UPDATED, weaknesses)

    def suspend(self, agency_id: str, *, by: Principal, reason: Reason | None = None) -> None:
        """Stop an agency from sending, at once; what it sent stays."""
        with self._database.transaction() as session:
            if not suspend_agency(session, agency_id, now=self._clock()):
                raise NotFound("active agency")
            self._trail.record(session, Action.AGENCY_SUSPENDED, by, _about(agency_id, reason))

    def resume(self, agency_id: str, *, by: Principal, reason: Reason | None = None) -> None:
        """Let a suspended agency send again."""
        with self._database.transaction() as session:
            if not resume_agency(session, agency_id):
                raise NotFound("suspended agency")
            self._trail.record(session, Action.AGENCY_RESUMED, by, _about(agency_id, reason))

    def revoke(self, fingerprint: str, *, by: Principal, reason: Reason | None = None) -> str:
        """Accept a certificate no longer, at once; return whose it was."""
        with self._database.transaction() as session:
            agency_id = revoke_certificate(session, fingerprint, now=self._clock())
            if agency_id is None:
                raise NotFound("accepted certificate")
            what = _certificate(agency_id, fingerprint, reason)
            self._trail.record(session, Action.CERTIFICATE_REVOKED, by, what)
        return agency_id

    def list(self) -> list[EnrolledAgency]:
        """Every enrolled agency."""
        with self._database.transaction() as session:
            return list_agencies(session)

    def find(self, agency_id: str) -> EnrolledAgency | None:
        """One enrolled agency."""
        with self._database.transaction() as session:
            return find_agency(session, agency_id)


def _revoked(weaknesses: tuple[Weakness, ...]) -> bool:
    return any(weakness.code == "revoked" for weakness in weaknesses)


def _takes_away(before: Certificate, merged: Certificate) -> bool:
    """Whether the owner revoked a key or brought its end forward."""
    lost = {*before.signing_keys, *before.encryption_keys} - {
        *merged.signing_keys,
        *merged.encryption_keys,
    }
    ended, ends = usable_until(before), usable_until(merged)
    return bool(lost) or (ends is not None and (ended is None or ends < ended))


def _taken(fingerprint: str) -> Conflict:
    return Conflict(
        "certificate-taken",
        f"The certificate {fingerprint} belongs to another agency, or was revoked here.",
        "Each agency needs a key of its own, and a revoked one is not taken again: make a new "
        "key and enrol that.",
    )


def _certificate(agency_id: str, fingerprint: str, reason: Reason | None = None) -> What:
    return What(
        agency=agency_id,
        object_type=ObjectType.CERTIFICATE,
        object_id=fingerprint,
        reason_code=reason,
    )


def _about(agency_id: str, reason: Reason | None = None) -> What:
    return What(
        agency=agency_id, object_type=ObjectType.AGENCY, object_id=agency_id, reason_code=reason
    )
