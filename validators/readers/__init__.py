"""Record files, row by row in bounded memory: CSV and JSON Lines."""

from collections.abc import Callable, Iterator

from validators.readers.csv import read_csv
from validators.readers.jsonl import read_jsonl
from validators.readers.row import FileUnreadable, Row

__all__ = ["FileUnreadable", "Reader", "Row", "read_csv", "read_jsonl", "reader_for"]

Reader = Callable[..., Iterator[Row]]


def reader_for(name: str) -> Reader:
    """Return the reader for a record file, by the ending of its name."""
    return read_jsonl if name.endswith(".jsonl") else read_csv
