"""A CSV file to fill in: the columns of a record type, and the rows that it begins with."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO

from validators.standard import RecordType


def as_csv(record_type: RecordType, rows: Sequence[Mapping[str, str]] = ()) -> bytes:
    """Return a file in UTF-8, with the mark that tells Excel so."""
    text = StringIO(newline="")
    writer = csv.DictWriter(text, record_type.header, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")
