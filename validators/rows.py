"""The rows of one package judged: field rules and record rules one by one, then against each other.

Owns the verdict on a row. A row with an error goes back and the others go on; warnings stay with
the row. Holds in memory the id of each row, and the columns that rules between rows look at.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from validators.accepted import Accepted, AcceptedRows, MakeSpool
from validators.collected import Collected
from validators.crossrecord import CrossRecord
from validators.findings import Finding, finding
from validators.package import Package
from validators.readers import FileUnreadable, Row, Table, read_tables
from validators.rules import RecordContext, rules_for
from validators.rules.completeness import Completeness
from validators.rules.group import Place
from validators.rules.submission import History
from validators.rules.uniqueness import RecordIds
from validators.schemas import Loader, build_schema


@dataclass(slots=True)
class JudgedFile:
    """A record file, or a sheet of a workbook, after its rows were judged; `name` addresses it."""

    name: str
    record_type: str
    accepted: AcceptedRows
    rows: int = 0
    read_to_end: bool = True


class Rows:
    """Judges the files of one submission."""

    def __init__(
        self,
        ctx: RecordContext,
        collected: Collected,
        *,
        history: History,
        make_spool: MakeSpool,
    ) -> None:
        self._ctx = ctx
        self._collected = collected
        self._make_spool = make_spool
        self._ids = RecordIds()
        self._cross = CrossRecord(ctx, history)
        self.files: dict[str, JudgedFile] = {}
        self.unread: set[str] = set()

    def judge(self, package: Package, name: str) -> None:
        """Read one file to its end; what is wrong is collected, what is good is kept."""
        with package.open(name) as stream:
            try:
                for table in read_tables(stream, name=name, standard=self._ctx.standard):
                    self._judge_table(table)
            except FileUnreadable as refused:
                self.unread.add(name)
                self._collected.add_all(refused.findings)

    def judge_together(self, package: Package) -> None:
        """Hold the rows against each other, once all files have been read."""
        for place, found in self._cross.findings(package):
            self._collected.add(found)
            if place is not None and found.severity == "error":
                self.files[place.file].accepted.withdraw(place.row)

    @property
    def refused_attachments(self) -> frozenset[str]:
        """The attachments that no row may bring with it."""
        return frozenset(self._cross.refused_attachments)

    def new_records(self) -> dict[str, tuple[str, ...]]:
        """The ids of the rows that are accepted as new, by record type."""
        return {
            kind: tuple(
                each.record["record_id"]
                for each in members
                if each.record["record_action"] == "NEW"
                and self.files[each.place.file].accepted.stands(each.place.row)
            )
            for kind, members in self._cross.members.items()
        }

    def _judge_table(self, table: Table) -> None:
        address, record_type = table.address, table.record_type
        judged = JudgedFile(address, record_type, AcceptedRows(self._make_spool()))
        self.files[address] = judged
        completeness = Completeness(self._ctx.standard.records[record_type])
        loader = Loader(build_schema(self._ctx.standard, record_type, today=self._ctx.received_on))
        try:
            for row in table.rows:
                self._judge_row(judged, row, loader, completeness)
        except FileUnreadable as refused:
            judged.read_to_end = False
            self._collected.add_all(refused.findings)
        self._collected.add_all(completeness.findings(address))

    def _judge_row(
        self, judged: JudgedFile, row: Row, loader: Loader, completeness: Completeness
    ) -> None:
        judged.rows += 1
        self._collected.add_all(row.faults)
        if row.cells is None:
            return
        completeness.see(row.cells)
        record, findings = self._checked(judged, row, loader)
        self._collected.add_all(findings)
        place = Place(judged.name, row.number)
        if record is None:
            self._cross.see_broken(judged.record_type, row.cells)
        else:
            self._cross.see(judged.record_type, place, record)
        if record is not None and not any(each.severity == "error" for each in findings):
            judged.accepted.add(row.number, _jsonable(record))
        self._return_repeated(row.cells.get("record_id"), place)

    def _checked(
        self, judged: JudgedFile, row: Row, loader: Loader
    ) -> tuple[dict[str, Any] | None, list[Finding]]:
        assert row.cells is not None
        record, errors = loader.load(row.cells)
        findings = [
            finding(
                error.rule, file=judged.name, row=row.number, column=error.column, **error.values
            )
            for error in errors
        ]
        if record is not None:
            findings += self._broken_rules(judged, row.number, record)
        return record, findings

    def _broken_rules(
        self, judged: JudgedFile, number: int, record: Mapping[str, Any]
    ) -> Iterator[Finding]:
        for rule in rules_for(judged.record_type):
            for broken in rule.check(record, self._ctx):
                yield finding(
                    rule.code,
                    file=judged.name,
                    row=number,
                    column=broken.column,
                    **broken.values,
                )

    def _return_repeated(self, record_id: object, place: Place) -> None:
        for each in self._ids.repeated(record_id, place):
            self.files[each.file].accepted.withdraw(each.row)
            self._collected.add(
                finding(
                    "CT-024",
                    file=each.file,
                    row=each.row,
                    column="record_id",
                    value=str(record_id),
                )
            )


def _jsonable(record: Mapping[str, Any]) -> Accepted:
    return {name: _json_value(value) for name, value in record.items() if value is not None}


def _json_value(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple | list):
        return [_json_value(part) for part in value]
    return value
