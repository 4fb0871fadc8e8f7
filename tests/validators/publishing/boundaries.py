"""Values at the boundaries of each field, and what the gateway itself says of them."""

from collections.abc import Iterator

from tests.validators import samples
from tests.validators.grid import good_rows, grid
from validators.schemas import build_schema, load_row
from validators.standard import load_standard

STANDARD = load_standard()
ROWS = good_rows()


def rules_broken(kind: str, name: str, value: object) -> set[str]:
    """The rules that the gateway says a value breaks."""
    fields = build_schema(STANDARD, kind, today=samples.RECEIVED_ON)
    _, found = load_row(fields, {**ROWS[kind], name: value})
    return {each.rule for each in found if each.column == name and each.rule != "CT-022"}


def changed() -> Iterator[tuple[str, str, str]]:
    """Each record type, field and value of the grid."""
    for kind, row in grid():
        for name in row.keys() - {key for key, value in ROWS[kind].items() if row[key] == value}:
            yield kind, name, row[name]
