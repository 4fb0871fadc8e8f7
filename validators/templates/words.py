"""What a workbook to fill in tells a case worker: the first page, and the note on each column."""

from collections.abc import Iterator, Sequence

from validators.standard import Field

_MOST_IN_NOTE = 16
_SAID_BY_FORM = frozenset({"uuid", "date", "partial_date", "hex64"})
_NEEDS = {
    "R": "Required.",
    "C": "Required in some cases.",
    "O": "Optional: leave it blank if you do not know.",
}
_FORMS = {
    "uuid": "A random id (UUID version 4, small letters).",
    "date": "A date, written 2026-03-31.",
    "partial_date": "A date, written 2026, 2026-03 or 2026-03-31, as much as you know.",
    "yyyy-mm": "A month, written 2026-03.",
    "int": "A whole number.",
    "decimal": "A number with a point, without a currency sign.",
    "text": "Plain words. No names, addresses or dates of birth.",
    "hex64": "64 characters, 0-9 and a-f.",
}

HOW_TO = (
    "One sheet for each kind of record. Fill in the kinds that you have, from row 2 on; leave the "
    "others as they are. Row 1 stays as it is.",
    "Point at the name of a column to read what belongs into it. Dark blue is required, light blue "
    "is required in some cases, grey is optional.",
    "Choose codes from the drop-down of the cell; what they mean stands on the sheet LISTS. Where "
    "several codes are allowed in one cell, join them with a semicolon: S47;CP",
    "Each row has a record_id of its own: choose the next one that is free from the drop-down, and "
    "write down in your own system which child it stands for. A row sent again keeps its id.",
    "EXPL, DECN, MISS and the others name their child in case_id: choose the record_id of the row "
    "on CASE.",
    "All cells are text, so that nothing is turned into another form. Dates are written "
    "2026-03-31, months 2026-03; what is one of two is true or false, and where there is a list, "
    "such as YES and NO, its codes stand.",
    "No names, no addresses, no dates of birth, no case numbers, in any cell.",
    "The columns lt_... and clk tell one child from another without a name. gateway pseudonymise "
    "makes them; without it, leave them blank, set link_scheme to NONE and say why in "
    "link_absent_reason.",
    "Check it as often as you like; nothing is sent: "
    "gateway validate return.xlsx --profile agency.toml --period 2026Q1",
)
EXAMPLE = (
    "EXAMPLE: every child, date and number in this workbook is invented, and stands for nobody. It "
    "shows a return of one local authority for the first quarter of 2026. To practise sending it, "
    "make its package with --type TEST.",
)


def note_of(field: Field, items: Sequence[tuple[str, str]]) -> str:
    """What belongs into a column: a few lines, with the codes where they are few."""
    return "\n".join(part for part in _parts(field, items) if part)


def _parts(field: Field, items: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield _NEEDS[field.required]
    yield field.note[:1].upper() + field.note[1:]
    yield _FORMS.get(field.type, "")
    if field.name == "record_id":
        yield "Choose one that is free from the list, and use it for one row only."
    elif field.type == "string" and field.name.endswith("_ref"):
        yield "Never a name, a date of birth or a case number: nobody can tell from it who it is."
    elif field.type == "code_list":
        yield "Several codes are joined with a semicolon."
    if field.combines is not None:
        yield "Several types are joined with +, in the order of the alphabet: CRIM+LAB."
    if not _has_codes(field, items):
        yield _range_of(field)
    elif len(items) <= _MOST_IN_NOTE:
        yield "\n".join(f"{code}  {label}".rstrip() for code, label in items)
    else:
        yield f"{len(items)} codes: see LISTS."


def _has_codes(field: Field, items: Sequence[tuple[str, str]]) -> bool:
    return bool(items) and field.name != "record_id"


def _range_of(field: Field) -> str:
    """The values as the standard says them, as far as the form does not say it all."""
    if field.type not in _SAID_BY_FORM:
        return f"{field.values}."
    _, blank, meaning = field.values.partition("blank = ")
    return f"Blank: {meaning}." if blank else ""
