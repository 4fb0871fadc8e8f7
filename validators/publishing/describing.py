"""What a field holds, in words that stand by themselves.

In the tables of the standard a field may say "as above"; in a schema, or where a link leads to the
one field, there is nothing above.
"""

from collections.abc import Mapping

from validators.definitions import RecordType

_ABOVE = "as above"


def values_of(record: RecordType) -> Mapping[str, str]:
    """Return what values each field takes."""
    found: dict[str, str] = {}
    above = ""
    for field in record.fields:
        above = field.values.replace(_ABOVE, above)
        found[field.name] = above
    return found


def descriptions(record: RecordType) -> Mapping[str, str]:
    """Return the description of each field: its values and its note."""
    values = values_of(record)
    return {
        field.name: ". ".join(part for part in (values[field.name], field.note) if part) + "."
        for field in record.fields
    }
