"""Records that name their own fields: what JSON Lines and XML share.

Owns the names (CT-011, CT-012) and the shape of each value, so that what comes out is text, a
number, a truth value, nothing, or a list of such where a field takes several codes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from validators.findings import Finding, finding
from validators.readers.columns import MOST_COLUMNS, longest_cell, stray_key
from validators.readers.row import Row, misshapen
from validators.standard import Field, RecordType, Standard
from validators.strictjson import is_unicode


@dataclass(frozen=True, slots=True)
class KeyedRecords:
    """Makes rows of a file's records."""

    name: str
    record_type: RecordType
    standard: Standard

    def row(self, number: int, record: Mapping[str, object]) -> Row:
        """Return a record as a row, or with what is wrong with its shape."""
        if len(record) > MOST_COLUMNS:
            return self.refused(number, f"there are more than {MOST_COLUMNS} keys")
        faults = tuple(self._faults(number, record))
        return Row(number, None if faults else record, faults)

    def refused(self, number: int, detail: str) -> Row:
        """Return a row of which nothing can be said but what is wrong."""
        return Row(number, None, (misshapen(self.name, detail, row=number),))

    def _faults(self, number: int, record: Mapping[str, object]) -> Iterator[Finding]:
        known = set(self.record_type.header)
        for key, value in record.items():
            if key not in known:
                yield stray_key(key, file=self.name, row=number, standard=self.standard)
            else:
                yield from self._value_faults(self.record_type.field(key), value, number)

    def _value_faults(self, field: Field, value: object, number: int) -> Iterator[Finding]:
        parts = value if isinstance(value, list) and field.type == "code_list" else [value]
        at = partial(finding, file=self.name, row=number, column=field.name)
        if any(isinstance(part, (list, dict)) for part in parts):
            # The value itself is left out of the finding: it may be large and of any shape.
            yield at("CT-015", value="…", type=field.type)
            return
        texts = [part for part in parts if isinstance(part, str)]
        if not all(is_unicode(text) for text in texts):
            yield at("CT-020")
        if sum(map(len, texts)) > longest_cell(field):
            detail = f"a value is longer than {longest_cell(field):,} characters"
            yield misshapen(self.name, detail, row=number, column=field.name)
