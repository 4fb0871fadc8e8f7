"""How a field says no: by the code of the rule that the value breaks.

marshmallow carries error messages; here each message is a Fault, so that nothing has to be read out
of a sentence later. `RecordField` owns what all fields share: a blank cell is a value not given
(CTDS section 2), and a required field that is not given breaks CT-014.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, missing

from validators.standard import Field, Standard

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken rule and the values that its message names."""

    rule: str
    values: Mapping[str, str]


class Broken(ValidationError):
    """The value breaks one or more rules."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(list(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class FieldContext:
    """What a field is checked against besides its definition; `today` never comes from a clock."""

    standard: Standard
    today: date


class RecordField(fields.Field[Value]):
    """A field of a record type, built from its definition."""

    def __init__(self, definition: Field, context: FieldContext) -> None:
        required = definition.required == "R"
        super().__init__(required=required, load_default=missing if required else None)
        self.definition = definition
        self.context = context

    def deserialize(
        self,
        value: Any,
        attr: str | None = None,
        data: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the typed value, or None when it is not given; raises Broken."""
        if not is_blank(value):
            return super().deserialize(value, attr, data, **kwargs)
        if self.required:
            raise broken("CT-014")
        return None


def is_blank(value: object) -> bool:
    """Tell whether a cell or JSON value counts as not given."""
    if isinstance(value, str):
        return not value.strip(" ")
    return value is missing or value is None or value == []


def broken(rule: str, **values: object) -> Broken:
    """Return the error for one broken rule."""
    return Broken([Fault(rule, {name: shown(value) for name, value in values.items()})])


def malformed(value: object, kind: str) -> Broken:
    """CT-015: the value does not have the form of its type."""
    return broken("CT-015", value=value, type=kind)


def text_of(value: object, kind: str) -> str:
    """Return the text of a cell; anything else in JSON breaks CT-015."""
    if not isinstance(value, str):
        raise malformed(value, kind)
    return value


def shown(value: object) -> str:
    """Return a value as text. Python refuses to write out integers of thousands of digits."""
    if isinstance(value, int) and value.bit_length() > 256:
        return "…"
    return str(value)
