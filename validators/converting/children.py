"""The agency's own list of children, beside an export: who is in scope, and what the export lacks.

One row for each child, found by the number that the export has for it. A column may be any of CASE
or EXPL that an agency fills in itself; names and references are for tokens alone. Each cell is held
against the standard before it is taken, so that no name can travel in a column meant for a code.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, fields

from marshmallow import ValidationError

from validators.converting.made import Notes
from validators.converting.problems import Place, Problems
from validators.converting.sender import Sender
from validators.converting.tables import Source, SourceRow, SourceTable
from validators.linkage import Sources, day
from validators.schemas import build_schema
from validators.standard import RecordType

NAMES = ("forename", "surname", "nrm_reference", "ho_reference")
_MADE = frozenset(
    {
        "record_id",
        "record_action",
        "case_id",
        "person_ref",
        "link_scheme",
        "clk",
        "birth_year_month",
        "is_primary",
    }
)
_FIRST_MEND = "Write it as the standard wants it: see the page of the record type."


@dataclass(frozen=True, slots=True, repr=False)
class Child:
    """What the agency says of one child. Not shown by repr: it holds a name."""

    place: Place
    identity: Mapping[str, str]
    case: Mapping[str, str]
    situation: Mapping[str, str]


Children = Mapping[str, Child]
"""By the number that the export has for a child."""


def read_children(
    source: Source, sender: Sender, *, number: str, problems: Problems, notes: Notes
) -> dict[str, Child]:
    """Return the list; `number` is the name of the column of the export's number of a child."""
    table = SourceTable(source, problems)
    case, situation = (settable(sender.standard.records[kind]) for kind in ("CASE", "EXPL"))
    known = (number, *NAMES, *case, *situation)
    notes.columns_left_out(table.name, table.unknown(known))
    listed: dict[str, Child] = {}
    for row in table.rows(known, required=[number]):
        if not row.cells[number]:
            mend = f"Give {number} as the export has it."
            problems.add(row.place, "it is blank", mend=mend, column=number)
        elif row.cells[number] in listed:
            message = "the child stands in the list twice"
            problems.add(row.place, message, mend="Keep one row for each child.", column=number)
        else:
            listed[row.cells[number]] = Child(
                row.place,
                {name: row.cells[name] for name in NAMES if name in row.cells},
                _checked(row, "CASE", case, sender, problems),
                _checked(row, "EXPL", situation, sender, problems),
            )
    return listed


def require_found(
    children: Children, found: Container[str], problems: Problems, *, number: str
) -> None:
    """Note each child of the list that is not in the export: its number may be mistyped."""
    for each, child in children.items():
        if each not in found:
            mend = f"Compare {number} in both."
            problems.add(child.place, "the child is not in the export", mend=mend, column=number)


def settable(kind: RecordType) -> tuple[str, ...]:
    """Return the columns of a record type that an agency may fill in itself."""
    made = _MADE | {each.default for each in fields(Sources)}
    free = (name for name in kind.header if name not in made or name == "sex")
    return tuple(name for name in free if not name.startswith("lt_"))


def fits(kind: str, column: str, cell: str, sender: Sender) -> bool:
    """Tell whether a cell is what the standard takes in this column."""
    schema = build_schema(sender.standard, kind, today=sender.today)
    try:
        schema.fields[column].deserialize(cell, column)
    except ValidationError:
        return False
    return True


def _checked(
    row: SourceRow, kind: str, columns: tuple[str, ...], sender: Sender, problems: Problems
) -> dict[str, str]:
    taken = {}
    for column in columns:
        cell = row.cells.get(column, "")
        if not cell:
            continue
        if sender.standard.records[kind].field(column).type == "date":
            given = day(cell)
            cell = cell if given is None else given.isoformat()
        if fits(kind, column, cell, sender):
            taken[column] = cell
        else:
            message = f"{kind} does not take what stands there"
            problems.add(row.place, message, mend=_FIRST_MEND, column=column)
    return taken
