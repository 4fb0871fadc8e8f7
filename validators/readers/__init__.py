"""Record files, row by row in bounded memory: CSV, JSON Lines, XML, and the sheets of workbooks.

A table is the rows of one record type: a file, or a sheet of a workbook. Its address says which
(`validators.filenames`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from validators.filenames import is_workbook, record_type_of
from validators.readers.csv import read_csv
from validators.readers.jsonl import read_jsonl
from validators.readers.row import FileUnreadable, Row
from validators.readers.sheets import sheet_tables
from validators.readers.xml import read_xml
from validators.standard import Standard

__all__ = ["FileUnreadable", "Reader", "Row", "Table", "read_tables", "reader_for"]

Reader = Callable[..., Iterator[Row]]

_READERS: dict[str, Reader] = {"csv": read_csv, "jsonl": read_jsonl, "xml": read_xml}


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one record type; they can be read until the next table is asked for.

    Reading them raises FileUnreadable where it cannot go on.
    """

    address: str
    record_type: str
    rows: Iterator[Row]


def reader_for(name: str) -> Reader:
    """Return the reader for a record file, by the ending of its name."""
    return _READERS[name.rpartition(".")[2]]


def read_tables(stream: BinaryIO, *, name: str, standard: Standard) -> Iterator[Table]:
    """Yield the tables of a record file or workbook; raises FileUnreadable for a whole workbook."""
    if is_workbook(name):
        for address, kind, rows in sheet_tables(stream, name=name, standard=standard):
            yield Table(address, kind, rows)
        return
    record_type = record_type_of(name)
    if record_type is None:
        raise ValueError(f"no record file: {name}")
    defined = standard.records[record_type]
    rows = reader_for(name)(stream, name=name, record_type=defined, standard=standard)
    yield Table(name, record_type, rows)
