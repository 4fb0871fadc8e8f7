"""Rules between the counts of one return (CTDS section 8).

Owns CT-088 to CT-090, CT-093 to CT-095 and CT-097. Only what is counted exactly (ACTUAL) is added
up and compared.
"""

import calendar
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import MINYEAR, date, timedelta
from functools import cached_property
from typing import NamedTuple

from validators.areas import covers, own_area
from validators.rules.actv import YEARLY_MEASURES
from validators.rules.group import GroupRule, Member, Misfit, misfit, misfit_of_file
from validators.rules.rule import RecordContext

BREAKDOWNS = ("age_band", "sex", "exploitation_type", "nationality", "county_lines")
_KEY = ("measure", "period_start", "period_end", "area", *BREAKDOWNS)
_NOT_MORE = (
    (("RG_POSITIVE", "RG_NEGATIVE"), ("RG_TOTAL",)),
    (("CG_POSITIVE", "CG_NEGATIVE"), ("CG_TOTAL",)),
    (("STAFF_TRAINED",), ("STAFF_IN_SCOPE",)),
    (("MISSING_CHILDREN",), ("MISSING_EPISODES",)),
)
_SAID_TO_BE_MISSING = frozenset({"NOT_AVAILABLE", "NOT_APPLICABLE"})
_MOST_CHANGE, _LEAST_CHANGE = 0.5, 10
_NOT_CRIMINAL = "county lines is counted under TOTAL, CRIM or what is joined with CRIM only"


class Total(NamedTuple):
    """A count that is not broken down."""

    measure: str
    area: str
    period_start: date
    period_end: date


KnownTotals = Callable[[Collection[Total]], Mapping[Total, int]]
"""Which of these the same agency has sent before, and what it counted."""

_Key = tuple[object, ...]


@dataclass
class Activity:
    """Every count of a return, and the referral dates of its cases, as far as they can be read.

    It misses what could not be.
    """

    counts: list[Member] = field(default_factory=list)
    referrals: list[date] = field(default_factory=list)
    has_cases: bool = False
    misses_cases: bool = False
    misses_counts: bool = False
    known_totals: KnownTotals = lambda _asked: {}

    @cached_property
    def exact(self) -> Mapping[_Key, Member]:
        """What was counted exactly, by everything that tells counts apart."""
        return {_key(each): each for each in self.counts if _is_exact(each)}

    def totals(self) -> Iterator[Member]:
        """The counts that are not broken down."""
        return (each for each in self.exact.values() if _is_total(each))


