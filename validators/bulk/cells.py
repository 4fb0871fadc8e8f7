"""The rows of a frame one by one, as mappings of which only the columns that are read are fetched.

Of a row that is suspect one cell or two are looked at. A dict of each row would be most of the work
in a file where every row is bad.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl


class _Lists(dict[str, list[str]]):
    """The columns that were read so far."""

    def __init__(self, frame: pl.DataFrame) -> None:
        super().__init__()
        self._frame = frame
        self.names = frame.columns

    def __missing__(self, column: str) -> list[str]:
        if column not in self.names:
            raise KeyError(column)
        self[column] = self._frame[column].to_list()
        return self[column]


class Cells(Mapping[str, str]):
    """The cells of one row."""

    __slots__ = ("_columns", "_index")

    def __init__(self, columns: _Lists, index: int) -> None:
        self._columns = columns
        self._index = index

    def __getitem__(self, column: str) -> str:
        return self._columns[column][self._index]

    def get(self, column: str, default: Any = None) -> Any:
        """Return a cell, or the default where there is no such column."""
        # Without an error on the way: of a row of another type columns are asked for in vain.
        return self[column] if column in self._columns.names else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns.names)

    def __len__(self) -> int:
        return len(self._columns.names)


def rows_of(frame: pl.DataFrame) -> Iterator[Cells]:
    """Yield every row, in order."""
    columns = _Lists(frame)
    return (Cells(columns, index) for index in range(frame.height))
