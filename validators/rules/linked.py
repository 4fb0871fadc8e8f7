"""Rules between a case and the cases of other agencies that linkage found: CT-104 to CT-106.

Which cases share a token is the gateway's to know; these functions say which of them are about the
same child (rungs 1 to 3 of the ladder in CTDS section 6.4), and what to tell of those. They are
warnings: nothing is returned (CTDS section 8), and nothing that the other agency wrote is repeated.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from validators.rules.group import Member, Misfit, misfit

Token = tuple[str, str]
"""A linkage token as it was received, after the column that it stands in."""

_SAME = ("sex", "birth_year_month")
_NOT_KNOWN = frozenset({None, "U"})
_MOST_DAYS_APART = 7
_STRONG = frozenset({"lt_name_dob", "lt_nrm", "lt_upn", "lt_ho_ref"})
_WITH_SEX = "lt_tokens_dob"


@dataclass(frozen=True, slots=True)
class LinkedCase:
    """What is held of another agency's case; `through` are the columns with the same token."""

    sex: str | None
    birth_year_month: str | None
    nrm_referral_date: date | None
    through: frozenset[str]
    is_missing: bool


def is_same_child(case: Member, other: LinkedCase) -> bool:
    """Tell whether a shared token makes a link: a strong one does, one of sorted names with sex."""
    if other.through & _STRONG:
        return True
    sex = case.record["sex"]
    return _WITH_SEX in other.through and sex is not None and sex == other.sex


def linked_case_agrees(case: Member, linked: Sequence[LinkedCase]) -> Iterator[Misfit]:
    """CT-104: sex and birth month, where they are known, are the same at every agency."""
    for column in _SAME:
        ours = case.record[column]
        others = {getattr(each, column) for each in linked} - _NOT_KNOWN
        if ours not in _NOT_KNOWN and others - {ours}:
            yield misfit(case, column, field=column)


def referral_dates_agree(case: Member, linked: Sequence[LinkedCase]) -> Iterator[Misfit]:
    """CT-105: cases with one NRM reference were referred within 7 days of each other."""
    ours = case.record["nrm_referral_date"]
    for each in linked:
        other = each.nrm_referral_date
        if ours is None or other is None or "lt_nrm" not in each.through:
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
