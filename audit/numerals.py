"""Decimal numbers as C2SP writes them: ASCII digits, no sign, no leading zero."""

import re

# [0-9] and not \d, which also matches digits of other scripts; 18 digits stay below 2^63.
_NUMERAL = re.compile(r"0|[1-9][0-9]{0,17}")


def read_numeral(text: str) -> int | None:
    """The number, or None where the text is not its one spelling."""
    return int(text) if _NUMERAL.fullmatch(text) else None
