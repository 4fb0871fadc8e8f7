"""What a field holds, in a sentence that stands by itself.

In the tables of the standard a field may say "as above"; in a schema there is nothing above.
"""

from collections.abc import Mapping

from validators.definitions import RecordType

_ABOVE = "as above"


def descriptions(record: RecordType) -> Mapping[str, str]:
    """Return the description of each field: its values and its note."""
    found: dict[str, str] = {}
    above = ""
    for field in record.fields:
        above = field.values.replace(_ABOVE, above)
        found[field.name] = ". ".join(part for part in (above, field.note) if part) + "."
    return found
