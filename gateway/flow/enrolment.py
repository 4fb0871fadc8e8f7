"""Enrolling agencies and their certificates; administrators do this and never see data."""

from collections.abc import Callable
from datetime import datetime

from audit.actions import Action
from audit.entry import ObjectType
from crypto import Certificate, read_certificate
from gateway.errors import NotFound, RequestRefused
from gateway.flow.trail import AuditTrail, What
from gateway.records import EnrolledAgency, Principal
from gateway.store.agencies import (
    add_agency,
    add_certificate,
    find_agency,
    list_agencies,
    resume_agency,
    revoke_certificate,
    suspend_agency,
)
from gateway.store.database import Database
from validators.standard import Standard


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

    def enrol(self, agency_id: str, certificate: bytes, *, by: Principal) -> Certificate:
        """Enrol an agency of the register with a certificate, or add one to it.

        Raises RequestRefused `CT-003` for an id that is not in the register, and
        crypto.CertificateRefused naming every weakness of the certificate.
        """
        agency = self._standard.agencies.get(agency_id)
        if agency is None:
            raise RequestRefused(
                "CT-003",
                f"Agency {agency_id} is not in the register of the standard.",
                "Check the id against CL_AGENCY; a new agency must first be added to the register.",
            )
        now = self._clock()
        vetted = read_certificate(certificate, now=now)
        with self._database.transaction() as session:
            added = add_agency(
                session,
                agency_id,
                name=agency.name,
                agency_type=agency.agency_type,
                area=agency.area,
                now=now,
            )
            if added:
                self._trail.record(session, Action.AGENCY_ENROLLED, by, _about(agency_id))
            add_certificate(
                session,
                agency_id,
                fingerprint=vetted.fingerprint,
                data=vetted.data,
                expires_at=vetted.expires_at,
                now=now,
            )
            what = _certificate(agency_id, vetted.fingerprint)
            self._trail.record(session, Action.CERTIFICATE_ADDED, by, what)
        return vetted

    def suspend(self, agency_id: str, *, by: Principal) -> None:
        """Stop an agency from sending, at once; what it sent stays."""
        with self._database.transaction() as session:
            if not suspend_agency(session, agency_id, now=self._clock()):
                raise NotFound("active agency")
            self._trail.record(session, Action.AGENCY_SUSPENDED, by, _about(agency_id))

    def resume(self, agency_id: str, *, by: Principal) -> None:
        """Let a suspended agency send again."""
        with self._database.transaction() as session:
            if not resume_agency(session, agency_id):
                raise NotFound("suspended agency")
            self._trail.record(session, Action.AGENCY_RESUMED, by, _about(agency_id))

    def revoke(self, fingerprint: str, *, by: Principal) -> str:
        """Accept a certificate no longer, at once; return whose it was."""
        with self._database.transaction() as session:
            agency_id = revoke_certificate(session, fingerprint, now=self._clock())
            if agency_id is None:
                raise NotFound("accepted certificate")
            what = _certificate(agency_id, fingerprint)
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


def _certificate(agency_id: str, fingerprint: str) -> What:
    return What(agency=agency_id, object_type=ObjectType.CERTIFICATE, object_id=fingerprint)


def _about(agency_id: str) -> What:
    return What(agency=agency_id, object_type=ObjectType.AGENCY, object_id=agency_id)
