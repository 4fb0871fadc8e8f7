"""What other submissions say of the records of one: other agencies' cases, and earlier totals.

Answers CT-094 and CT-104 to CT-106 from what is remembered of accepted submissions that stand.
Tokens are hashed under the pepper before they are looked up, thousands at a time.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from gateway.errors import SettingsRefused
from gateway.flow.facts import (
    WITHDRAWS,
    CaseFacts,
    EpisodeFacts,
    TotalFacts,
    facts_of,
    total_place,
)
from gateway.flow.keeping import Keeping
from gateway.flow.knowncase import KnownCase, Through
from gateway.flow.pepper import Pepper
from gateway.records import Submission
from gateway.store.database import Database
from gateway.store.linkage import (
    Shared,
    Version,
    forget,
    in_statements,
    pepper_in_use,
    shared_with_others,
    versions_about,
)
from validators.rules.activity import Total
from validators.rules.linked import LinkedCase, Token
from validators.standard import RecordType

REMEMBERED_FOR = timedelta(days=731)
"""24 months, as CTDS section 3 has it for linkage fields (`retention_class`)."""


class Linkage:
    """Looks up what is remembered under one pepper."""

    def __init__(
        self, database: Database, pepper: Pepper, *, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._pepper = pepper
        self._clock = clock

    def keeping(self, submission: Submission, case: RecordType) -> Keeping:
        """What turns the accepted rows of a submission into those that are sealed."""
        return Keeping(submission, pepper=self._pepper, case=case)

    def linked_cases(
        self, agency_id: str, cases: Sequence[Sequence[Token]]
    ) -> list[Sequence[LinkedCase]]:
        """For each case, given by its tokens, what is held of other agencies' cases with one."""
        asked: defaultdict[bytes, list[tuple[int, str]]] = defaultdict(list)
        for at, tokens in enumerate(cases):
            for column, token in tokens:
                asked[self._pepper.token(column, token)].append((at, column))
        hits: defaultdict[tuple[int, bytes], list[Through]] = defaultdict(list)
        for shared in self._shared(list(asked), agency_id):
            for at, column in asked[shared.token]:
                hits[at, shared.record] += ((column, by) for by in shared.submissions)
        known = self._known({record for _, record in hits})
        found: list[list[LinkedCase]] = [[] for _ in cases]
        for (at, record), through in hits.items():
            linked = known[record].linked(through)
            found[at] += [] if linked is None else [linked]
        return list(found)

    def totals(self, agency_id: str, asked: Collection[Total]) -> dict[Total, int]:
        """Which of these totals the agency has sent, and what it counted."""
        places = {total_place(self._pepper, agency_id, total): total for total in asked}
        found = {}
        for version in _newest(self._versions(places)):
            facts = TotalFacts(*facts_of(self._pepper, version))
            if version.about in places and facts.action != WITHDRAWS and facts.number is not None:
                found[places[version.about]] = facts.number
        return found

    def forget_old(self) -> int:
        """Remove what was remembered long enough; return how many records it was."""
        with self._database.transaction() as session:
            return forget(session, before=self._since())

    def require_same_pepper(self) -> None:
        """Raise SettingsRefused where what is remembered was made with another pepper.

        Under another one nothing would fail and nothing be found: every child would be a new one.
        """
        with self._database.transaction() as session:
            name = pepper_in_use(session, self._pepper.name, now=self._clock())
        if name != self._pepper.name:
            raise SettingsRefused(
                [
                    "LINKAGE_PEPPER_FILE holds another pepper than the one that cases were linked "
                    "with so far. Put that one back; docs/runbook.md says what if it is lost."
                ]
            )

    def _shared(self, tokens: Sequence[bytes], agency_id: str) -> list[Shared]:
        found: list[Shared] = []
        for some in in_statements(tokens):
            with self._database.transaction() as session:
                found += shared_with_others(session, some, agency_id=agency_id, since=self._since())
        return found

    def _known(self, cases: Collection[bytes]) -> Mapping[bytes, KnownCase]:
        versions = self._versions(cases)
        known = {case: KnownCase() for case in cases}
        for each in versions:
            if each.record in known:
                facts = CaseFacts(*facts_of(self._pepper, each))
                known[each.record].versions[each.submission_id] = facts
        # What is about a case and is not the case itself is a missing episode.
        for each in _newest(versions):
            if each.record not in known and each.about in known:
                episode = EpisodeFacts(*facts_of(self._pepper, each))
                known[each.about].is_missing |= episode.is_open and episode.action != WITHDRAWS
        return known

    def _versions(self, about: Collection[bytes]) -> list[Version]:
        """Every version of each record that ever was about these, the oldest first."""
        found: list[Version] = []
        for some in in_statements(list(about)):
            with self._database.transaction() as session:
                found += versions_about(session, some, since=self._since())
        return found

    def _since(self) -> datetime:
        return self._clock() - REMEMBERED_FOR


def _newest(versions: Sequence[Version]) -> Collection[Version]:
    """The newest version of each record."""
    return {each.record: each for each in versions}.values()
