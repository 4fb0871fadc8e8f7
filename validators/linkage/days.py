"""Dates as agencies' systems write them: `yyyy-mm-dd` or `dd/mm/yyyy`, and no other way.

Month before day is never guessed at: half of all such dates would be silently another day.
"""

import re
from datetime import date

_BRITISH = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")

HOW_TO_WRITE = "write the date as yyyy-mm-dd or dd/mm/yyyy"


def day(text: str) -> date | None:
    """Return the date, or None for what is none."""
    british, iso = _BRITISH.fullmatch(text.strip()), _ISO.fullmatch(text.strip())
    parts = british.group(3, 2, 1) if british else iso.groups() if iso else None
    try:
        return None if parts is None else date(*map(int, parts))
    except ValueError:
        return None
