"""One marshmallow schema for each record type, built from the standard's data.

Owns the field-level rules of a row (CT-014 to CT-022 and CT-102) and tells all of them at once.
Rows are loaded one by one, never with `many=True`, so that one bad row can not hide another.
Rules between fields and between records are not handled here.

A return repeats itself: of its forty columns most hold one of a few codes. So what a field made of
a text is remembered and not asked for again; the field is the only definition all the same.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, missing
from marshmallow.fields import Field

from validators.fields import Broken, Fault, FieldContext, TextField, field_for
from validators.identifiers import may_name_person
from validators.standard import Standard


@dataclass(frozen=True, slots=True)
class RowError:
    """A rule that one cell breaks; `column` is None where the key is not one of ours."""

    column: str | None
    rule: str
    values: Mapping[str, str]


class RecordSchema(Schema):
    """What every record type shares: a key that is not in the standard is refused."""

    class Meta:
        unknown = RAISE


_MOST_REMEMBERED = 2_000
_LONGEST_REMEMBERED = 200  # longer ones hardly repeat, and thousands of them are a gigabyte
_Read = tuple[Any, tuple[Fault, ...]]


class Loader:
    """Loads rows through the fields of a schema, remembering what each made of which text."""

    def __init__(self, schema: Schema, *, memory: Callable[[], dict[str, Any]] = dict) -> None:
        self.schema = schema
        self._columns: dict[str, tuple[Field[Any], dict[str, _Read]]] = {
            name: (field, memory()) for name, field in schema.fields.items()
        }
        self._texts = [name for name, each in schema.fields.items() if isinstance(each, TextField)]

    def load(self, row: Mapping[str, object]) -> tuple[dict[str, Any] | None, tuple[RowError, ...]]:
        """Check one row; return it typed with its warnings, or None with every error it has.

        A typed row has every field of its type; those not given are None.
        """
        if not row.keys() <= self.schema.fields.keys():
            return load_row(self.schema, row)
        record: dict[str, Any] = {}
        errors: list[RowError] = []
        for name, (field, remembered) in self._columns.items():
            given = row.get(name, missing)
            found = remembered.get(given) if isinstance(given, str) else None
            record[name], faults = found or _read(field, name, given, remembered)
            if faults:
                errors += _row_errors(name, faults)
        if errors:
            return None, tuple(errors)
        return record, tuple(_warnings(self._texts, record))

    def load_suspect(
        self, row: Mapping[str, object], suspects: Iterable[str]
    ) -> tuple[dict[str, Any] | None, tuple[RowError, ...]]:
        """Say the same as `load` of a row of which all columns but these are known to be good."""
        errors: list[RowError] = []
        for name in suspects:
            field, remembered = self._columns[name]
            _, faults = _read(field, name, row[name], remembered)
            errors += _row_errors(name, faults)
        return (None, tuple(errors)) if errors else self.load(row)


def _row_errors(column: str, faults: Iterable[Fault]) -> list[RowError]:
    return [RowError(column, fault.rule, fault.values) for fault in faults]


def _read(field: Field[Any], name: str, given: object, remembered: dict[str, _Read]) -> _Read:
    if isinstance(given, str) and given in remembered:
        return remembered[given]
    try:
        read: _Read = field.deserialize(given, name), ()
    except Broken as broken:
        read = None, tuple(broken.faults)
    is_room = len(remembered) < _MOST_REMEMBERED
    if is_room and isinstance(given, str) and len(given) <= _LONGEST_REMEMBERED:
        remembered[given] = read
    return read


@lru_cache(maxsize=64)
def build_schema(standard: Standard, record_type: str, *, today: date) -> Schema:
    """Return the schema of a record type; raises KeyError for a type that the standard lacks."""
    context = FieldContext(standard, today)
    fields = standard.records[record_type].fields
    declared: dict[str, Field[Any]] = {each.name: field_for(each, context) for each in fields}
    return RecordSchema.from_dict(declared, name=f"{record_type}Schema")()


def load_row(
    schema: Schema, row: Mapping[str, object]
) -> tuple[dict[str, Any] | None, tuple[RowError, ...]]:
    """Check one row; return it typed with its warnings, or None with every error it has.

    A typed row has every field of its type; those not given are None.
    """
    try:
        record: dict[str, Any] = schema.load(row)
    except ValidationError as refused:
        return None, tuple(_errors(refused))
    texts = [name for name, each in schema.fields.items() if isinstance(each, TextField)]
    return record, tuple(_warnings(texts, record))


def _errors(refused: ValidationError) -> Iterator[RowError]:
    for column, faults in refused.messages_dict.items():
        for fault in faults:
            if isinstance(fault, Fault):
                yield RowError(column, fault.rule, fault.values)
            else:
                detail = "a column is not part of the standard"
                yield RowError(None, "CT-011", {"detail": detail, "given": str(column)})


def _warnings(texts: Iterable[str], record: Mapping[str, Any]) -> Iterator[RowError]:
    for column in texts:
        text = record[column]
        if text is not None and may_name_person(text):
            yield RowError(column, "CT-022", {})
