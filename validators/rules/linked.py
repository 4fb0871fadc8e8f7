"""Rules between a case and the cases of other agencies that linkage found: CT-104 to CT-106.

Linkage (CTDS section 6) is the gateway's; these functions say what to tell of what it found. They
are warnings: an analyst looks, and nothing is returned (CTDS section 8).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from validators.rules.group import Member, Misfit, misfit

_SAME = ("sex", "birth_year_month")
_MOST_DAYS_APART = 7


@dataclass(frozen=True, slots=True)
class LinkedCase:
    """What is held of another agency's case about the same child."""

    sex: str | None
    birth_year_month: str | None
    nrm_referral_date: date | None
    by_nrm_reference: bool
    is_missing: bool


def linked_case_agrees(case: Member, linked: Sequence[LinkedCase]) -> Iterator[Misfit]:
    """CT-104: sex and birth month are the same at every agency."""
    for column in _SAME:
        ours = case.record[column]
        others = {getattr(each, column) for each in linked} - {None}
        if ours is not None and others - {ours}:
            yield misfit(case, column, field=column)


def referral_dates_agree(case: Member, linked: Sequence[LinkedCase]) -> Iterator[Misfit]:
    """CT-105: cases with one NRM reference were referred within 7 days of each other."""
    ours = case.record["nrm_referral_date"]
    for each in linked:
        other = each.nrm_referral_date
        if ours is None or other is None or not each.by_nrm_reference:
            continue
        if abs((ours - other).days) > _MOST_DAYS_APART:
            yield misfit(case, "nrm_referral_date")
            return


def child_is_not_missing_elsewhere(case: Member, linked: Sequence[LinkedCase]) -> Iterator[Misfit]:
    """CT-106: no other agency has the child as missing."""
    if any(each.is_missing for each in linked):
        yield misfit(case, "person_ref")


RULES: Mapping[str, Callable[[Member, Sequence[LinkedCase]], Iterator[Misfit]]] = {
    "CT-104": linked_case_agrees,
    "CT-105": referral_dates_agree,
    "CT-106": child_is_not_missing_elsewhere,
}
