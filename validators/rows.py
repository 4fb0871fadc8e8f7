"""The rows of one package judged one by one: field rules, record rules, then uniqueness.

Owns the verdict on a row. A row with an error goes back and the others go on; warnings stay with
the row. Holds in memory the id of each row and nothing else of the files.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from validators.accepted import Accepted, AcceptedRows, MakeSpool
from validators.collected import Collected
from validators.findings import Finding, finding
from validators.package import Package
from validators.readers import FileUnreadable, Row, reader_for
from validators.rules import RecordContext, rules_for
from validators.rules.completeness import Completeness
from validators.rules.uniqueness import Place, RecordIds
from validators.schemas import build_schema, load_row


@dataclass(slots=True)
class JudgedFile:
    """One record file after its rows were judged."""

    name: str
    record_type: str
    accepted: AcceptedRows
    rows: int = 0
    read_to_end: bool = True


class Rows:
    """Judges the files of one submission."""

    def __init__(self, ctx: RecordContext, collected: Collected, *, make_spool: MakeSpool) -> None:
        self._ctx = ctx
        self._collected = collected
        self._make_spool = make_spool
        self._ids = RecordIds()
        self.files: dict[str, JudgedFile] = {}

    def judge(self, package: Package, name: str, record_type: str) -> None:
        """Read one file to its end; what is wrong is collected, what is good is kept."""
        judged = self.files[name] = JudgedFile(name, record_type, AcceptedRows(self._make_spool()))
        kind = self._ctx.standard.records[record_type]
        completeness = Completeness(kind)
        with package.open(name) as stream:
            read = reader_for(name)
            rows = read(stream, name=name, record_type=kind, standard=self._ctx.standard)
            try:
                for row in rows:
                    self._judge_row(judged, row, completeness)
            except FileUnreadable as refused:
                judged.read_to_end = False
                self._collected.add_all(refused.findings)
        self._collected.add_all(completeness.findings(name))

    def _judge_row(self, judged: JudgedFile, row: Row, completeness: Completeness) -> None:
        judged.rows += 1
        self._collected.add_all(row.faults)
        if row.cells is None:
            return
        completeness.see(row.cells)
        record, findings = self._checked(judged, row)
        self._collected.add_all(findings)
        if record is not None and not any(each.severity == "error" for each in findings):
            judged.accepted.add(row.number, _jsonable(record))
        self._return_repeated(row.cells.get("record_id"), Place(judged.name, row.number))

    def _checked(self, judged: JudgedFile, row: Row) -> tuple[dict[str, Any] | None, list[Finding]]:
        schema = build_schema(self._ctx.standard, judged.record_type, today=self._ctx.received_on)
        assert row.cells is not None
        record, errors = load_row(schema, row.cells)
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
