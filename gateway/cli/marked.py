"""The sender's own records given back as a workbook with the faulty cells marked."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from gateway.cli.failures import USAGE, Failure
from validators.filenames import record_type_of
from validators.readers import FileUnreadable
from validators.readers.csv import numbered_rows
from validators.report import Report
from validators.report.marked import MOST_CELLS, lay_out, mark
from validators.report.outcome import standard_named
from validators.workbooks.precheck import WorkbookRefused
from validators.workbooks.reading import read_sheets

_Rows = Iterator[list[str]]


def marked_workbook(files: Sequence[Path], report: Report, *, gateway: str) -> bytes:
    """An XLSX workbook; raises Failure for what cannot be laid out in one."""
    _require_small(report)
    try:
        if len(files) == 1 and files[0].suffix.lower() == ".xlsx":
            return mark(files[0].read_bytes(), report, gateway=gateway)
        if len(files) == 1 and files[0].suffix.lower() == ".ods":
            return lay_out(_sheets(files[0]), report, gateway=gateway)
        if all(file.suffix.lower() == ".csv" for file in files):
            return _laid_out(files, report, gateway)
    except (FileUnreadable, WorkbookRefused, KeyError, ValueError) as error:
        raise _other_form("The files cannot be read as tables.") from error
    raise _other_form("Only a workbook or CSV files can be given back with marks.")


def _sheets(workbook: Path) -> Mapping[str, list[list[str]]]:
    with workbook.open("rb") as stream:
        return {sheet.name: list(_filled(sheet.rows)) for sheet in read_sheets(stream)}


def _laid_out(files: Sequence[Path], report: Report, gateway: str) -> bytes:
    with ExitStack() as opened:
        tables = {}
        for file in files:
            stream = opened.enter_context(file.open("rb"))
            kind = record_type_of(file.name) or file.stem
            tables[kind] = _filled(numbered_rows(stream, file.name))
        return lay_out(tables, report, gateway=gateway)


def _filled(rows: Iterator[tuple[int, list[str]]]) -> _Rows:
    """Rows with those that are blank put back, so that each stands where its number says."""
    at = 1
    for number, cells in rows:
        yield from ([] for _ in range(at, number))
        yield cells
        at = number + 1


def _require_small(report: Report) -> None:
    standard = standard_named(report.standard)
    cells = sum(file.rows * len(standard.records[file.record_type].header) for file in report.files)
    if cells > MOST_CELLS:
        raise _other_form(f"A workbook of more than {MOST_CELLS:,} cells is not given back.")


def _other_form(message: str) -> Failure:
    return Failure(message, "Use --format csv or html instead.", status=USAGE)
