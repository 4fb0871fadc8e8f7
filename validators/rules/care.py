"""Record rules of CARE: CT-078, CT-080, the order of CT-077, and CT-014 (CTDS section 8)."""

from collections.abc import Iterator

from validators.rules.rule import Record, RecordContext, Rule, Violation, violation

_DETAIL = {
    "LEGAL_STATUS": "care_status",
    "PLACEMENT": "placement_type",
    "PLAN": "plan_type",
    "SUPPORT": "support_type",
}
_OF_A_PLACEMENT = ("placed_out_of_area", "placed_in_hotel")


def detail_fits_spell(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-078: of the four details exactly the one that the spell is about is given."""
    spell = record.get("spell_type")
    for kind, column in _DETAIL.items():
        if (record.get(column) is not None) != (kind == spell):
            yield violation(column, value=spell)


def hotel_is_said_twice(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-080: a placement in a hotel is marked as one."""
    if record.get("placement_type") == "HOTEL" and record.get("placed_in_hotel") != "YES":
        yield violation("placed_in_hotel", value="HOTEL")


def starts_before_it_ends(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-077: start_date is not after end_date."""
    start, end = record.get("start_date"), record.get("end_date")
    if start is not None and end is not None and start > end:
        yield violation("end_date")


def placement_and_authority_are_given(record: Record, ctx: RecordContext) -> Iterator[Violation]:
    """CT-014: where a child is placed, and which authority answers for it (section 4.6)."""
    if record.get("spell_type") == "PLACEMENT":
        for column in _OF_A_PLACEMENT:
            if record.get(column) is None:
                yield violation(column)
    if ctx.agency.agency_type != "LA" and record.get("responsible_la") is None:
        yield violation("responsible_la")


_CARE = frozenset({"CARE"})

RULES = (
    Rule("CT-014", _CARE, placement_and_authority_are_given),
    Rule("CT-077", _CARE, starts_before_it_ends),
    Rule("CT-078", _CARE, detail_fits_spell),
    Rule("CT-080", _CARE, hotel_is_said_twice),
)
