"""What a workbook to fill in says, before it becomes a file of one kind or another.

A sheet for each record type has exactly the columns of the standard, each with a note and, where
the standard names codes, a drop-down. LISTS has every code and what it is called, README what to do
first. Owns all words and widths. `record_id` has a drop-down too, of ids that nobody has used:
people cannot make random ids up, and what they make up can be guessed. `case_id` offers what stands
on the sheet CASE.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from validators.standard import Field, RecordType, Standard
from validators.templates.words import EXAMPLE, HOW_TO, note_of

README, LISTS = "README", "LISTS"
ROWS = 10_000
"""How many rows of a sheet have drop-downs; more can be filled in."""

Rows = Mapping[str, Sequence[Mapping[str, str]]]

_LIST_TYPES = frozenset({"code", "code_list", "bool"})
_WIDTHS = {"uuid": 40, "date": 14, "text": 60, "hex64": 22, "base64": 22, "code_list": 30}


@dataclass(frozen=True, slots=True)
class Choices:
    """A list on LISTS: its place there, its codes and what they are called."""

    column: int
    title: str
    source: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one column, on a sheet of this workbook, that a drop-down shows."""

    sheet: str
    column: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class DropDown:
    """What a column offers; `binds` tells whether anything else is stopped as it is typed."""

    source: Cells
    binds: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet; `required` is R, C or O, `width` counts characters."""

    name: str
    required: str
    note: str
    width: int
    wraps: bool
    drop_down: DropDown | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A record type's sheet; each row has as many cells as there are columns."""

    name: str
    title: str
    purpose: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A whole workbook."""

    title: str
    how_to: tuple[str, ...]
    sheets: tuple[Sheet, ...]
    lists: tuple[Choices, ...]


def plan(
    standard: Standard,
    record_types: Sequence[str],
    *,
    fresh_ids: Sequence[UUID],
    rows: Rows | None = None,
) -> Template:
    """Return a workbook with a sheet for each of these record types, empty or with rows in it.

    `fresh_ids` are random ids (UUID version 4) that nothing else has.
    """
    ids = tuple((str(each), "") for each in fresh_ids)
    lists = {"record_id": Choices(1, "Fresh ids for record_id", "use each once", ids)}
    for field in _listed(standard, record_types):
        if _key(field) not in lists:
            lists[_key(field)] = _choices(standard, field, column=2 * len(lists) + 1)
    return Template(
        f"{'A return' if rows is None else 'An invented return'} under {standard.label}",
        HOW_TO if rows is None else (*EXAMPLE, *HOW_TO),
        tuple(
            _sheet(standard.records[kind], lists, record_types, (rows or {}).get(kind, ()))
            for kind in record_types
        ),
        tuple(lists.values()),
    )


def _listed(standard: Standard, record_types: Sequence[str]) -> Iterator[Field]:
    for kind in record_types:
        for field in standard.records[kind].fields:
            if field.type in _LIST_TYPES and (field.type == "bool" or _names_codes(field)):
                yield field


def _names_codes(field: Field) -> bool:
    return bool(field.codelists or field.extra_codes)


def _key(field: Field) -> str:
    """One key for all fields that take the same codes."""
    if field.type == "bool":
        return "bool"
    parts = (*field.codelists, *field.extra_codes, "but", *field.excluded_codes)
    return " ".join((*parts, field.combines or "", "with missing" if field.sentinels else ""))


def _choices(standard: Standard, field: Field, *, column: int) -> Choices:
    if field.type == "bool":
        return Choices(column, "Yes or no", "", (("true", "Yes"), ("false", "No")))
    names = (*field.codelists, *filter(None, [field.combines]))
    labels: dict[str, str] = {}
    for name in names:
        labels |= standard.codelists[name].items
    labels |= dict.fromkeys((code for code in field.extra_codes if code not in labels), "")
    if field.sentinels:
        labels = {**standard.codelists["CL_SENTINEL"].items, **labels}
    items = [(code, labels[code]) for code in labels if code not in field.excluded_codes]
    title = ", ".join(standard.codelists[name].title for name in names) or field.name
    return Choices(column, title, " + ".join(names), tuple(_sentinels_last(standard, items)))


def _sentinels_last(
    standard: Standard, items: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    missing = standard.codelists["CL_SENTINEL"].items
    yield from (item for item in items if item[0] not in missing)
    yield from (item for item in items if item[0] in missing)


def _sheet(
    record_type: RecordType,
    lists: Mapping[str, Choices],
    record_types: Sequence[str],
    rows: Sequence[Mapping[str, str]],
) -> Sheet:
    columns = tuple(_column(field, lists, record_types) for field in record_type.fields)
    cells = tuple(tuple(row.get(name, "") for name in record_type.header) for row in rows)
    return Sheet(record_type.code, record_type.title, record_type.purpose, columns, cells)


def _column(field: Field, lists: Mapping[str, Choices], record_types: Sequence[str]) -> Column:
    offered = lists.get(field.name if field.name == "record_id" else _key(field))
    return Column(
        field.name,
        field.required,
        note_of(field, () if offered is None else offered.items),
        max(_WIDTHS.get(field.type, 14), len(field.name) + 4),
        field.type == "text",
        _drop_down(field, offered, record_types),
    )


def _drop_down(
    field: Field, offered: Choices | None, record_types: Sequence[str]
) -> DropDown | None:
    if field.name == "case_id" and "CASE" in record_types:
        # The ids stand in the first column of CASE.
        return DropDown(Cells("CASE", 1, 2, ROWS + 1), binds=False)
    if offered is None or not offered.items:
        return None
    source = Cells(LISTS, offered.column, 3, len(offered.items) + 2)
    # A cell that may join several codes, or take an id from elsewhere, is not held to the list.
    binds = field.type in ("code", "bool") and field.combines is None
    return DropDown(source, binds)
