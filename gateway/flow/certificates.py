"""What administrators ask about certificates: where each stands, and what a lost key touches."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from audit.actions import Action
from audit.entry import ObjectType
from crypto import load_certificate
from gateway.errors import NotFound
from gateway.flow.lifespan import CertificateState, Standing, state_of
from gateway.flow.trail import AuditTrail, What
from gateway.records import KeyUse, Principal
from gateway.store.agencies import find_agency
from gateway.store.certificates import list_certificates
from gateway.store.database import Database
from gateway.store.exposure import uses_of_key


class Use(StrEnum):
    """What a key was used for."""

    SIGNED = "signed"
    REPORT = "report"
    OPENED = "opened"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Exposed:
    """A submission or dry run that a key had to do with; nothing of what is in it."""

    id: UUID
    kind: str
    agency_id: str
    received_at: datetime
    state: str
    uses: tuple[Use, ...]


class Certificates:
    """Reads; enrolment and revocation are the affair of flow.enrolment."""

    def __init__(
        self, database: Database, trail: AuditTrail, *, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._trail = trail
        self._clock = clock

    def exposure(self, key: str, *, since: datetime | None, by: Principal) -> list[Exposed]:
        """Every submission that this key signed or opens, by the fingerprint of certificate or key.

        Dry runs as well, as long as they are kept.

        The listing is in the log before it is answered.
        """
        with self._database.transaction() as session:
            owners = _certificates_with(session, key)
            found = uses_of_key(session, key, signers=sorted(owners), since=since)
            what = What(object_type=ObjectType.KEY, object_id=key)
            self._trail.record(session, Action.KEY_TRACED, by, what)
        exposed = [_exposed(each, key, owners) for each in found]
        return [each for each in exposed if each.uses]

    def list(
        self, agency_id: str | None = None, *, within: timedelta | None = None
    ) -> list[CertificateState]:
        """Every certificate, or those of one agency, or those that end within a time from now."""
        now = self._clock()
        with self._database.transaction() as session:
            if agency_id is not None and find_agency(session, agency_id) is None:
                raise NotFound("agency")
            kept = list_certificates(session, agency_id=agency_id)
        states = [state_of(each, now=now) for each in kept]
        if within is None:
            return states
        return [each for each in states if _ends_within(each, within, now=now)]


def _ends_within(state: CertificateState, within: timedelta, *, now: datetime) -> bool:
    if state.standing not in (Standing.ACCEPTED, Standing.EXPIRING) or state.expires_at is None:
        return False
    return state.expires_at - now <= within


def _certificates_with(session: Session, key: str) -> set[str]:
    """The agencies' certificates that this is a key to encrypt to, revoked ones as well."""
    found = set()
    for kept in list_certificates(session):
        components = load_certificate(kept.data).assembled.components
        if any(part.key.fingerprint == key and part.may_encrypt for part in components):
            found.add(kept.fingerprint)
    return found


def _exposed(use: KeyUse, key: str, owners: set[str]) -> Exposed:
    held = {
        Use.SIGNED: key in (use.signer, use.signing_key),
        # The full report was encrypted to the certificate that signed.
        Use.REPORT: use.has_report and (use.signer == key or use.signer in owners),
        Use.OPENED: use.recipient_key == key,
        Use.SEALED: key in use.vault_keys,
    }
    return Exposed(
        id=use.id,
        kind=use.kind,
        agency_id=use.agency_id,
        received_at=use.received_at,
        state=use.state,
        uses=tuple(name for name, fits in held.items() if fits),
    )
