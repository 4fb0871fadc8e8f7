"""Warning of certificates that end soon: 60, 30 and 7 days ahead, each warning given once.

The database remembers what was given, so that neither a restart nor a second worker repeats it.
A certificate that is found late gets the nearest warning only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.actions import Action
from audit.entry import ObjectType
from gateway.flow.lifespan import WARNED_AHEAD, CertificateState, Standing, state_of
from gateway.flow.trail import AuditTrail, What
from gateway.records import SYSTEM
from gateway.store.certificates import give_warning, list_certificates
from gateway.store.database import Database


@dataclass(frozen=True, slots=True)
class ExpiryWarning:
    """A warning that was given now, `days` being the number it is named after."""

    fingerprint: str
    agency_id: str
    days: int

    @property
    def code(self) -> str:
        """Its reason in the audit log."""
        return f"expires-within-{self.days}-days"


class ExpiryWatch:
    """Looks at all certificates now and then."""

    def __init__(
        self, database: Database, trail: AuditTrail, *, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._trail = trail
        self._clock = clock

    def warn(self) -> list[ExpiryWarning]:
        """Give every warning that is due and was not given yet."""
        now = self._clock()
        with self._database.transaction() as session:
            states = [state_of(kept, now=now) for kept in list_certificates(session)]
        return [
            warning
            for state in states
            if state.standing is Standing.EXPIRING
            if (warning := self._give(state, now=now))
        ]

    def _give(self, state: CertificateState, *, now: datetime) -> ExpiryWarning | None:
        if state.expires_at is None:
            return None
        left = state.expires_at - now
        days = min(ahead for ahead in WARNED_AHEAD if left <= timedelta(days=ahead))
        warning = ExpiryWarning(state.fingerprint, state.agency_id, days)
        with self._database.transaction() as session:
            given = give_warning(
                session, state.fingerprint, expires_at=state.expires_at, days=days, now=now
            )
            if not given:
                return None
            what = What(
                agency=state.agency_id,
                object_type=ObjectType.CERTIFICATE,
                object_id=state.fingerprint,
                error_code=warning.code,
            )
            self._trail.record(session, Action.CERTIFICATE_EXPIRING, SYSTEM, what)
        return warning
