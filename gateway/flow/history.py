"""What the database knows that rules of the standard ask for.

CT-003, 008 to 010, 025 and 026; through linkage CT-094 and CT-104 to CT-106.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from gateway.flow.linkage import Linkage
from gateway.records import Received
from gateway.store.database import Database
from gateway.store.records import held_records
from gateway.store.submissions import accepted_package, has_accepted_return, package_owner
from validators.manifest import Manifest
from validators.rules.activity import Total
from validators.rules.linked import LinkedCase, Token


class DatabaseHistory:
    """`validators.run.History` for one upload of one authenticated agency.

    `stands` tells of a manifest whether its package, if it is good, will stand in the agency's
    name. Of any other nothing is told that others know.
    """

    def __init__(
        self,
        database: Database,
        linkage: Linkage,
        received: Received,
        *,
        stands: Callable[[Manifest], bool],
    ) -> None:
        self._database = database
        self._linkage = linkage
        self._received = received
        self._stands = stands

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

    def replaceable(self, submission_id: UUID, period: tuple[date, date]) -> bool:
        """Whether a submission of this agency that stands has this package id and period."""
        with self._database.transaction() as session:
            found = accepted_package(session, self._received.agency_id, submission_id)
        if found is None or found.superseded_by is not None:
            return False
        return (found.period_start, found.period_end) == period

    def has_accepted_return(self, period_start: date, period_end: date) -> bool:
        """Whether a return for this period stands already."""
        with self._database.transaction() as session:
            return has_accepted_return(session, self._received.agency_id, period_start, period_end)

    def held(
        self, record_type: str | None, record_ids: Collection[str], *, replacing: UUID | None
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

    def totals(self, asked: Collection[Total]) -> Mapping[Total, int]:
        """Which of these totals this agency has sent before."""
        return self._linkage.totals(self._received.agency_id, asked)

    def tells_links(self, manifest: Manifest) -> bool:
        """Whether whoever reads the answer is held to the question."""
        return manifest.submission_type != "TEST" and self._stands(manifest)

    def linked_cases(self, cases: Sequence[Sequence[Token]]) -> Sequence[Sequence[LinkedCase]]:
        """For each case, other agencies' cases that share one of its tokens."""
        return self._linkage.linked_cases(self._received.agency_id, cases)
