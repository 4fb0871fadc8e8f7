"""What is cleared is good, and is kept as the ordinary way keeps it; faults put in are caught."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validators import samples
from tests.validators.grid import STANDARD, good_rows, grid
from validators.accepted import accepted, line_of
from validators.bulk import asking, columns
from validators.bulk.asking import Question, Questions
from validators.bulk.columns import PatternColumn, ValueColumn
from validators.bulk.judging import Clearing
from validators.bulk.reading import ROW
from validators.identifiers import find_identifier
from validators.manifest import load_manifest
from validators.rules import RecordContext, rules_for
from validators.schemas import build_schema, load_row

LEAST_ROWS = 40_000
TODAY: date = samples.RECEIVED_ON
SCHEMAS = {kind: build_schema(STANDARD, kind, today=TODAY) for kind in STANDARD.records}


@cache
def context() -> RecordContext:
    raw = dict(samples.package(STANDARD, samples.children(1)).manifest)
    manifest = load_manifest(raw, standard=STANDARD)
    return RecordContext(STANDARD, manifest, STANDARD.agencies[manifest.agency_id], TODAY)


@cache
def rows_by_type() -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {kind: [] for kind in STANDARD.records}
    for kind, row in grid():
        found[kind].append({name: row.get(name, "") for name in STANDARD.records[kind].header})
    return found


def exactly(kind: str, row: dict[str, str]) -> str | None:
    """The line that is kept of a row with which nothing is wrong; None for any other."""
    record, errors = load_row(SCHEMAS[kind], row)
    if record is None or errors:
        return None
    objections = (each for rule in rules_for(kind) for each in rule.check(record, context()))
    return None if any(True for _ in objections) else line_of(accepted(record))


def cleared(kind: str, rows: list[dict[str, str]]) -> dict[int, str]:
    """The line that is kept of each row that is cleared."""
    texts = pl.DataFrame(rows, dict.fromkeys(STANDARD.records[kind].header, pl.String))
    clearing = Clearing(SCHEMAS[kind], kind, context())
    cleared = clearing.clear(texts.with_row_index(ROW))
    lines = (line for some in clearing.lines(cleared) for line in some["#line"])
    told = (line.removesuffix("\n").split("\t", 1) for line in lines)
    return {int(number): line for number, line in told}


def wrongly_cleared() -> Iterator[tuple[str, dict[str, str]]]:
    for kind, rows in rows_by_type().items():
        for at, line in cleared(kind, rows).items():
            if line != exactly(kind, rows[at]):
                yield kind, rows[at]


def test_over_the_whole_grid_what_is_cleared_is_good_and_kept_as_ever() -> None:
    assert sum(map(len, rows_by_type().values())) >= LEAST_ROWS
    assert next(wrongly_cleared(), None) is None


@pytest.mark.parametrize("kind", sorted(set(STANDARD.records) - {"NARR"}))
def test_nearly_everything_good_is_cleared(kind: str) -> None:
    """Else it would be right, and no faster."""
    rows = rows_by_type()[kind]
    good = {at for at, row in enumerate(rows) if exactly(kind, row) is not None}
    assert len(cleared(kind, rows)) >= 0.95 * len(good) > 30


class _TrimmingColumn(ValueColumn):
    """Takes a text for what is left of it without blanks around."""

    def _texts(self) -> pl.Expr:
        return super()._texts().str.strip_chars()


class _FoldingColumn(ValueColumn):
    """Takes small letters for capital ones."""

    def _texts(self) -> pl.Expr:
        return super()._texts().str.to_uppercase()


class _CuttingColumn(ValueColumn):
    """Looks at the first ten characters alone."""

    def _texts(self) -> pl.Expr:
        return super()._texts().str.slice(0, 10)


class _LenientPattern(PatternColumn):
    """Takes blanks where a value is required."""

    def numbers(self, asked: Sequence[str]) -> pl.Expr:
        return super().numbers(asked).fill_null(columns.NOT_GIVEN)


class _OneColumnQuestion(Question):
    """Looks at the first of its columns alone."""

    def _key(self) -> pl.Expr:
        by = 2 ** (asking._NUMBER_BITS * max(0, len(self._columns) - 1))
        return super()._key() // pl.lit(by, pl.UInt128) * pl.lit(by, pl.UInt128)


FAULTS = {
    "an id in capitals": (columns, "_UUID_4", columns._UUID_4.replace("a-f", "a-fA-F")),
    "an id of another version": (columns, "_UUID_4", columns._UUID_4.replace("-4[", "-[0-9a-f][")),
    "an id with more behind it": (columns, "_UUID_4", columns._UUID_4.rstrip("$")),
    "a token in capitals": (columns, "_TOKEN", "(?i)" + columns._TOKEN),
    "a token of another length": (columns, "_TOKEN_DIGITS", 63),
    "any pseudonym": (columns, "_PSEUDONYM", "^[A-Za-z0-9_-]{8,64}$"),
    "long pseudonyms": (columns, "_PSEUDONYM", columns._PSEUDONYM.replace("59", "99")),
    **{
        f"tokens of four digits, none in {some}": (
            *(columns, "_TOKEN"),
            columns._TOKEN.replace(some, "", 1),
        )
        for some in ("[0-2]", "[3-5]", "[6-8]", "[9ab]", "[c-f]")
    },
    "tokens of blanks": (columns, "DEFAULT_TOKENS", frozenset({"0"})),
    "blanks around": (columns, "ValueColumn", _TrimmingColumn),
    "small letters": (columns, "ValueColumn", _FoldingColumn),
    "only the beginning": (columns, "ValueColumn", _CuttingColumn),
    "ids that are not given": (columns, "PatternColumn", _LenientPattern),
    "narratives": (columns, "TextField", int),
    "keys that run into each other": (asking, "_NUMBER_BITS", 2),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_grid_catches_what_takes_too_much(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, instead = FAULTS[fault]
    monkeypatch.setattr(module, name, instead)
    assert next(wrongly_cleared(), None) is not None


def test_the_grid_catches_a_rule_that_is_half_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "Question", _OneColumnQuestion)
    assert next(wrongly_cleared(), None) is not None


@given(st.from_regex(columns._PSEUDONYM.replace("$", r"\Z"), fullmatch=True))
@settings(max_examples=500)
def test_in_a_pseudonym_that_is_taken_at_sight_no_identifier_can_hide(text: str) -> None:
    assert find_identifier(text) is None


@pytest.mark.parametrize("text", ["SW1A1AA", "QQ123456C", "9434765919", "00447700900123", "P" * 65])
def test_what_may_be_an_identifier_is_not_taken_at_sight(text: str) -> None:
    assert not pl.Series([text, f"AB-{text}", f"{text}-1"]).str.contains(columns._PSEUDONYM).any()


@pytest.mark.parametrize("kind", STANDARD.records)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_any_row_is_cleared_rightly_or_not_at_all(kind: str, data: st.DataObject) -> None:
    header = STANDARD.records[kind].header
    good = {name: good_rows()[kind].get(name, "") for name in header}
    known = [value for row in rows_by_type()[kind][::97] for value in row.values()]
    cell = st.one_of(st.sampled_from(known), st.text(max_size=20))
    changes = st.dictionaries(st.sampled_from(header), cell, max_size=4)
    rows = [{**good, **data.draw(changes)} for _ in range(5)]
    for at, line in cleared(kind, rows).items():
        assert line == exactly(kind, rows[at])


def test_a_column_that_hardly_repeats_goes_the_ordinary_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(columns, "MOST_TEXTS", 3)
    good = {name: good_rows()["CASE"].get(name, "") for name in STANDARD.records["CASE"].header}
    rows = [{**good, "other_children_linked": str(number)} for number in range(9)]
    assert all(exactly("CASE", row) for row in rows)
    assert len(cleared("CASE", rows)) == 3


def test_a_question_is_asked_again_when_a_rule_looks_further() -> None:
    """The first row is told by one column, the second needs another."""
    numbers = pl.DataFrame({"a": [1, 2, 2], "b": [1, 1, 2]}, dict.fromkeys("ab", pl.UInt32))
    asked: list[tuple[int, ...]] = []

    def objects(tell: asking.Tell) -> bool:
        record = tell("")
        found = (record["a"],) if record["a"] == 1 else (record["a"], record["b"])
        asked.append(found)
        return found == (2, 2)

    questions = Questions([objects], _itself)
    assert questions.objections(numbers).to_list() == [False, False, True]
    assert set(asked) == {(1,), (2, 1), (2, 2)}


def test_a_rule_of_more_columns_than_a_key_holds_is_asked_of_no_row() -> None:
    names, most = [f"c{number}" for number in range(8)], 2**16 - 1
    numbers = pl.DataFrame({name: [1, most] for name in names}, dict.fromkeys(names, pl.UInt16))
    seven = Questions([lambda tell: sum(tell("")[name] for name in names[:7]) >= 7], _itself)
    assert seven.objections(numbers).to_list() == [True, True]
    seven = Questions([lambda tell: sum(tell("")[name] for name in names[:7]) == 7 * most], _itself)
    assert seven.objections(numbers).to_list() == [False, True]
    eight = Questions([lambda tell: all(tell("")[name] == most for name in names)], _itself)
    assert eight.objections(numbers).to_list() == [False, True]
    eight = Questions([lambda tell: sum(tell("")[name] for name in names) == 0], _itself)
    assert eight.objections(numbers).to_list() == [True, True]


def _itself(_column: str, number: int) -> int:
    return number
