"""What is remembered of an accepted record: what CT-094 and CT-104 to CT-106 ask for, and no more.

Of a case sex, month of birth, day of referral, and which scheme its tokens are of; of a missing
episode whether it is open; of a total the number. Each version of a record is remembered for
itself, since any of them may be withdrawn.
"""

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from gateway.flow.pepper import Pepper, hash_of
from gateway.store.linkage import Remembered, Version
from validators.accepted import Accepted
from validators.rules.activity import BREAKDOWNS, Total
from validators.rules.tokens import SHARED

WITHDRAWS = "DELETE"
NO_SCHEME = "NONE"


class CaseFacts(NamedTuple):
    """Of a CASE."""

    action: str
    sex: str | None
    birth_year_month: str | None
    referred: str | None
    link_scheme: str

    @property
    def referred_on(self) -> date | None:
        """When the child was referred to the NRM."""
        return date.fromisoformat(self.referred) if self.referred else None


class EpisodeFacts(NamedTuple):
    """Of a MISS."""

    action: str
    is_open: bool


class TotalFacts(NamedTuple):
    """Of an ACTV; None for what is not counted exactly, or is not a total any more."""

    action: str
    number: int | None


Facts = CaseFacts | EpisodeFacts | TotalFacts


class Notes:
    """What one submission of an agency leaves behind, written under the pepper."""

    def __init__(self, pepper: Pepper, *, agency_id: str, submission_id: UUID) -> None:
        self._pepper = pepper
        self._agency_id = agency_id
        self._submission_id = submission_id
        self.taken: list[Remembered] = []

    def take(self, record_type: str, record: Accepted) -> None:
        """Remember a record, whose tokens are peppered, if a rule will ask for it."""
        if record_type == "CASE":
            tokens = tuple(hash_of(record[name]) for name in SHARED if name in record)
            self._take(record_type, record, None, _case(record), tokens)
        elif record_type == "MISS" and "case_id" in record:
            episode = EpisodeFacts(record["record_action"], "end_date" not in record)
            self._take(record_type, record, self._case(record["case_id"]), episode)
        elif record_type == "ACTV" and (_is_total(record) or record["record_action"] != "NEW"):
            about = total_place(self._pepper, self._agency_id, _total(record))
            self._take(record_type, record, about, _count(record))

    def _take(
        self,
        record_type: str,
        record: Accepted,
        about: bytes | None,
        facts: Facts,
        tokens: tuple[bytes, ...] = (),
    ) -> None:
        place = record_place(self._pepper, self._agency_id, record_type, record["record_id"])
        about = about or place  # a case is about itself
        sealed = self._pepper.seal(facts, place=self._submission_id.bytes + place + about)
        self.taken.append(Remembered(place, about, sealed, tokens))

    def _case(self, record_id: str) -> bytes:
        return record_place(self._pepper, self._agency_id, "CASE", record_id)


def record_place(pepper: Pepper, agency_id: str, record_type: str, record_id: str) -> bytes:
    """The hash that stands for a record, the same in every version of it."""
    return pepper.place(agency_id, record_type, record_id)


def total_place(pepper: Pepper, agency_id: str, total: Total) -> bytes:
    """The hash that stands for a total, whichever record counts it."""
    start, end = total.period_start.isoformat(), total.period_end.isoformat()
    return pepper.place(agency_id, "total", total.measure, total.area, start, end)


def facts_of(pepper: Pepper, version: Version) -> list[Any]:
    """What a version says; raises CellDamaged where it stood in another place."""
    place = version.submission_id.bytes + version.record + version.about
    return pepper.open(version.facts, place=place)


def _case(record: Accepted) -> CaseFacts:
    return CaseFacts(
        record["record_action"],
        record.get("sex"),
        record.get("birth_year_month"),
        record.get("nrm_referral_date"),
        record["link_scheme"],
    )


def _count(record: Accepted) -> TotalFacts:
    exact = _is_total(record) and record["count_status"] == "ACTUAL"
    return TotalFacts(record["record_action"], record.get("count") if exact else None)


def _total(record: Accepted) -> Total:
    start, end = record["period_start"], record["period_end"]
    return Total(
        record["measure"], record["area"], date.fromisoformat(start), date.fromisoformat(end)
    )


def _is_total(record: Accepted) -> bool:
    return all(record[column] == "TOTAL" for column in BREAKDOWNS)
