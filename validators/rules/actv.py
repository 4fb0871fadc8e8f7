"""Record rules of ACTV: CT-091, CT-092, CT-096, and CT-004 for yearly packages (CTDS section 8)."""

from collections.abc import Iterator

from validators.areas import covers
from validators.rules.rule import Record, RecordContext, Rule, Violation, violation

_NEED_A_COUNT = frozenset({"ACTUAL", "ESTIMATE"})
YEARLY_MEASURES = frozenset({"STAFF_TRAINED", "STAFF_IN_SCOPE", "SPEND_GBP"})
_OUTSIDE = "the dates of this count lie outside the period of this return"
_REVERSED = "this count ends before it starts"
_NOT_YEARLY = f"a return for a year counts only {', '.join(sorted(YEARLY_MEASURES))}"
_DECISIONS = frozenset({"DECISIONS"})
_PEOPLE = frozenset({"PEOPLE"})
_CHILDREN = frozenset({"CHILDREN"})
_UNITS = {
    "RG_POSITIVE": _DECISIONS,
    "RG_NEGATIVE": _DECISIONS,
    "RG_TOTAL": _DECISIONS,
    "CG_POSITIVE": _DECISIONS,
    "CG_NEGATIVE": _DECISIONS,
    "CG_TOTAL": _DECISIONS,
    "RECON_REQUESTS": _DECISIONS,
    "RECON_OVERTURNED": _DECISIONS,
    "MISSING_EPISODES": frozenset({"EPISODES"}),
    # An interview follows an episode; some authorities count the children interviewed.
    "RHI_OFFERED": frozenset({"EPISODES", "CHILDREN"}),
    "CRIMES_RECORDED": frozenset({"CRIMES"}),
    "INVESTIGATIONS_LIVE": frozenset({"CRIMES"}),
    "ARRESTS": _PEOPLE,
    "CHARGED": _PEOPLE,
    "PROSECUTED": _PEOPLE,
    "CONVICTED": _PEOPLE,
    "ACQUITTED": _PEOPLE,
    "ORDERS_STPO_STRO": frozenset({"PEOPLE", "DECISIONS"}),
    "STAFF_TRAINED": frozenset({"STAFF"}),
    "STAFF_IN_SCOPE": frozenset({"STAFF"}),
    "SPEND_GBP": frozenset({"GBP"}),
    "CALLS": frozenset({"CONTACTS"}),
}


def count_fits_status(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-091: an actual or estimated count is given as a number."""
    if record.get("count") is None and record.get("count_status") in _NEED_A_COUNT:
        yield violation("count")


def unit_fits_measure(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-092: the unit is what the measure counts: children, unless listed otherwise."""
    measure, unit = record.get("measure"), record.get("unit")
    if unit not in _UNITS.get(str(measure), _CHILDREN):
        yield violation("unit", value=unit, measure=measure)


def lies_in_period_and_area(record: Record, ctx: RecordContext) -> Iterator[Violation]:
    """CT-096: the count lies within the package's period and the agency's own area."""
    area, start, end = record["area"], record["period_start"], record["period_end"]
    if start > end:
        yield violation("period_end", detail=_REVERSED)
    elif not ctx.manifest.period_start <= start <= end <= ctx.manifest.period_end:
        yield violation("period_start", detail=_OUTSIDE)
    if not covers(ctx.agency.area, area, ctx.standard):
        yield violation("area", value=area)


def year_has_yearly_measures(record: Record, ctx: RecordContext) -> Iterator[Violation]:
    """CT-004: a period of a year is for staff and spending only (CTDS section 3)."""
    if ctx.manifest.period_type == "YEAR" and record.get("measure") not in YEARLY_MEASURES:
        yield violation("measure", detail=_NOT_YEARLY)


_ACTV = frozenset({"ACTV"})

RULES = (
    Rule("CT-004", _ACTV, year_has_yearly_measures),
    Rule("CT-091", _ACTV, count_fits_status),
    Rule("CT-092", _ACTV, unit_fits_measure),
    Rule("CT-096", _ACTV, lies_in_period_and_area),
)
