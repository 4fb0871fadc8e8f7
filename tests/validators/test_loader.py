"""What is remembered is what the schema says: over a grid of boundaries, and over any row."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validators import samples
from tests.validators.grid import STANDARD, good_rows, grid
from validators.schemas import Loader, build_schema, load_row

SCHEMAS = {
    kind: build_schema(STANDARD, kind, today=samples.RECEIVED_ON) for kind in STANDARD.records
}
LEAST_ROWS = 40_000


def differences(loaders: dict[str, Loader], *, most: int = 1) -> tuple[int, list[object]]:
    """How many rows of the grid were compared, and where a loader differs from its schema."""
    found: list[object] = []
    compared = 0
    for kind, row in grid():
        compared += 1
        exact = load_row(SCHEMAS[kind], row)
        # The second time from memory.
        if any(loaders[kind].load(row) != exact for _ in range(2)):
            found.append((kind, row))
        if len(found) == most:
            break
    return compared, found


def loaders(memory: Callable[[], dict[str, Any]] = dict) -> dict[str, Loader]:
    return {kind: Loader(schema, memory=memory) for kind, schema in SCHEMAS.items()}


def test_a_loader_says_what_the_schema_says_over_the_whole_grid() -> None:
    compared, found = differences(loaders())
    assert found == []
    assert compared >= LEAST_ROWS


class Careless(dict[str, Any]):
    """A memory that takes different texts for one."""

    def __init__(self, alike: Any) -> None:
        super().__init__()
        self._alike = alike

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(self._alike(key), default)

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(self._alike(key), value)


@pytest.mark.parametrize(
    "alike",
    [str.strip, str.lower, lambda text: text[:8], lambda text: text.rstrip("0"), str.casefold],
    ids=["blanks", "case", "only the beginning", "trailing noughts", "folded"],
)
def test_the_grid_catches_a_memory_that_takes_two_for_one(alike: Any) -> None:
    careless = loaders(memory=lambda: Careless(alike))
    assert differences(careless)[1]


def test_the_grid_catches_a_memory_shared_by_columns() -> None:
    shared: dict[str, Any] = {}
    assert differences(loaders(memory=lambda: shared))[1]


VALUES = st.one_of(
    st.none(), st.text(max_size=30), st.integers(), st.booleans(), st.floats(), st.lists(st.text())
)


@pytest.mark.parametrize("kind", STANDARD.records)
@settings(deadline=None)
@given(data=st.data())
def test_a_loader_bears_any_json(kind: str, data: st.DataObject) -> None:
    names = st.sampled_from([*STANDARD.records[kind].header, "unknown"])
    row = {**good_rows()[kind], **data.draw(st.dictionaries(names, VALUES, max_size=5))}
    loader = Loader(SCHEMAS[kind])
    assert loader.load(row) == load_row(SCHEMAS[kind], row) == loader.load(row)
