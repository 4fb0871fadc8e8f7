"""Record rules of JUST: CT-082, CT-085 and CT-086 (CTDS section 8)."""

from collections.abc import Iterator

from validators.areas import covers, nation_of, own_area
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
        if record.get("case_id") is None:
            yield violation("case_id", detail="the case of a child who is the suspect is required")
        if record.get("s45_defence") is None:
            yield violation("s45_defence")
    elif record.get("s45_defence") is not None:
        detail = "it is given, and the subject is not the child as suspect"
        yield violation("s45_defence", detail=detail)


def offence_is_law_there(record: Record, ctx: RecordContext) -> Iterator[Violation]:
    """CT-086: the three Acts on trafficking hold in their own parts of the kingdom."""
    force = str(record.get("force"))
    agency = ctx.standard.agencies.get(force)
    area = force if agency is None else own_area(agency)
    nation = nation_of(area, ctx.standard) or area
    for offence in record.get("offence") or ():
        where = _LAW.get(offence.partition("_")[0])
        if where is not None and not any(covers(nation, each, ctx.standard) for each in where):
            label = ctx.standard.codelists["CL_NATION"].items[nation].partition(" (")[0]
            yield violation("offence", value=offence, nation=label)


_JUST = frozenset({"JUST"})

RULES = (
    Rule("CT-082", _JUST, event_has_its_detail),
    Rule("CT-085", _JUST, child_as_suspect_is_complete),
    Rule("CT-086", _JUST, offence_is_law_there),
)
