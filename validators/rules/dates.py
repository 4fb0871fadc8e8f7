"""Arithmetic on dates that may be known to the year or month only.

A partial date stands for every day it may mean: `first_day` and `last_day` give both ends. Ages are
whole years completed, as the law counts them.
"""

import calendar
from datetime import date


def first_day(value: object) -> date:
    """Return the earliest day that yyyy, yyyy-mm or yyyy-mm-dd can mean."""
    year, month, day = [*_parts(value), 1, 1][:3]
    return date(year, month, day)


def last_day(value: object) -> date:
    """Return the latest day that yyyy, yyyy-mm or yyyy-mm-dd can mean."""
    parts = _parts(value)
    year = parts[0]
    month = parts[1] if len(parts) > 1 else 12
    day = parts[2] if len(parts) > 2 else calendar.monthrange(year, month)[1]
    return date(year, month, day)


def comes_after(start: object, end: object) -> bool:
    """Tell whether start is later than end, both cut to the coarser of their precisions."""
    one, other = _parts(start), _parts(end)
    shared = min(len(one), len(other))
    return one[:shared] > other[:shared]


def completed_years(birth: date, on: date) -> int:
    """Return the age in whole years; someone born on 29 February turns older on 1 March."""
    before_birthday = (on.month, on.day) < (birth.month, birth.day)
    return on.year - birth.year - before_birthday


def _parts(value: object) -> list[int]:
    return [int(part) for part in str(value).split("-")]
