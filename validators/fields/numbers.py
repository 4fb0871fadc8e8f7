"""Whole numbers, decimals and booleans: the form (CT-015) and the range (CT-019).

One way to write each number: no signs but minus, no spaces, no thousands separators, no exponents,
no digits of other scripts. JSON numbers and booleans are taken where the type is theirs.
"""

import re
from decimal import Decimal
from typing import Any

from validators.fields.fault import RecordField, Value, broken, malformed, shown, text_of

_INT = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]{1,2})?")
_MOST_DIGITS = 18  # more is out of every range, and must not reach int() by the thousand


class _Number(RecordField[Value]):
    def _require_range(self, number: int | Decimal, given: object) -> None:
        limits = self.definition
        if shown(given) in limits.extra_codes:
            return
        low, high = limits.minimum, limits.maximum
        if (low is not None and number < low) or (high is not None and number > high):
            raise broken("CT-019", value=given, min=low, max=high)

    def _text(self, value: object, pattern: re.Pattern[str], kind: str) -> str:
        text = text_of(value, kind)
        if not pattern.fullmatch(text):
            raise malformed(text, kind)
        if len(text) > _MOST_DIGITS:
            raise broken(
                "CT-019", value=text, min=self.definition.minimum, max=self.definition.maximum
            )
        return text


class IntField(_Number[int]):
    """A whole number."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> int:
        number = value if type(value) is int else int(self._text(value, _INT, "whole number"))
        self._require_range(number, value)
        return number


class DecimalField(_Number[Decimal]):
    """A number with at most two decimals."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Decimal:
        kind = "number with at most two decimals"
        given = value if type(value) is int else self._text(value, _DECIMAL, kind)
        number = Decimal(given)
        self._require_range(number, value)
        return number


class BoolField(RecordField[bool]):
    """true or false. Where the standard takes only true, false is no confirmation (CT-098)."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> bool:
        text = str(value).lower() if isinstance(value, bool) else text_of(value, "true or false")
        if text not in ("true", "false"):
            raise malformed(text, "true or false")
        only = self.definition.extra_codes
        if only and text not in only:
            raise broken("CT-098")
        return text == "true"
