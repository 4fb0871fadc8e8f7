"""A rule asked once for each different combination of the columns that it looks at.

Which columns those are is not declared anywhere: a rule is given a record that tells what is read,
and is asked again with one column more whenever it reads another. What it then says of a
combination it says of every row that has it, for it is a pure function and could read nothing else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import polars as pl

from validators.bulk.columns import LookedInside

_MOST_REMEMBERED = 300_000
_NUMBER_BITS = 16
"""Numbers of values fit into as many bits: `columns.MOST_TEXTS` is below their limit."""
_KEY_BITS = 64

Numbers = Mapping[str, pl.Series]
Values = Callable[[str, int], Any]


class _NotTold(Exception):
    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


class _Told(Mapping[str, Any]):
    """A record of which some columns are known; reading any other raises."""

    def __init__(self, known: Mapping[str, Any], prefix: str) -> None:
        self._known = known
        self._prefix = prefix

    def __getitem__(self, column: str) -> Any:
        try:
            return self._known[self._prefix + column]
        except KeyError:
            raise _NotTold(self._prefix + column) from None

    def get(self, column: str, default: Any = None) -> Any:
        """Return a column; a typed record has every column of its type, given or None."""
        del default
        return self[column]

    def __contains__(self, column: object) -> bool:
        self[str(column)]
        return True

    def __iter__(self) -> Iterator[str]:
        raise LookedInside

    def __len__(self) -> int:
        raise LookedInside


Tell = Callable[[str], Mapping[str, Any]]
"""Gives the record whose columns have this prefix; "" for a rule about one record."""


class Question:
    """Whether a rule has nothing to say."""

    def __init__(self, objects: Callable[[Tell], bool], values: Values) -> None:
        """`objects` asks the rule about records that it is given by `Tell`."""
        self._objects = objects
        self._values = values
        self._columns: list[str] = []
        self._answers: dict[int, bool] = {}

    def objections(self, numbers: Numbers, height: int) -> pl.Series:
        """Return True for each row that the rule objects to, or cannot be asked about."""
        while True:
            try:
                return self._asked(numbers, height)
            except _NotTold as missing:
                # What was said so far was said without looking there, and still holds; but keys
                # are made of all columns, so it is asked again.
                self._columns.append(missing.column)
                self._answers.clear()

    def _asked(self, numbers: Numbers, height: int) -> pl.Series:
        if not self._columns:
            return pl.repeat(self._objects_to(()), height, dtype=pl.Boolean, eager=True)
        if len(self._columns) * _NUMBER_BITS > _KEY_BITS:
            return self._asked_of_many(numbers)
        series = [numbers[column].cast(pl.UInt64) for column in self._columns]
        keys = reduce(lambda key, each: key * 2**_NUMBER_BITS + each, series)
        different = keys.unique().drop_nulls().to_list()
        refused = [key for key in different if not self._is_fine(key)]
        # Where a value is unfit there is no key, and nothing was asked.
        return keys.is_in(refused) | keys.is_null()

    def _asked_of_many(self, numbers: Numbers) -> pl.Series:
        frame = pl.DataFrame({column: numbers[column] for column in self._columns})
        different = frame.unique().drop_nulls()
        objected = [self._objects_to(row) for row in different.iter_rows()]
        known = different.with_columns(pl.Series("#", objected, pl.Boolean))
        joined = frame.join(known, on=self._columns, how="left", maintain_order="left")
        return joined["#"].fill_null(value=True)

    def _is_fine(self, key: int) -> bool:
        answer = self._answers.get(key)
        if answer is None:
            answer = not self._objects_to(self._apart(key))
            if len(self._answers) < _MOST_REMEMBERED:
                self._answers[key] = answer
        return answer

    def _apart(self, key: int) -> tuple[int, ...]:
        shifts = range(_NUMBER_BITS * (len(self._columns) - 1), -1, -_NUMBER_BITS)
        return tuple((key >> shift) % 2**_NUMBER_BITS for shift in shifts)

    def _objects_to(self, combination: Sequence[int]) -> bool:
        known = {
            column: self._values(column, number)
            for column, number in zip(self._columns, combination, strict=True)
        }
        try:
            return self._objects(lambda prefix: _Told(known, prefix))
        except LookedInside:
            return True
