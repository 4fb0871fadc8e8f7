"""What was sent before, so that a record is new once and amended afterwards (CT-025).

Ids stay the same from quarter to quarter. A record that stands unchanged is left out; one that
changed is sent as AMEND. What a person had added by hand stays: a cell that the source does not
decide is taken from the earlier record, where that has one.
"""

from collections.abc import Mapping, Sequence

from validators.converting.made import Cells, MadeRow, Notes
from validators.converting.problems import Problems
from validators.converting.tables import Source
from validators.filenames import is_workbook, name_in_package, record_type_of
from validators.readers import Row, read_tables
from validators.standard import Standard

Sent = Mapping[str, Mapping[str, str]]
"""Records as they were sent, by their id."""


def read_sent(sources: Sequence[Source], standard: Standard, problems: Problems) -> Sent:
    """Return the records of earlier returns, the latest given last; raises SourceUnfit."""
    sent: dict[str, Mapping[str, str]] = {}
    for source in sources:
        name = name_in_package(source.name)
        if not (record_type_of(name) or is_workbook(name)):
            continue
        with problems.unreadable():
            for table in read_tables(source.stream, name=name, standard=standard):
                for row in table.rows:
                    _take(sent, row)
    return sent


def _take(sent: dict[str, Mapping[str, str]], row: Row) -> None:
    cells = {name: _cell(value) for name, value in (row.cells or {}).items()}
    if not cells.get("record_id"):
        return
    if cells.get("record_action") == "DELETE":
        sent.pop(cells["record_id"], None)
    else:
        sent[cells["record_id"]] = cells


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ";".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def settled(
    rows: Mapping[str, Sequence[MadeRow]], sent: Sent, notes: Notes
) -> dict[str, list[Cells]]:
    """Return the records to send.

    They stand in the order of their ids: that of the export may be the alphabet's.
    """
    records: dict[str, list[Cells]] = {}
    for kind, made in rows.items():
        left = [_settled(row, sent.get(row.cells["record_id"])) for row in made]
        found = [cells for cells in left if cells is not None]
        if len(found) < len(left):
            notes.passed_over["Records that stand as they were sent"] += len(left) - len(found)
        records[kind] = sorted(found, key=lambda cells: cells["record_id"])
    return records


def _settled(row: MadeRow, before: Mapping[str, str] | None) -> Cells | None:
    if before is None:
        return row.cells
    kept = {name: cell for name, cell in before.items() if cell and name not in row.known}
    cells = {**row.cells, **kept}
    changed = any(
        cells.get(name, "") != before.get(name, "")
        for name in cells.keys() | before.keys()
        if name != "record_action"
    )
    return {**cells, "record_action": "AMEND"} if changed else None
