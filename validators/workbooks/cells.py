"""What a cell of a workbook says, as the text that the same value has in a CSV file.

Spreadsheets turn what looks like a number, a date or a truth value into one. It is turned back into
the form that the standard asks for (CTDS section 2) where that loses nothing; what a field then
makes of the text is the field's affair.
"""

from datetime import date, datetime, time
from typing import Any

_EXACT = 2**53  # beyond it a float stands for several whole numbers


def text_of_cell(value: Any) -> str:
    """Return the text; "" for a cell that is blank."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    if isinstance(value, datetime):
        return _date_or_time(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _date_or_time(value: datetime) -> str:
    return value.date().isoformat() if value.time() == time.min else value.isoformat()
