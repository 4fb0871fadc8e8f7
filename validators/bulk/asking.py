"""A rule asked once for each different combination of the columns that it looks at.

Which columns those are is not declared anywhere: a rule is given a record that tells what is read,
and is asked again with one column more whenever it reads another. What it then says of a
combination it says of every row that has it, for it is a pure function and could read nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import polars as pl

from validators.bulk.columns import LookedInside

_MOST_REMEMBERED = 300_000
_NUMBER_BITS = 16
"""Numbers of values fit into as many bits: `columns.MOST_TEXTS` is below their limit."""
_KEY_BITS = 64
_MOST_COLUMNS = 7
"""With one more a key could have 128 bits, and polars takes no list of numbers up to there."""

Values = Callable[[str, int], Any]


class NotTold(Exception):
    """A rule reads a column that it was not told."""

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
            raise NotTold(self._prefix + column) from None

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

Objects = Callable[[Tell], bool]
"""Asks a rule about records that it is given by `Tell`: whether it has anything to say."""


class Question:
    """Whether a rule has nothing to say, of one combination of numbers after another."""

    def __init__(self, objects: Objects, values: Values) -> None:
        self._objects = objects
        self._values = values
        self._columns: list[str] = []
        self._answers: dict[int, bool] = {}
        self.key = self._key()

    def _key(self) -> pl.Expr:
        """Return what is one number for each combination of the columns that the rule looks at.

        Null where one of them is: of an unfit cell nothing can be asked.
        """
        kind = pl.UInt64 if len(self._columns) * _NUMBER_BITS <= _KEY_BITS else pl.UInt128
        each_by = pl.lit(2**_NUMBER_BITS, kind)
        columns = (pl.col(column).cast(kind) for column in self._columns)
        return reduce(lambda key, column: key * each_by + column, columns, pl.lit(0, kind))

    def refused(self, keys: Iterable[int]) -> list[int]:
        """Return the keys of those combinations that the rule objects to.

        Raises NotTold where the rule looks at another column; the keys are then other ones.
        """
        return [key for key in keys if not self._is_fine(key)]

    def look_at(self, column: str) -> None:
        """Ask with one column more.

        What was said so far was said without looking there, and still holds; but keys are made of
        all columns, so it is asked again.
        """
        self._columns.append(column)
        self._answers.clear()
        self.key = self._key()

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
        except NotTold:
            if len(self._columns) < _MOST_COLUMNS:
                raise
            return True


class Questions:
    """Rules asked together, so that a block of rows is gone through once for all of them."""

    def __init__(self, asked: Iterable[Objects], values: Values) -> None:
        """`asked` are rules: each says whether it objects to records that it is given by `Tell`."""
        self._questions = [Question(objects, values) for objects in asked]

    def objections(self, numbers: pl.DataFrame) -> pl.Series:
        """Return True for each row that a rule objects to, or cannot be asked about.

        `numbers` has a column for each that rules look at; a row with a null in one is not asked
        about, and what is returned for it says nothing.
        """
        said: list[pl.Expr] = []
        questions = self._questions
        while questions:
            keys = [question.key for question in questions]
            different = numbers.select(
                key.unique().drop_nulls().implode().alias(str(at)) for at, key in enumerate(keys)
            )
            further = []
            found = zip(questions, keys, different.row(0), strict=True)
            for question, key, combinations in found:
                try:
                    refused = question.refused(combinations)
                except NotTold as missing:
                    question.look_at(missing.column)
                    further.append(question)
                    continue
                if refused:
                    said.append(key.is_in(refused))
            questions = further
        none = pl.repeat(value=False, n=numbers.height, dtype=pl.Boolean)
        return numbers.select(pl.any_horizontal(none, *said)).to_series()
