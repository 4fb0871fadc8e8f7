"""Names of columns and keys: what a record type has, and what may never be sent.

Owns CT-011 for names (unknown, missing, twice) and CT-012 (CTDS section 6.1, names that announce a
direct identifier). The prohibited list is matched on letters and digits alone, so that "First Name"
and "firstname" do not pass for want of an underscore.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

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
    strays = {letters(at): column for at, column in enumerate(header, 1) if column not in known}
    named = [_prohibited_as(column, standard) for column in strays.values()]
    faults = [finding("CT-012", file=name, row=1, column=each) for each in named if each]
    if other := _of_another_table(header, record_type, standard):
        return [*faults[:_MOST_NAMED], misshapen(name, other, row=1)]
    faults += _repeated(header, known, name)
    faults = faults[:_MOST_NAMED]
    unknown = {at: each for (at, each), bad in zip(strays.items(), named, strict=True) if not bad}
    if unknown:
        faults.append(_strays(unknown, name))
    return faults + list(_missing(header, name=name, record_type=record_type))


def letters(column: int) -> str:
    """Return the letters that a spreadsheet shows above a column; the first is 1."""
    text = ""
    while column:
        column, at = divmod(column - 1, 26)
        text = chr(ord("A") + at) + text
    return text


def stray_key(key: str, *, file: str, row: int, standard: Standard) -> Finding:
    """Return the finding for a key that the record type does not have."""
    if prohibited := _prohibited_as(key, standard):
        return finding("CT-012", file=file, row=row, column=prohibited)
    return misshapen(file, "a column is not part of the standard", row=row, given=_given([key]))


def longest_cell(field: Field) -> int:
    """Return how many characters a cell of this field may have before it is read at all."""
    return _LONGEST_NARRATIVE if field.type == "text" else _LONGEST_CELL


def _of_another_table(
    header: Sequence[str], record_type: RecordType, standard: Standard
) -> str | None:
    """What the row is instead, where it is no header of this record type with a slip in it."""
    for other in standard.records.values():
        if other is not record_type and set(header) == set(other.header):
            return f"these are the columns of {other.code}; name each sheet or file after its own"
    if not set(header) & set(record_type.header):
        return f"none of the columns of {record_type.code} is in row 1; no row may stand above them"
    return None


def _strays(unknown: Mapping[str, str], name: str) -> Finding:
    places = list(unknown)
    rest = len(places) - _MOST_NAMED
    named = ", ".join(places[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
    columns = f"column {named} is" if len(places) == 1 else f"columns {named} are"
    called = [column for column in unknown.values() if column.strip()]
    if not called:
        return misshapen(name, f"{columns} without a name", row=1)
    detail = f"{columns} not part of the standard"
    return misshapen(name, detail, row=1, given=_given(called))


def _given(columns: Iterable[str]) -> str:
    return ", ".join(column[:80].encode("utf-8", "replace").decode("utf-8") for column in columns)


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
