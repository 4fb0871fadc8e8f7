"""The cells of one column: which of them its field takes, and what it makes of them.

Owns two ways to ask a field. Most columns hold few different texts: the field is asked for each of
them once, and the text gets a number. Ids and tokens are all different: they are held against a
pattern first, and the field is asked for those alone that do not match it.
"""

import json
from collections.abc import Sequence
from typing import Any, Protocol

import polars as pl
from marshmallow.fields import Field

from validators.accepted import jsonable
from validators.fields import Broken, RecordField, TextField
from validators.fields.ids import DEFAULT_TOKENS, Hex64Field, UuidField
from validators.fields.text import StringField

MOST_TEXTS = 60_000
NOT_GIVEN = 0
"""The number of a cell that is blank; `UNFIT` is the number of one that its field may not take."""
UNFIT = None

_UUID_4 = "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
# A pseudonym in which no identifier can hide: one long word, which is longer than any of them, and
# a short prefix without digits at most (CT-021).
_PSEUDONYM = "^(?:[A-Za-z]{1,4}[-_])?[A-Za-z0-9]{15,59}$"
_PSEUDONYM_FORM = "[A-Za-z0-9_-]+"
# A token: digits of five groups in their order, so that five of them are different and it is no
# placeholder (CT-102). Of real tokens three in a thousand have them in no such order.
_TOKEN = "[0-9a-f]*".join(("^", "[0-2]", "[3-5]", "[6-8]", "[9ab]", "[c-f]", "$"))
_TOKEN_DIGITS = 64

Around = tuple[str, str]
"""What stands before and after a member of a JSON object."""


class Column(Protocol):
    """A column of a record type, over the whole of a file."""

    name: str
    is_by_number: bool
    """Whether members are made of the numbers of cells, and not of their texts."""

    asked: pl.Expr
    """The different texts that the field has to be asked about, as one list."""

    def numbers(self, asked: Sequence[str]) -> pl.Expr:
        """Return a number for each cell: UNFIT, or one that stands for what the field makes of it.

        `asked` are the texts of these cells that `self.asked` told, or the one text of all cells.
        Cells with one number have one typed value, as far as a rule may look at it.
        """

    def value(self, number: int) -> Any:
        """Return the typed value that a number stands for, for a rule to look at."""

    def json(self, lowest: int, highest: int) -> Sequence[pl.Expr | str]:
        """Return the pieces of each cell as a member of a JSON object, null where it is not given.

        `lowest` and `highest` are of the numbers of all these cells. Most columns of most returns
        say the same in all rows: that is text, and no piece at all where nothing is given.
        """


class Given:
    """Stands for an id or token: a rule may ask whether there is one, and nothing else.

    Whatever else is asked raises, and the row that it was asked of is not cleared.
    """

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if other is None:
            return False
        raise LookedInside

    def __hash__(self) -> int:
        raise LookedInside

    def __str__(self) -> str:
        raise LookedInside

    def __len__(self) -> int:
        raise LookedInside

    def __getitem__(self, _part: object) -> str:
        raise LookedInside


class LookedInside(Exception):
    """A rule asked more of a row than can be said of it in bulk."""


def column_for(field: Field[Any], name: str, around: Around) -> Column:
    """Return the way to ask a field of a record schema; `around` is put around its members."""
    assert isinstance(field, RecordField)
    pattern = _pattern_for(field)
    if pattern is None:
        return ValueColumn(field, name, around)
    return PatternColumn(field, name, around, pattern)


def _pattern_for(field: RecordField[Any]) -> str | None:
    if isinstance(field, UuidField):
        return _UUID_4
    if isinstance(field, Hex64Field) and field.definition.privacy == "L":
        return _TOKEN
    is_pseudonym = isinstance(field, StringField) and field.definition.pattern == _PSEUDONYM_FORM
    limits = field.definition.minimum, field.definition.maximum
    return _PSEUDONYM if is_pseudonym and limits == (8, 64) else None


