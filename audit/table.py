"""Entries as rows of a table (CSV, RFC 4180).

No cell can be a formula to a spreadsheet: none begins with = + - @ or a control character, because
no pattern of `audit.fields` fits such a value. A test holds the patterns to that.
"""

from collections.abc import Iterator
from dataclasses import fields

from audit.entry import Entry

HEADER = ("index", *(field.name for field in fields(Entry)))


def row(entry: Entry, index: int) -> list[str]:
    """The cells of one entry; `index` is where it stands in the log."""
    return [str(index), *_cells(entry)]


def _cells(entry: Entry) -> Iterator[str]:
    for name in HEADER[1:]:
        value = getattr(entry, name)
        if name == "time":
            yield entry.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        else:
            yield "" if value is None else str(value)
