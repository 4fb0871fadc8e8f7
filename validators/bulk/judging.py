"""The rows of one package judged in bulk; see the package's own words on how.

A row is cleared where every field takes its cell and no rule of its type objects. Cleared rows are
kept as they are put together here; all others are judged by `Rows`, in their order. CSV files are
read in blocks, files of other kinds row by row, and both are held against each other all the same.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from heapq import merge
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import polars as pl
from marshmallow import Schema

from validators.accepted import AcceptedRows, line_of
from validators.bulk.ahead import Behind, ahead
from validators.bulk.asking import Questions, Tell
from validators.bulk.cells import Cells, rows_of
from validators.bulk.columns import Around, Column, column_for
from validators.bulk.groups import BulkCrossRecord, BulkRecordIds
from validators.bulk.reading import ROW, Block, read_blocks
from validators.filenames import record_type_of
from validators.package import Package
from validators.readers import Row
from validators.rows import JudgedFile, Rows
from validators.rules import RecordContext, Rule, rules_for
from validators.rules.attachments import Scan
from validators.rules.completeness import UNKNOWN, Completeness
from validators.rules.group import Place
from validators.rules.submission import History
from validators.schemas import Loader

_LINE = "#line"
_UNFIT = "#unfit"
_ID = "record_id"
_ACTION = "record_action"
_BETWEEN = ", "
_AT_ONCE = 4096
"""Rows whose lines are put together at once: their room in memory is used again for the next."""
_Numbered = tuple[int, Row | Cells]


@dataclass(frozen=True, slots=True)
class Cleared:
    """The rows of a block that nobody objects to: texts of ids, and the numbers of all values.

    Of the others every text, and in `#unfit` the columns whose fields may not take them.
    """

    texts: pl.DataFrame
    numbers: pl.DataFrame
    others: pl.DataFrame


class Clearing:
    """Clears rows of one record type of one file."""

    def __init__(self, schema: Schema, record_type: str, ctx: RecordContext) -> None:
        self.columns: dict[str, Column] = {
            name: column_for(field, name, _around(name)) for name, field in schema.fields.items()
        }
        self._by_number = [name for name, column in self.columns.items() if column.is_by_number]
        rules = (partial(_objects, rule, ctx) for rule in rules_for(record_type))
        self._questions = Questions(rules, self._value)

    def clear(self, texts: pl.DataFrame) -> Cleared:
        """Part the rows of a block."""
        asked = self._asked(texts)
        numbers = texts.with_columns(
            column.numbers(asked[name]) for name, column in self.columns.items()
        )
        is_fit = ~self._questions.objections(numbers)
        for column in numbers.iter_columns():
            if column.has_nulls():
                is_fit &= column.is_not_null()
        return Cleared(
            texts.drop(set(self._by_number) - {_ACTION}).filter(is_fit),
            numbers.filter(is_fit),
            texts.filter(~is_fit).with_columns(
                # In the order of the standard, whatever that of the file: findings are told so.
                _unfit(numbers.select(*self.columns).filter(~is_fit))
            ),
        )

    def lines(self, cleared: Cleared) -> Iterator[pl.DataFrame]:
        """Yield the cleared rows as the lines of JSON that are kept of them, some at a time."""
        texts, numbers = cleared.texts, cleared.numbers
        if texts.is_empty():
            return
        lowest, highest = (numbers.select(end).row(0) for end in (pl.all().min(), pl.all().max()))
        ends = dict(zip(numbers.columns, zip(lowest, highest, strict=True), strict=True))
        members = (self.columns[name].json(*ends[name]) for name in sorted(self.columns))
        pieces = pl.col(ROW), "\t{", *chain.from_iterable(members), "}\n"
        line = pl.concat_str(_together(pieces), ignore_nulls=True).alias(_LINE)
        for some in texts.with_columns(numbers.select(self._by_number)).iter_slices(_AT_ONCE):
            yield some.select(ROW, line)

    def _asked(self, texts: pl.DataFrame) -> dict[str, list[str]]:
        """For each column the texts that its field is asked about.

        Most columns of most returns have one text in all rows: it is looked for in the first.
        """
        names = pl.col(list(self.columns))
        is_varied = texts.select((names != names.first()).any()).row(0, named=True)
        varied = [self.columns[name].asked for name in self.columns if is_varied[name]]
        asked: dict[str, list[str]] = {
            name: texts[name].head(1).to_list() for name in self.columns if not is_varied[name]
        }
        return asked | texts.select(varied).row(0, named=True) if varied else asked

    def _value(self, column: str, number: int) -> Any:
        return self.columns[column].value(number)


class BulkRows(Rows):
    """Judges the files of one submission, CSV files in bulk."""

    _ids: BulkRecordIds
    _cross: BulkCrossRecord

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._behind = Behind()

    def __exit__(self, kind: object, *_: object) -> None:
        """Wait until everything that was accepted is kept; raises what went wrong with that.

        Unless something is being raised already: then nobody will read what was kept.
        """
        with suppress(Exception) if kind is not None else nullcontext():
            self._behind.end()

    def judge(self, package: Package, name: str) -> None:
        """Read one file to its end; what is wrong is collected, what is good is kept."""
        record_type = record_type_of(name)
        if not name.endswith(".csv") or record_type is None:
            super().judge(package, name)
            return
        schema = self._schema(record_type)
        clearing = Clearing(schema, record_type, self._ctx)
        loader = Loader(schema)
        kind = self._ctx.standard.records[record_type]
        with (
            package.open(name) as stream,
            self._judging(name, record_type) as (judged, completeness),
        ):
            read = read_blocks(stream, name=name, record_type=kind, standard=self._ctx.standard)
            # Closed before the stream is: the thread that reads ahead must not outlive it.
            with closing(ahead(read)) as blocks:
                for block in blocks:
                    _count_unknown(completeness, block.frame)
                    cleared, others = self._judge_block(judged, block, clearing, loader)
                    self._behind.call(_keep, judged.accepted, clearing, cleared, others)

    def _make_ids(self) -> BulkRecordIds:
        return BulkRecordIds()

    def _make_cross(self, history: History, scan: Scan) -> BulkCrossRecord:
        return BulkCrossRecord(self._ctx, history, scan)

    def _judge_block(
        self,
        judged: JudgedFile,
        block: Block,
        clearing: Clearing,
        loader: Loader,
    ) -> tuple[Cleared, pl.DataFrame]:
        """Return the rows that are cleared, and the lines of others that are accepted."""
        judged.rows += block.frame.height + len(block.misshapen)
        cleared = clearing.clear(block.frame)
        self._ids.see_frame(judged.name, cleared.texts)
        others = self._judge_others(judged, cleared.others, block.misshapen, loader)
        for rows in (cleared.texts[ROW], others[ROW]):
            for first, count in _runs(rows):
                judged.accepted.mark(first, count)
        self._cross.see_frame(
            judged.record_type, judged.name, clearing.columns, cleared.texts, cleared.numbers
        )
        return cleared, others

    def _judge_others(
        self,
        judged: JudgedFile,
        frame: pl.DataFrame,
        misshapen: tuple[Row, ...],
        loader: Loader,
    ) -> pl.DataFrame:
        """Judge rows one by one; return the lines of those that are accepted all the same."""
        kept: dict[int, str] = {}
        suspects = dict(zip(frame[ROW], frame[_UNFIT].to_list(), strict=True))
        whole: Iterator[_Numbered] = zip(suspects, rows_of(frame.drop(ROW, _UNFIT)), strict=True)
        broken: Iterator[_Numbered] = ((row.number, row) for row in misshapen)
        for number, row in merge(whole, broken, key=itemgetter(0)):
            if isinstance(row, Row):
                self._collected.add_all(row.faults)
                self._cross.see_unread()
                continue
            loaded = loader.load_suspect(row, suspects[number])
            record = self._judge_record(Place(judged.name, number), row, loaded)
            if record is not None:
                kept[number] = f"{number}\t{line_of(record)}\n"
        schema = {ROW: pl.UInt32, _LINE: pl.String}
        return pl.DataFrame({ROW: list(kept), _LINE: list(kept.values())}, schema)


def _around(name: str) -> Around:
    """Members stand in the order of their names, with a comma on the side of the id.

    That is in every row, and any other may be missing.
    """
    return _BETWEEN if name > _ID else "", _BETWEEN if name < _ID else ""


def _together(pieces: Iterable[pl.Expr | str]) -> Iterator[pl.Expr]:
    """Pieces of which each row has the same are put together once, and not in each row."""
    for same, some in groupby(pieces, lambda each: isinstance(each, str)):
        if same:
            yield pl.lit("".join(str(each) for each in some))
        else:
            yield from (each for each in some if not isinstance(each, str))


def _unfit(numbers: pl.DataFrame) -> pl.Series:
    """For each row the columns of which there is no number, in their order."""
    named = [
        pl.when(pl.col(each.name).is_null()).then(pl.lit(each.name))
        for each in numbers.iter_columns()
        if each.has_nulls()
    ]
    if not named:
        return pl.Series(_UNFIT, [[]] * numbers.height, dtype=pl.List(pl.String))
    return numbers.select(pl.concat_list(named).list.drop_nulls().alias(_UNFIT)).to_series()


def _keep(
    accepted: AcceptedRows, clearing: Clearing, cleared: Cleared, others: pl.DataFrame
) -> None:
    for lines in clearing.lines(cleared):
        among = others.filter(pl.col(ROW) < lines[ROW][-1])
        others = others[among.height :]
        ordered = lines if among.is_empty() else pl.concat([lines, among]).sort(ROW)
        accepted.write(_octets(ordered))
    accepted.write(_octets(others))


def _octets(lines: pl.DataFrame) -> bytes:
    octets: bytes = lines.select(pl.col(_LINE).str.join("").cast(pl.Binary)).item()
    return octets


def _runs(rows: pl.Series) -> Iterator[tuple[int, int]]:
    """Row numbers in their order: the first of those that follow each other, and their count."""
    before = 0
    skipped = rows - pl.int_range(rows.len(), dtype=pl.UInt32, eager=True)
    for count, so_far in skipped.rle().struct.unnest().iter_rows():
        yield before + so_far, count
        before += count


def _objects(rule: Rule, ctx: RecordContext, tell: Tell) -> bool:
    return any(True for _ in rule.check(tell(""), ctx))


def _count_unknown(completeness: Completeness, frame: pl.DataFrame) -> None:
    columns = completeness.columns
    if not columns:
        completeness.count(frame.height, {})
        return
    unknown = frame.select(pl.col(columns).is_in(sorted(UNKNOWN)).sum())
    completeness.count(
        frame.height, {name: unknown[name].item() for name in columns if unknown[name].item()}
    )