def count_is_given_once(activity: Activity, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-088: no two rows count the same."""
    times = Counter(map(_key, activity.counts))
    for each in activity.counts:
        if times[_key(each)] > 1:
            yield misfit(each, "count")


def parts_add_up(activity: Activity, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-089: the parts of a breakdown make up its total, or are not more, where one is given."""
    for column in BREAKDOWNS:
        parts, inexact = _parts(activity, column)
        for key, members in parts.items():
            total = activity.exact.get(key)
            if total is None or key in inexact:
                continue
            added, whole = _sum(members), total.record["count"]
            is_told_whole = len(members) > 1 and not activity.misses_counts
            if added > whole or (added < whole and is_told_whole):
                measure = total.record["measure"]
                yield misfit(total, "count", measure=measure, sum=added, total=whole)
                for each in members:
                    yield misfit(each, "count", measure=measure, sum=added, total=whole)


def part_is_not_more_than_whole(activity: Activity, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-090: decisions of a kind, trained staff and missing children are not more than all.

    GUARD_ALLOCATED is not compared: how many waited at the start of the period is not in it.
    """
    for names, limits in _NOT_MORE:
        for key, whole in activity.exact.items():
            if key[0] != limits[0]:
                continue
            parts = [activity.exact.get((name, *key[1:])) for name in names]
            given = [each for each in parts if each is not None]
            if _sum(given) > whole.record["count"]:
                for each in (*given, whole):
                    yield misfit(each, "count", a=" + ".join(names), b=limits[0])


def referrals_are_sent_as_cases(activity: Activity, ctx: RecordContext) -> Iterator[Misfit]:
    """CT-093: the total of NRM referrals is the number of cases referred in the period.

    Not asked where a case could not be read: the count would be called wrong for another's fault.
    Nor of a part of the agency's area, for its cases are from all of it.
    """
    if not activity.has_cases or activity.misses_cases:
        return
    whole = own_area(ctx.agency)
    for each in activity.totals():
        area = each.record["area"]
        if each.record["measure"] != "NRM_REFERRALS" or not covers(area, whole, ctx.standard):
            continue
        start, end = each.record["period_start"], each.record["period_end"]
        sent = sum(start <= day <= end for day in activity.referrals)
        if sent != each.record["count"]:
            yield misfit(each, "count", a=each.record["count"], b=sent)


def change_is_plausible(activity: Activity, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-094: a total moves by no more than half, or by less than 10, from period to period."""
    earlier = {_before(each): each for each in activity.totals()}
    asked = [total for total in earlier if total is not None]
    known = activity.known_totals(asked) if asked else {}
    for total in (each for each in asked if each in known):
        each, before = earlier[total], known[total]
        now = each.record["count"]
        change = abs(now - before)
        if change >= _LEAST_CHANGE and change > _MOST_CHANGE * before:
            yield misfit(each, "count", measure=total.measure, old=before, new=now)


def county_lines_is_criminal(activity: Activity, _ctx: RecordContext) -> Iterator[Misfit]:
    """CT-095: county lines is counted within criminal exploitation, and is not more than that."""
    for each in activity.counts:
        record = each.record
        if record["county_lines"] != "YES":
            continue
        kind = record["exploitation_type"]
        parts = kind.split("+")
        if "CRIM" not in parts and kind != "TOTAL":
            yield misfit(each, "county_lines", detail=_NOT_CRIMINAL)
            continue
        criminal = {**record, "county_lines": "TOTAL"}
        if kind == "TOTAL":
            criminal["exploitation_type"] = "CRIM"
        limit = activity.exact.get(tuple(criminal[column] for column in _KEY))
        # A child in CRIM+SEX is a county lines child outside the row of CRIM alone.
        combined = kind == "TOTAL" and (activity.misses_counts or _has_combinations(activity))
        if limit is None or combined or not _is_exact(each):
            continue
        if record["count"] > limit.record["count"]:
            yield misfit(each, "count", a=record["count"], b=limit.record["count"])


def expected_measures_are_there(activity: Activity, ctx: RecordContext) -> Iterator[Misfit]:
    """CT-097: what the type of agency should count has a total, or is said to be missing.

    A return for a year is asked for what it may hold. Not asked where a count could not be read.
    """
    if not activity.counts or activity.misses_counts:
        return
    told = {
        each.record["measure"]
        for each in activity.counts
        if _is_total(each) or each.record["count_status"] in _SAID_TO_BE_MISSING
    }
    rows = ctx.standard.codelists["CL_MEASURE"].rows
    expected = [row["code"] for row in rows if _is_expected(row["map1"], ctx)]
    if ctx.manifest.period_type == "YEAR":
        expected = [measure for measure in expected if measure in YEARLY_MEASURES]
    missing = [measure for measure in expected if measure not in told]
    if missing:
        kind, named = ctx.agency.agency_type, ", ".join(missing)
        detail = f"neither a total nor a word of why not is given of what {kind} counts: {named}"
        file = activity.counts[0].place.file
        yield misfit_of_file(file, "measure", measure=missing[0], type=kind, detail=detail)


def _is_expected(senders: str, ctx: RecordContext) -> bool:
    """Tell whether the third column of CL_MEASURE names the agency's type."""
    named = {each.strip() for each in senders.split(",")}
    kind = ctx.agency.agency_type
    decides = kind == "OTHER" and ctx.agency.agency_id.startswith("HO-")
    meant = (kind in named, "HO_*" in named and kind.startswith("HO_"), "HO" in named and decides)
    return any(meant) or "all" in named


def _parts(activity: Activity, column: str) -> tuple[dict[_Key, list[Member]], set[_Key]]:
    """The parts by the key of their total, and the totals that have a part not counted exactly."""
    parts: dict[_Key, list[Member]] = defaultdict(list)
    inexact = set()
    for each in activity.counts:
        if each.record[column] == "TOTAL":
            continue
        key = _key(Member(each.place, {**each.record, column: "TOTAL"}))
        parts[key].append(each)
        if not _is_exact(each):
            inexact.add(key)
    return parts, inexact


def _key(member: Member) -> _Key:
    return tuple(member.record[column] for column in _KEY)


def _is_exact(member: Member) -> bool:
    return member.record["count_status"] == "ACTUAL" and member.record["count"] is not None


def _before(member: Member) -> Total | None:
    """The same total of the period before; None where a count is not of whole months."""
    record = member.record
    period = period_before(record["period_start"], record["period_end"])
    return None if period is None else Total(record["measure"], record["area"], *period)


def period_before(start: date, end: date) -> tuple[date, date] | None:
    """Return the period of as many months that ends on the day before; None for other periods."""
    months = (end.year - start.year) * 12 + end.month - start.month + 1
    last = calendar.monthrange(end.year, end.month)[1]
    if start.day != 1 or end.day != last or months < 1:
        return None
    year, month = divmod(start.year * 12 + start.month - 1 - months, 12)
    if year < MINYEAR:
        return None
    return date(year, month + 1, 1), start - timedelta(days=1)


def _is_total(member: Member) -> bool:
    return all(member.record[column] == "TOTAL" for column in BREAKDOWNS)


def _has_combinations(activity: Activity) -> bool:
    kinds = (each.record["exploitation_type"] for each in activity.counts)
    return any("CRIM" in kind.split("+") and kind != "CRIM" for kind in kinds)


def _sum(members: Sequence[Member]) -> int:
    return sum(each.record["count"] for each in members)


_ACTV = frozenset({"ACTV"})

RULES: tuple[GroupRule[Activity], ...] = (
    GroupRule("CT-088", _ACTV, count_is_given_once),
    GroupRule("CT-089", _ACTV, parts_add_up),
    GroupRule("CT-090", _ACTV, part_is_not_more_than_whole),
    GroupRule("CT-093", frozenset({"ACTV", "CASE"}), referrals_are_sent_as_cases),
    GroupRule("CT-094", _ACTV, change_is_plausible),
    GroupRule("CT-095", _ACTV, county_lines_is_criminal),
    GroupRule("CT-097", _ACTV, expected_measures_are_there),
)
