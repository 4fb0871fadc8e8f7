"""Record rules of DECN: CT-059, CT-060 and CT-062 (CTDS section 8).

CT-062 is checked as far as one record tells; the rest of it is in `decisions`.
"""

from collections.abc import Iterator

from validators.rules.rule import SENTINELS, Record, RecordContext, Rule, Violation, violation

_GROUNDS = frozenset({"POSITIVE", "NEGATIVE", "SUSPENDED", "WITHDRAWN"})
_OUTCOMES = {
    "RG": _GROUNDS,
    "CG": _GROUNDS,
    "DISQ": frozenset({"DISQUALIFIED"}),
    "AGE": frozenset({"ASSESSED_CHILD", "ASSESSED_ADULT"}),
    "LEAVE": frozenset({"GRANTED", "REFUSED"}),
    "REVIEW": frozenset({"UPHELD", "OVERTURNED"}),
}


def outcome_fits_type(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-059: each type of decision has its own outcomes."""
    kind, outcome = record.get("decision_type"), record.get("decision_outcome")
    if outcome not in SENTINELS and outcome not in _OUTCOMES.get(str(kind), ()):
        yield violation("decision_outcome", value=outcome, type=kind)


def negative_has_reason(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-060: a reason stands beside NEGATIVE and nowhere else."""
    given = record.get("negative_reason") is not None
    negative = record.get("decision_outcome") == "NEGATIVE"
    if given and not negative:
        yield violation("negative_reason", detail="it is given, and the decision is not NEGATIVE")
    elif negative and not given:
        yield violation("negative_reason")


def reconsideration_names_decision(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-062: a reconsideration names another decision, not itself."""
    reconsidered = record.get("reconsiders_id")
    nameless = reconsidered is None or reconsidered == record.get("record_id")
    if record.get("is_reconsideration") is True and nameless:
        yield violation("reconsiders_id")


_DECN = frozenset({"DECN"})

RULES = (
    Rule("CT-059", _DECN, outcome_fits_type),
    Rule("CT-060", _DECN, negative_has_reason),
    Rule("CT-062", _DECN, reconsideration_names_decision),
)
