"""Record rules of GUAR: CT-073 and CT-074, and CT-014 for what they leave open (CTDS section 8)."""

from collections.abc import Iterator
from itertools import combinations

from validators.rules.rule import Record, RecordContext, Rule, Violation, violation

_ACCEPTED = frozenset({"ACCEPTED_DIRECT", "ACCEPTED_RPC"})
_IN_ORDER = ("referral_date", "allocation_date", "end_date")


def details_fit_outcome(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-073: who was accepted has a guardian; who was not referred has a reason and no date."""
    outcome = record.get("referral_outcome")
    if outcome in _ACCEPTED:
        for column in ("allocation_date", "guardian_model"):
            if record.get(column) is None:
                yield violation(column, value=outcome)
    if outcome == "NOT_REFERRED":
        if record.get("not_referred_reason") is None:
            yield violation("not_referred_reason", value=outcome)
        if record.get("referral_date") is not None:
            yield violation("referral_date", value=outcome)


def dates_are_in_order(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-074: referral, allocation and end follow each other."""
    given = [column for column in _IN_ORDER if record.get(column) is not None]
    for earlier, later in combinations(given, 2):
        if record[earlier] > record[later]:
            yield violation(later)


def dates_and_reasons_are_given(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-014: a referral has its date, an end its reason (section 4.5)."""
    if record.get("referral_outcome") != "NOT_REFERRED" and record.get("referral_date") is None:
        yield violation("referral_date")
    if record.get("end_date") is not None and record.get("end_reason") is None:
        yield violation("end_reason")


_GUAR = frozenset({"GUAR"})

RULES = (
    Rule("CT-014", _GUAR, dates_and_reasons_are_given),
    Rule("CT-073", _GUAR, details_fit_outcome),
    Rule("CT-074", _GUAR, dates_are_in_order),
)
