"""Record rules of EXPL: CT-043 to CT-045, CT-047, CT-050 and CT-051 (CTDS section 8)."""

from collections.abc import Iterator

from validators.rules.dates import comes_after
from validators.rules.rule import SENTINELS, Record, RecordContext, Rule, Violation, violation

_IN_UK = frozenset({"UK", "UK_OVERSEAS"})
_ABROAD = frozenset({"OVERSEAS", "UK_OVERSEAS"})


def county_lines_is_criminal(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-043: county lines is a form of criminal exploitation and of no other."""
    if record.get("county_lines") == "YES" and record.get("exploitation_type") != "CRIM":
        yield violation("county_lines")


def county_lines_moves_within_uk(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-044: county lines happens in the UK and involves movement."""
    if record.get("county_lines") != "YES":
        return
    if record.get("location_category") not in _IN_UK:
        yield violation("location_category")
    if record.get("movement_type") == "NONE":
        yield violation("movement_type")


def subtype_belongs_to_type(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-045: the subtype begins with the type, as SEX.IMAGES begins with SEX."""
    kind, subtype = record.get("exploitation_type"), record.get("exploitation_subtype")
    if subtype is None or subtype in SENTINELS:
        return
    if not subtype.startswith(f"{kind}."):
        yield violation("exploitation_subtype", value=subtype, type=kind)


def starts_before_it_ends(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-047: start_date is not after end_date, at the coarser precision of the two."""
    start, end = record.get("start_date"), record.get("end_date")
    if start is not None and end is not None and comes_after(start, end):
        yield violation("end_date")


def place_is_complete(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-050: in the UK needs an authority or UNK; overseas needs a country other than GBR."""
    location = record.get("location_category")
    if location in _IN_UK and not record.get("uk_la"):
        yield violation("uk_la")
    if location in _ABROAD and not set(record.get("overseas_country") or ()) - {"GBR"}:
        yield violation("overseas_country")


def overseas_moves_into_uk(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-051: exploitation overseas only goes with movement into the UK, or not known."""
    overseas = record.get("location_category") == "OVERSEAS"
    if overseas and record.get("movement_type") not in {"INTO_UK", "UNK"}:
        yield violation("movement_type")


_EXPL = frozenset({"EXPL"})

RULES = (
    Rule("CT-043", _EXPL, county_lines_is_criminal),
    Rule("CT-044", _EXPL, county_lines_moves_within_uk),
    Rule("CT-045", _EXPL, subtype_belongs_to_type),
    Rule("CT-047", _EXPL, starts_before_it_ends),
    Rule("CT-050", _EXPL, place_is_complete),
    Rule("CT-051", _EXPL, overseas_moves_into_uk),
)
