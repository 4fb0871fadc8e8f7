"""What is known of one case of another agency: its versions, of which the newest counts.

A case is found by the tokens that it has now. An agency may bring it into a new year by an AMEND
with the tokens of that year (CTDS section 6.2): then those of the year before still hold. One whose
tokens were wrong is amended within a year, and is not found by the wrong ones any more.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from gateway.flow.facts import NO_SCHEME, WITHDRAWS, CaseFacts
from validators.rules.linked import LinkedCase

Through = tuple[str, UUID]
"""A column in which a token was the same, and the submission whose version has it."""


@dataclass(slots=True)
class KnownCase:
    """The versions by their submissions, the oldest first, and whether the child is missing."""

    versions: dict[UUID, CaseFacts] = field(default_factory=dict)
    is_missing: bool = False

    def linked(self, through: Iterable[Through]) -> LinkedCase | None:
        """What to hold against a case that shares these tokens; None where none of them counts."""
        if not self.versions:
            return None
        newest = list(self.versions.values())[-1]
        if newest.action == WITHDRAWS or newest.link_scheme == NO_SCHEME:
            return None
        of_scheme = {facts.link_scheme: submission for submission, facts in self.versions.items()}
        columns = frozenset(name for name, by in through if by in of_scheme.values())
        if not columns:
            return None
        return LinkedCase(
            sex=newest.sex,
            birth_year_month=newest.birth_year_month,
            nrm_referral_date=newest.referred_on,
            through=columns,
            is_missing=self.is_missing,
        )
