"""marshmallow fields for every type of the standard (CTDS sections 2, 4 and 8).

In goes the text of a CSV cell, or a JSON value; out comes a typed value, or the code of each rule
that the value breaks. `today` comes with the context, never from a clock.

    type            taken                                        typed as
    uuid            RFC 9562 version 4, lower case               str
    code            a code of its lists                          str
    code_list       codes joined by ";", or an array             tuple[str, ...]
    string, text    text                                         str
    int, decimal    digits, or a JSON integer                    int, Decimal
    bool            true, false                                  bool
    date            yyyy-mm-dd                                   date
    partial_date    yyyy, yyyy-mm or yyyy-mm-dd                  str
    yyyy-mm         yyyy-mm                                      str
    hex64, base64   a checksum or a linkage token                str
"""

from typing import Any

from validators.fields.codes import CodeField, CodeListField
from validators.fields.dates import DateField, MonthField, PartialDateField
from validators.fields.fault import Broken, Fault, FieldContext, RecordField
from validators.fields.ids import Base64Field, Hex64Field, UuidField
from validators.fields.numbers import BoolField, DecimalField, IntField
from validators.fields.text import StringField, TextField
from validators.standard import Field

__all__ = ["TYPES", "Broken", "Fault", "FieldContext", "RecordField", "TextField", "field_for"]

TYPES: dict[str, type[RecordField[Any]]] = {
    "uuid": UuidField,
    "code": CodeField,
    "code_list": CodeListField,
    "string": StringField,
    "text": TextField,
    "int": IntField,
    "decimal": DecimalField,
    "bool": BoolField,
    "date": DateField,
    "partial_date": PartialDateField,
    "yyyy-mm": MonthField,
    "hex64": Hex64Field,
    "base64": Base64Field,
}


def field_for(definition: Field, context: FieldContext) -> RecordField[Any]:
    """Return the marshmallow field of a definition."""
    return TYPES[definition.type](definition, context)
