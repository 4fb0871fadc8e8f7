"""The rows of one package judged: field rules and record rules one by one, then against each other.

Owns the verdict on a row. A row with an error goes back and the others go on; warnings stay with
the row. Holds in memory the id of each row, and the columns that rules between rows look at.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from marshmallow import Schema

from validators.accepted import Accepted, AcceptedRows, MakeSpool, accepted
from validators.collected import Collected
from validators.crossrecord import AcceptedByFile, CrossRecord
from validators.package import Package
from validators.readers import FileUnreadable, Row, Table, read_tables
from validators.rules import RecordContext, rules_for
from validators.rules.attachments import Scan
from validators.rules.completeness import Completeness
from validators.rules.group import Place
from validators.rules.submission import History
from validators.rules.uniqueness import RecordIds
from validators.schemas import Loader, RowError, build_schema

Loaded = tuple[Mapping[str, Any] | None, Sequence[RowError]]
"""What the fields made of a row: it typed, with its warnings, or None with its errors."""


@dataclass(slots=True)
class JudgedFile:
    """A record file, or a sheet of a workbook, after its rows were judged; `name` addresses it."""

    name: str
    record_type: str
    accepted: AcceptedRows
    rows: int = 0
    read_to_end: bool = True


class Rows:
    """Judges the files of one submission; what it accepted can be read when it was left."""

    def __init__(
        self,
        ctx: RecordContext,
        collected: Collected,
        *,
        history: History,
        scan: Scan,
        make_spool: MakeSpool,
    ) -> None:
        self._ctx = ctx
        self._collected = collected
        self._history = history
        self._make_spool = make_spool
        self._ids = self._make_ids()
        self._cross = self._make_cross(history, scan)
        self.files: dict[str, JudgedFile] = {}
        self.unread: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Rows that were judged one by one are kept already."""

    def _make_ids(self) -> RecordIds:
        return RecordIds()

    def _make_cross(self, history: History, scan: Scan) -> CrossRecord:
        return CrossRecord(self._ctx, history, scan)

    def judge(self, package: Package, name: str) -> None:
        """Read one file to its end; what is wrong is collected, what is good is kept."""
        with package.open(name) as stream:
            try:
                for table in read_tables(stream, name=name, standard=self._ctx.standard):
                    self._judge_table(table)
            except FileUnreadable as refused:
                self.unread.add(name)
                self._cross.see_unread()
                self._collected.add_all(refused.findings)

    def judge_together(self, package: Package) -> None:
        """Hold the rows against each other, once all files have been read."""
        for record_id, repeated in self._ids.repeated():
            self.files[repeated.file].accepted.withdraw(repeated.row)
            self._collected.add_at("CT-024", repeated, "record_id", {"value": record_id})
        for place, found in self._cross.findings(package):
            if self._collected.add(found) and place is not None:
                self.files[place.file].accepted.withdraw(place.row)
        for place, found in self._cross.stranded(self._accepted()):
            if self._collected.add(found):
                self.files[place.file].accepted.withdraw(place.row)
        self._tell_of_links()

    def caseless(self) -> tuple[Place, ...]:
        """The rows about a case that did not come, where nobody knows what is held."""
        return tuple(self._cross.caseless())

    def attachments(self) -> frozenset[str]:
        """The attachments that accepted rows bring with them."""
        return self._cross.attachments(self._accepted())

    def new_records(self) -> dict[str, tuple[str, ...]]:
        """The ids of the rows that are accepted as new, by record type."""
        accepted = self._accepted()
        kinds = {file.record_type: None for file in self.files.values()}
        return {kind: tuple(self._cross.new_records(kind, accepted)) for kind in kinds}

    def _accepted(self) -> AcceptedByFile:
        return {name: file.accepted for name, file in self.files.items()}

    def _tell_of_links(self) -> None:
        """Say what other agencies know of those children whose rows are kept, and of no others."""
        if self._collected.rejects_package:
            return
        for place, found in self._cross.linked():
            if self.files[place.file].accepted.stands(place.row):
                self._collected.add(found)

    def _judge_table(self, table: Table) -> None:
        loader = Loader(self._schema(table.record_type))
        with self._judging(table.address, table.record_type) as (judged, completeness):
            for row in table.rows:
                self._judge_row(judged, row, loader, completeness)

    @contextmanager
    def _judging(self, address: str, record_type: str) -> Iterator[tuple[JudgedFile, Completeness]]:
        """Around the reading of a table, which may end before its end."""
        judged = JudgedFile(address, record_type, AcceptedRows(self._make_spool()))
        self.files[address] = judged
        completeness = Completeness(self._ctx.standard.records[record_type])
        try:
            yield judged, completeness
        except FileUnreadable as refused:
            judged.read_to_end = False
            self._cross.see_unread()
            self._collected.add_all(refused.findings)
        self._collected.add_all(completeness.findings(address))

    def _schema(self, record_type: str) -> Schema:
        return build_schema(self._ctx.standard, record_type, today=self._ctx.received_on)

    def _judge_row(
        self, judged: JudgedFile, row: Row, loader: Loader, completeness: Completeness
    ) -> None:
        judged.rows += 1
        self._collected.add_all(row.faults)
        if row.cells is None:
            self._cross.see_unread()
            return
        completeness.see(row.cells)
        place = Place(judged.name, row.number)
        record = self._judge_record(place, row.cells, loader.load(row.cells))
        if record is not None:
            judged.accepted.add(row.number, record)

    def _judge_record(
        self, place: Place, cells: Mapping[str, object], loaded: Loaded
    ) -> Accepted | None:
        """Return a record if it is good, as far as it alone can tell; collect what is wrong."""
        record_type = self.files[place.file].record_type
        self._ids.see(cells.get("record_id"), place)
        record, errors = loaded
        said = [
            self._collected.add_at(error.rule, place, error.column, error.values)
            for error in errors
        ]
        if record is None:
            self._cross.see_broken(record_type, place, cells)
            return None
        said += [
            self._collected.add_at(rule.code, place, broken.column, broken.values)
            for rule in rules_for(record_type)
            for broken in rule.check(record, self._ctx)
        ]
        self._cross.see(record_type, place, record)
        return None if any(said) else accepted(record)
