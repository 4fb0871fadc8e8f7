"""One marshmallow schema for each record type, built from the standard's data.

Owns the field-level rules of a row (CT-014 to CT-022 and CT-102) and tells all of them at once.
Rows are loaded one by one, never with `many=True`, so that one bad row can not hide another.
Rules between fields and between records are not handled here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from marshmallow import RAISE, Schema, ValidationError
from marshmallow.fields import Field

from validators.fields import Fault, FieldContext, TextField, field_for
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
    return record, tuple(_warnings(schema, record))


def _errors(refused: ValidationError) -> Iterator[RowError]:
    for column, faults in refused.messages_dict.items():
        for fault in faults:
            if isinstance(fault, Fault):
                yield RowError(column, fault.rule, fault.values)
            else:
                detail = "a column is not part of the standard"
                yield RowError(None, "CT-011", {"detail": detail, "given": str(column)})


def _warnings(schema: Schema, record: Mapping[str, Any]) -> Iterator[RowError]:
    for column, field in schema.fields.items():
        text = record[column]
        if isinstance(field, TextField) and text is not None and may_name_person(text):
            yield RowError(column, "CT-022", {})
