"""Dates, months and partial dates: the form (CT-015) and what can be (CT-017).

From 1990-01-01 to `today`, which the caller gives. A partial date stays the text that was sent: its
precision is what the sender knew.
"""

import re
from datetime import date
from typing import Any

from validators.fields.fault import RecordField, Value, broken, malformed, text_of

_FIRST = date(1990, 1, 1)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_PARTIAL = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")


class _Dated(RecordField[Value]):
    def _possible(self, text: str) -> date:
        """Return the first day that the text can mean; raises CT-017."""
        try:
            first = date.fromisoformat(f"{text}-01-01"[:10])
        except ValueError:
            raise broken("CT-017", value=text) from None
        if not _FIRST <= first <= self.context.today:
            raise broken("CT-017", value=text)
        return first

    def _shaped(self, value: object, pattern: re.Pattern[str], kind: str) -> str:
        text = text_of(value, kind)
        if not pattern.fullmatch(text):
            raise malformed(text, kind)
        return text


class DateField(_Dated[date]):
    """A day, yyyy-mm-dd."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> date:
        return self._possible(self._shaped(value, _DATE, "date (yyyy-mm-dd)"))


class MonthField(_Dated[str]):
    """A month, yyyy-mm."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        text = self._shaped(value, _MONTH, "month (yyyy-mm)")
        self._possible(text)
        return text


class PartialDateField(_Dated[str]):
    """A year, a month or a day, as far as it is known and the field allows."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        pattern = re.compile(self.definition.pattern) if self.definition.pattern else _PARTIAL
        text = self._shaped(value, pattern, f"date ({self.definition.values})")
        self._possible(text)
        return text
