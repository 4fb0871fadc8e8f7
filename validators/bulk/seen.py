"""The rows of one record type as the rules between rows need them, most of them as columns.

Cleared rows are one frame: ids as text, every other column that group rules look at as the number
that stands for its value. Rows that were not cleared are kept one by one. Both can be gone through
together, in the order of the file.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from operator import attrgetter
from typing import Any, NamedTuple

import polars as pl

from validators.accepted import AcceptedRows
from validators.bulk.columns import Column
from validators.bulk.reading import ROW
from validators.crossrecord import TokenKey, looked_at
from validators.held import Sent, sent
from validators.rules.group import Member, Place
from validators.rules.tokens import SHARED

Columns = Mapping[str, Column]

ACTION = "#action"
CASE_ID = "#case"
WITHDRAWS = "DELETE"
_NEW = "NEW"


class Single(NamedTuple):
    """A row that is kept by itself; of a broken one only its case and what is done with it."""

    row: int
    member: Member | None
    keys: Sequence[TokenKey] = ()
    broken: Mapping[str, object] | None = None


@dataclass(slots=True)
class Seen:
    """The rows of one record type: those that were cleared as columns, the others one by one."""

    record_type: str
    file: str
    columns: Columns = field(default_factory=dict)
    frames: list[pl.DataFrame] = field(default_factory=list)
    singly: list[Single] = field(default_factory=list)

    @property
    def about(self) -> str:
        """The column that says which case a row is about."""
        return "record_id" if self.record_type == "CASE" else "case_id"

    def frame(self) -> pl.DataFrame | None:
        """All cleared rows."""
        if not self.frames:
            return None
        self.frames = [pl.concat(self.frames, rechunk=True)]
        return self.frames[0]

    def standing(self) -> pl.DataFrame | None:
        """The cleared rows that do not withdraw a record."""
        frame = self.frame()
        if frame is None:
            return None
        stands = frame[ACTION] != WITHDRAWS
        return frame if stands.all() else frame.filter(stands)

    def members(self) -> Iterator[Member]:
        """The rows that are kept by themselves and not broken."""
        return (each.member for each in self.singly if each.member is not None)

    def member(self, row: Mapping[str, Any]) -> Member:
        """A cleared row as group rules look at it."""
        record = {name: self._value(name, row[name]) for name in looked_at(self.record_type)}
        return Member(Place(self.file, row[ROW]), record)

    def value(self, name: str, number: int) -> Any:
        """What a number of a column stands for."""
        return self.columns[name].value(number)

    def in_order(self, cases: pl.Series | None) -> Iterator[Single]:
        """The rows in the order of the file; of cleared ones those about `cases`, or all."""
        frame = self._about(cases)
        cleared = iter(()) if frame is None else self._one_by_one(frame)
        return merge(cleared, self.singly, key=attrgetter("row"))

    def sent(self, cases: pl.Series | None) -> Iterator[Sent]:
        """What each row is, likewise; broken rows are left out."""
        frame = self._about(cases)
        singly = map(sent, self.members())
        if frame is None:
            return singly
        about = pl.lit(None, pl.String)
        if "case_id" in frame.columns:
            about = pl.col("case_id").replace("", None)  # where it is not given
        rows = frame.select(ROW, "record_id", ACTION, about.alias("case_id")).iter_rows()
        cleared = (Sent(Place(self.file, row), *facts) for row, *facts in rows)
        return merge(cleared, singly, key=attrgetter("place"))

    def accepted_as_new(self, accepted: AcceptedRows) -> Iterator[str]:
        """The ids of the rows that are sent as new and stand."""
        stand = ~pl.col(ROW).is_in(accepted.withdrawn)
        frame = self.frame()
        if frame is not None:
            yield from frame.filter(stand, pl.col(ACTION) == _NEW)["record_id"]
        for each in map(sent, self.members()):
            if each.action == _NEW and _stands(each, accepted):
                yield each.record_id

    def returned(self, accepted: AcceptedRows) -> Iterator[tuple[str, str]]:
        """The ids of the rows that do not stand, each with its action, broken ones apart."""
        frame = self.frame()
        if frame is not None:
            withdrawn = pl.col(ROW).is_in(accepted.withdrawn)
            yield from frame.filter(withdrawn).select("record_id", ACTION).iter_rows()
        for each in map(sent, self.members()):
            if not _stands(each, accepted):
                yield each.record_id, each.action

    def case_ids_singly(self) -> pl.Series:
        """The cases that rows kept by themselves are about, as far as they say."""
        given = (each.broken or (each.member and each.member.record) or {} for each in self.singly)
        return ids(str(record.get(self.about) or "") for record in given)

    def _about(self, cases: pl.Series | None) -> pl.DataFrame | None:
        frame = self.frame()
        if frame is None or cases is None or self.about not in frame.columns:
            return frame
        wanted = cases.unique().to_frame(CASE_ID)
        return frame.join(wanted, left_on=self.about, right_on=CASE_ID, how="semi")

    def _one_by_one(self, frame: pl.DataFrame) -> Iterator[Single]:
        tokens = SHARED if self.record_type == "CASE" else ()
        for row in frame.iter_rows(named=True):
            keys = [(name, row[name]) for name in tokens if row[name] is not None]
            yield Single(row[ROW], self.member(row), keys)

    def _value(self, name: str, kept: Any) -> Any:
        return (kept or None) if isinstance(kept, str) else self.value(name, kept)


def ids(given: Iterable[str]) -> pl.Series:
    """Return ids of cases as a column."""
    return pl.Series(CASE_ID, list(given), dtype=pl.String)


def _stands(row: Sent, accepted: AcceptedRows) -> bool:
    return accepted.stands(row.place.row)
