"""The sender's own records given back as a workbook with the faulty cells marked.

ValidatorsError
└── NotGivenBack        code "not-given-back": no workbook can be made of what was sent
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import PurePath

from validators.building import GivenFile
from validators.errors import ValidatorsError
from validators.filenames import record_type_of
from validators.readers import FileUnreadable
from validators.readers.csv import numbered_rows
from validators.report.marked import MOST_CELLS, Tables, lay_out, mark
from validators.report.outcome import Report, standard_named
from validators.workbooks.precheck import WorkbookRefused, require_readable
from validators.workbooks.reading import read_sheets

_Rows = Iterator[list[str]]


class NotGivenBack(ValidatorsError):
    """The records came in a form, or in a number, that no workbook is made of."""

    code = "not-given-back"


def can_be_given_back(files: Sequence[GivenFile]) -> bool:
    """Tell whether files are of a form that comes back with marks: a workbook, or CSV files."""
    endings = [_ending(file) for file in files]
    return endings in ([".xlsx"], [".ods"]) or set(endings) == {".csv"}


def give_back(files: Sequence[GivenFile], report: Report, *, gateway: str = "") -> bytes:
    """Return an XLSX workbook with the faults of a report marked; raises NotGivenBack."""
    _require_small(report)
    if not can_be_given_back(files):
        raise NotGivenBack("Only a workbook or CSV files can be given back with marks.")
    try:
        if _ending(files[0]) == ".xlsx":
            return _marked(files[0].data, report, gateway)
        return lay_out(_tables(files), report, gateway=gateway)
    except (FileUnreadable, WorkbookRefused, ValueError) as error:
        raise NotGivenBack("The files cannot be read as tables.") from error


def _marked(workbook: bytes, report: Report, gateway: str) -> bytes:
    # What writes workbooks trusts them: a bomb that the check refused would go off here.
    require_readable(BytesIO(workbook))
    return mark(workbook, report, gateway=gateway)


def _tables(files: Sequence[GivenFile]) -> Tables:
    if _ending(files[0]) == ".ods":
        sheets = read_sheets(BytesIO(files[0].data))
        return {sheet.name: list(_filled(sheet.rows)) for sheet in sheets}
    return {_kind(file): _filled(numbered_rows(BytesIO(file.data), file.name)) for file in files}


def _kind(file: GivenFile) -> str:
    return record_type_of(file.name) or PurePath(file.name).stem


def _ending(file: GivenFile) -> str:
    return PurePath(file.name).suffix.lower()


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
        raise NotGivenBack(f"A workbook of more than {MOST_CELLS:,} cells is not given back.")
