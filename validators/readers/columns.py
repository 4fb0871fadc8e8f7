"""Names of columns and keys: what a record type has, and what may never be sent.

Owns CT-011 for names (unknown, missing, twice) and CT-012 (CTDS section 6.1, names that announce a
direct identifier). The prohibited list is matched on letters and digits alone, so that "First Name"
and "firstname" do not pass for want of an underscore.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from validators.filenames import spoken
from validators.findings import Finding, finding
from validators.readers.row import misshapen
from validators.standard import Field, RecordType, Standard

MOST_COLUMNS = 500
_MOST_NAMED = 20
_MOST_MISSING = 5
_LONGEST_CELL = 64 << 10
_LONGEST_NARRATIVE = 100 << 10
_MARKS = {";": "semicolons", "\t": "tabs"}
_OTHER_MARKS = re.compile("[;\t]")
_PUNCTUATION = re.compile(r"[^a-z0-9*]")


def column_faults(
    header: Sequence[str], *, name: str, record_type: RecordType, standard: Standard
) -> list[Finding]:
    """Return what is wrong with the columns of a file, at most a readable number of findings."""
    known = set(record_type.header)
    if len(header) == 1 and (mark := _OTHER_MARKS.search(header[0])):
        detail = f"{_MARKS[mark[0]]} stand between its columns; save it with commas"
        return [misshapen(name, detail, row=1)]
    faults = list(_repeated(header, known, name))
    for column in dict.fromkeys(header):
        if column not in known:
            faults.append(stray_column(column, file=name, row=1, standard=standard))
    faults = faults[:_MOST_NAMED]
    return faults + list(_missing(header, name=name, record_type=record_type))


def stray_column(column: str, *, file: str, row: int, standard: Standard) -> Finding:
    """Return the finding for a column that the record type does not have."""
    prohibited = _prohibited_as(column, standard)
    if prohibited:
        return finding("CT-012", file=file, row=row, column=prohibited)
    detail = "the column is blank" if not column.strip() else "a column is not part of the standard"
    given = column[:80].encode("utf-8", "replace").decode("utf-8")
    return finding("CT-011", file=file, row=row, name=spoken(file), detail=detail, given=given)


def longest_cell(field: Field) -> int:
    """Return how many characters a cell of this field may have before it is read at all."""
    return _LONGEST_NARRATIVE if field.type == "text" else _LONGEST_CELL


def _repeated(header: Sequence[str], known: set[str], name: str) -> Iterator[Finding]:
    for column, times in Counter(header).items():
        if times > 1 and column in known:
            yield misshapen(name, f"the column stands {times} times", row=1, column=column)


def _missing(header: Sequence[str], *, name: str, record_type: RecordType) -> Iterator[Finding]:
    missing = [column for column in record_type.header if column not in header]
    # A file with other columns altogether needs one sentence, not fifty.
    if len(missing) > _MOST_MISSING:
        some = ", ".join(missing[:_MOST_MISSING])
        detail = f"{len(missing)} columns of {record_type.code} are missing: {some} and more"
        yield misshapen(name, detail, row=1)
        return
    for column in missing:
        yield misshapen(name, "the column is missing", row=1, column=column)


def _prohibited_as(column: str, standard: Standard) -> str | None:
    given = _letters(column)
    for pattern in standard.prohibited:
        if fnmatchcase(given, _letters(pattern)):
            return pattern
    return None


def _letters(name: str) -> str:
    return _PUNCTUATION.sub("", name[:200].casefold())
