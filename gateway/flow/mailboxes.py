"""Which mailbox an agency's receipts and reports go to; administrators say so, for the agency.

The log has that it was set and that it was removed, never the address.
"""

from collections.abc import Callable
from datetime import datetime

from audit.actions import Action
from audit.entry import ObjectType, Reason
from gateway.addresses import mailbox_of
from gateway.errors import NotFound
from gateway.flow.trail import AuditTrail, What
from gateway.records import Principal
from gateway.store.agencies import find_agency
from gateway.store.database import Database
from gateway.store.mailboxes import find_mailbox, put_mailbox, remove_mailbox


class Mailboxes:
    """Sets, shows and removes mailboxes."""

    def __init__(
        self, database: Database, trail: AuditTrail, *, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._trail = trail
        self._clock = clock

    def find(self, agency_id: str) -> str | None:
        """The mailbox of an enrolled agency, or None."""
        with self._database.transaction() as session:
            if find_agency(session, agency_id) is None:
                raise NotFound("enrolled agency")
            return find_mailbox(session, agency_id)

    def set(
        self, agency_id: str, address: str, *, by: Principal, reason: Reason | None = None
    ) -> None:
        """Mail an enrolled agency's papers there from now on, those that wait as well.

        Setting what is set already changes nothing and makes no entry. Raises RequestRefused
        `mailbox-malformed`.
        """
        mailbox = mailbox_of(address)
        with self._database.transaction() as session:
            if find_agency(session, agency_id) is None:
                raise NotFound("enrolled agency")
            if put_mailbox(session, agency_id, mailbox, now=self._clock()):
                self._trail.record(session, Action.MAILBOX_SET, by, _about(agency_id, reason))

    def remove(self, agency_id: str, *, by: Principal, reason: Reason | None = None) -> None:
        """Mail an agency nothing any more, from this moment on."""
        with self._database.transaction() as session:
            if not remove_mailbox(session, agency_id):
                raise NotFound("mailbox")
            self._trail.record(session, Action.MAILBOX_REMOVED, by, _about(agency_id, reason))


def _about(agency_id: str, reason: Reason | None) -> What:
    return What(
        agency=agency_id, object_type=ObjectType.AGENCY, object_id=agency_id, reason_code=reason
    )
