"""Rules over all rows about one child of one agency: CT-028, CT-068 and CT-077 (CTDS section 8).

A child is a `person_ref`; where the case of a row is not in the package, the case stands for it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from validators.rules.group import GroupRule, Member, Misfit, Place, misfit
from validators.rules.rule import RecordContext

_ONE_AT_A_TIME = ("LEGAL_STATUS", "PLACEMENT")


@dataclass(slots=True)
class Child:
    """The rows about one child."""

    cases: list[Member] = field(default_factory=list)
    episodes: list[Member] = field(default_factory=list)
    spells: list[Member] = field(default_factory=list)


def referral_is_sent_once(child: Child, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-028: one child is not identified twice on one day."""
    days = Counter(each.record["identification_date"] for each in child.cases)
    for each in child.cases:
        if days[each.record["identification_date"]] > 1:
            yield misfit(each, "identification_date")


def episodes_do_not_overlap(child: Child, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-068: a child goes missing again only after coming back."""
    for each in _overlapping(child.episodes):
        yield misfit(each, "start_date")


def spells_do_not_overlap(child: Child, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-077: one legal status and one placement at a time."""
    for kind in _ONE_AT_A_TIME:
        spells = [each for each in child.spells if each.record["spell_type"] == kind]
        for each in _overlapping(spells):
            yield misfit(each, "start_date")


def _overlapping(members: Sequence[Member]) -> Iterator[Member]:
    """Both of every two that share more than a day; one without an end lasts for ever."""
    found: dict[Place, Member] = {}
    furthest: Member | None = None
    for each in sorted(members, key=_span):
        if furthest is not None and each.record["start_date"] < _end(furthest):
            found |= {furthest.place: furthest, each.place: each}
        if furthest is None or _end(each) > _end(furthest):
            furthest = each
    return iter(found.values())


def _span(member: Member) -> tuple[date, date]:
    return member.record["start_date"], _end(member)


def _end(member: Member) -> date:
    return member.record["end_date"] or date.max


RULES: tuple[GroupRule[Child], ...] = (
    GroupRule("CT-028", frozenset({"CASE"}), referral_is_sent_once),
    GroupRule("CT-068", frozenset({"MISS"}), episodes_do_not_overlap),
    GroupRule("CT-077", frozenset({"CARE"}), spells_do_not_overlap),
)
