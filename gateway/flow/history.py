"""What the database knows that rules of the standard ask for (CT-003, 008 to 010, 025 and 026)."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from gateway.records import Received
from gateway.store.database import Database
from gateway.store.records import held_records
from gateway.store.submissions import accepted_package, has_accepted_return, package_owner
from validators.rules.linked import LinkedCase


class DatabaseHistory:
    """`validators.run.History` for one upload of one authenticated agency."""

    knows_links = False

    def __init__(self, database: Database, received: Received) -> None:
        self._database = database
        self._received = received

    def is_registered_sender(self, agency_id: str) -> bool:
        """Whether the manifest names the agency that sent the submission."""
        return agency_id == self._received.agency_id

    def first_received(self, submission_id: str) -> date | None:
        """When another submission of this agency used this id first."""
        with self._database.transaction() as session:
            owner = package_owner(session, self._received.agency_id, UUID(submission_id))
            if owner is None or owner.submission_id == self._received.id:
                return None
            return owner.first_received.date()

    def accepted_submission(self, submission_id: str) -> tuple[date, date] | None:
        """The period of an accepted submission of this agency."""
        with self._database.transaction() as session:
            found = accepted_package(session, self._received.agency_id, UUID(submission_id))
        if found is None or found.period_start is None or found.period_end is None:
            return None
        return found.period_start, found.period_end

    def has_accepted_return(self, period_start: date, period_end: date) -> bool:
        """Whether a return for this period stands already."""
        with self._database.transaction() as session:
            return has_accepted_return(session, self._received.agency_id, period_start, period_end)

    def held(
        self, record_type: str, record_ids: Collection[str], *, replacing: UUID | None
    ) -> Collection[str]:
        """Which of these records stand, but for those of what is being replaced."""
        agency_id = self._received.agency_id
        with self._database.transaction() as session:
            replaced = replacing and accepted_package(session, agency_id, replacing)
            return held_records(
                session,
                agency_id,
                record_ids,
                record_type=record_type,
                but_of=[replaced.id] if replaced else (),
            )

    def previous_total(self, measure: str, start: date, end: date) -> int | None:
        """Not known: counts are sealed like everything else."""
        del measure, start, end  # whichever it is
        return None

    def linked_cases(self, tokens: Sequence[tuple[str, str]]) -> Sequence[LinkedCase]:
        """None: cases of different agencies are not linked here yet."""
        del tokens  # whichever they are
        return ()
