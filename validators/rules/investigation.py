"""Rules over the events of one investigation: CT-083 and CT-084 (CTDS section 8)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from validators.rules.group import GroupRule, Member, Misfit, misfit
from validators.rules.rule import RecordContext

_STAGES = ("CRIME_RECORDED", "ARREST", "CHARGE", "TRIAL_OUTCOME", "SENTENCE")
_CONVICTED = frozenset({"CONV_PLEA", "CONV_TRIAL"})


@dataclass(slots=True)
class Course:
    """The events about one subject; of the investigation itself where nobody is named.

    `broken` where an event of the investigation could not be read.
    """

    events: list[Member] = field(default_factory=list)
    broken: bool = False

    def of(self, event_type: str) -> list[Member]:
        """The events of a type."""
        return [each for each in self.events if each.record["event_type"] == event_type]


def events_are_in_order(course: Course, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-083: the first event of each stage is not before the first of any stage before it."""
    reached = date.min
    for stage in _STAGES:
        events = course.of(stage)
        if not events:
            continue
        first = min(events, key=lambda each: each.record["event_date"])
        if first.record["event_date"] < reached:
            yield misfit(first, "event_date")
        reached = max(reached, first.record["event_date"])


def sentence_follows_conviction(course: Course, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-084: who is sentenced was convicted.

    Judged where the charge or the trial is in the package too; it may have been sent in an earlier
    one, whose records nobody here can read.
    """
    outcomes = {each.record["court_outcome"] for each in course.of("TRIAL_OUTCOME")}
    here = bool(outcomes) or bool(course.of("CHARGE"))
    if here and not course.broken and outcomes.isdisjoint(_CONVICTED):
        for each in course.of("SENTENCE"):
            yield misfit(each, "event_type")


_JUST = frozenset({"JUST"})

RULES: tuple[GroupRule[Course], ...] = (
    GroupRule("CT-083", _JUST, events_are_in_order),
    GroupRule("CT-084", _JUST, sentence_follows_conviction),
)
