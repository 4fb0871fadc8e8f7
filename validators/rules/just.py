"""Record rules of JUST: CT-082, CT-085 and CT-086 (CTDS section 8)."""

from collections.abc import Iterator

from validators.areas import nation_of
from validators.rules.rule import Record, RecordContext, Rule, Violation, violation

# "From CHARGE on": the events of a course that has reached a charge.
_CHARGED = frozenset({"CHARGE", "TRIAL_OUTCOME", "SENTENCE", "CONVICTION_QUASHED"})
_DETAIL = {
    "POLICE_OUTCOME": "police_outcome",
    "TRIAL_OUTCOME": "court_outcome",
    "ORDER_MADE": "order_type",
    "SENTENCE": "sentence_months",
}
_LAW = {
    "MSA": frozenset({"E92000001", "W92000004"}),
    "HTES": frozenset({"S92000003"}),
    "HTENI": frozenset({"N92000002"}),
}


def event_has_its_detail(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-082: each event comes with what it decided; from a charge on there is an offence."""
    event = record.get("event_type")
    needed = [_DETAIL[str(event)]] if event in _DETAIL else []
    if event in _CHARGED:
        needed.append("offence")
    for column in needed:
        if record.get(column) is None:
            yield violation(column, event=event)


def child_as_suspect_is_complete(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-085: a child as suspect has its case, and the statutory defence is spoken of."""
    if record.get("subject_role") == "CHILD_AS_SUSPECT":
        for column in ("case_id", "s45_defence"):
            if record.get(column) is None:
                yield violation(column)
    elif record.get("s45_defence") is not None:
        yield violation("s45_defence")


def offence_is_law_there(record: Record, ctx: RecordContext) -> Iterator[Violation]:
    """CT-086: the three Acts on trafficking hold in their own parts of the kingdom."""
    force = str(record.get("force"))
    agency = ctx.standard.agencies.get(force)
    nation = nation_of(force if agency is None else agency.area, ctx.standard)
    if nation is None:
        return
    for offence in record.get("offence") or ():
        where = _LAW.get(offence.partition("_")[0])
        if where is not None and nation not in where:
            label = ctx.standard.codelists["CL_NATION"].items[nation]
            yield violation("offence", value=offence, nation=label)


_JUST = frozenset({"JUST"})

RULES = (
    Rule("CT-082", _JUST, event_has_its_detail),
    Rule("CT-085", _JUST, child_as_suspect_is_complete),
    Rule("CT-086", _JUST, offence_is_law_there),
)