class PatternColumn:
    """A column of ids or tokens, which need no escapes in JSON and are their own typed value."""

    is_by_number = False

    def __init__(self, field: RecordField[Any], name: str, around: Around, pattern: str) -> None:
        self.name = name
        self._around = around
        self._field = field
        # Blanks are passed over first: of the columns of tokens most are blank in all rows.
        given = pl.col(name).filter(pl.col(name) != "")
        matches = given.str.contains(pattern)
        if pattern == _TOKEN:
            matches &= given.str.len_bytes() == _TOKEN_DIGITS
            # The hashes of blanks, which the field refuses too, look like any other.
            matches &= ~given.is_in(sorted(DEFAULT_TOKENS))
        self.asked = given.filter(~matches).unique().implode()

    def numbers(self, asked: Sequence[str]) -> pl.Expr:
        """Return 1 for what matches and 0 for what is not given."""
        texts = pl.col(self.name)
        blank = pl.lit(UNFIT if self._field.required else NOT_GIVEN, pl.UInt16)
        given = pl.lit(1, pl.UInt16)
        if refused := [text for text in asked if text and not self._takes(text)]:
            given = pl.when(texts.is_in(refused)).then(pl.lit(UNFIT, pl.UInt16)).otherwise(given)
        return pl.when(texts == "").then(blank).otherwise(given).alias(self.name)

    def value(self, number: int) -> Any:
        """Return what says that there is an id, and not which."""
        return Given() if number else None

    def json(self, lowest: int, highest: int) -> Sequence[pl.Expr | str]:
        """Return members whose text needs no escapes."""
        if highest == NOT_GIVEN:
            return ()
        before, after = self._around
        begin, text, end = f'{before}"{self.name}": "', pl.col(self.name), f'"{after}'
        if lowest != NOT_GIVEN:
            return begin, text, end
        return (pl.when(text != "").then(pl.concat_str(pl.lit(begin), text, pl.lit(end))),)

    def _takes(self, text: str) -> bool:
        try:
            return bool(self._field.deserialize(text, self.name) == text)
        except Broken:
            return False


class ValueColumn:
    """A column whose texts repeat: the field is asked once for each."""

    is_by_number = True

    def __init__(self, field: RecordField[Any], name: str, around: Around) -> None:
        self.name = name
        self._around = around
        self._field = field
        self._known: dict[str, int] = {}
        self._values: list[Any] = [None]
        self._members: list[str | None] = [None]
        self.asked = self._texts().unique().implode()

    def numbers(self, asked: Sequence[str]) -> pl.Expr:
        """Return the number of each text's value."""
        for text in asked:
            if text not in self._known:
                self._learn(text)
        numbers = pl.Series([self._known.get(text) for text in asked], dtype=pl.UInt16)
        if len(asked) == 1:
            return pl.lit(numbers[0], pl.UInt16).alias(self.name)
        return self._texts().replace_strict(asked, numbers, default=None, return_dtype=pl.UInt16)

    def value(self, number: int) -> Any:
        """Return the typed value itself."""
        return self._values[number]

    def json(self, lowest: int, highest: int) -> Sequence[pl.Expr | str]:
        """Return the members that belong to the numbers."""
        if lowest == highest:
            member = self._members[lowest]
            return () if member is None else (member,)
        members = pl.lit(pl.Series(self._members, dtype=pl.String))
        return (members.gather(pl.col(self.name)),)

    def _texts(self) -> pl.Expr:
        return pl.col(self.name)

    def _learn(self, text: str) -> None:
        if len(self._values) > MOST_TEXTS:
            return  # a column that hardly repeats goes the ordinary way
        try:
            value = self._field.deserialize(text, self.name)
        except Broken:
            return  # and not remembered: it may be long, and each row may have another
        if value is not None and isinstance(self._field, TextField):
            return  # narratives are read one by one, for they may warn
        self._known[text] = NOT_GIVEN if value is None else len(self._values)
        if value is not None:
            self._values.append(value)
            before, after = self._around
            self._members.append(f'{before}"{self.name}": {_json(value)}{after}')


def _json(value: Any) -> str:
    return json.dumps(jsonable(value), ensure_ascii=False, sort_keys=True)
