"""Strings and narrative text: CT-020 (characters), CT-021 (identifiers) and lengths.

A string is a pseudonym or a file name and ends up in other people's spreadsheets, so it may not
start like a formula. A narrative may, for a sentence can begin with a dash.
"""

import re
from typing import Any

from validators.fields.fault import Fault, RecordField, broken, malformed, text_of
from validators.identifiers import find_identifier

# Control characters but newline and tab; overrides that make text read otherwise than it is; lone
# surrogates, which no UTF-8 file can hold.
_REFUSED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_FORMULA = ("=", "+", "-", "@", "\t")


def unfit(text: str) -> Fault | None:
    """Return what is wrong with a cell that is not a narrative, whatever its field.

    An identifier comes first and its value is never repeated: it must go, not be written otherwise.
    """
    kind = find_identifier(text)
    if kind is not None:
        return Fault("CT-021", {"kind": kind})
    if text.startswith(_FORMULA) or "\n" in text or _REFUSED.search(text):
        return Fault("CT-020", {})
    return None


class StringField(RecordField[str]):
    """A pseudonym or a file name."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        limits = self.definition
        kind = f"string of {limits.minimum} to {limits.maximum} characters {limits.pattern}"
        text = text_of(value, kind.rstrip("+"))
        fault = unfit(text)
        if fault is not None:
            raise broken(fault.rule, **fault.values)
        fits = re.fullmatch(limits.pattern or ".*", text)
        if not fits or not (limits.minimum or 0) <= len(text) <= (limits.maximum or len(text)):
            raise malformed(text, kind.rstrip("+"))
        return text


class TextField(RecordField[str]):
    """A narrative. Line ends CR LF become LF."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        text = text_of(value, "text").replace("\r\n", "\n")
        kind = find_identifier(text)
        if kind is not None:
            raise broken("CT-021", kind=kind)
        if _REFUSED.search(text):
            raise broken("CT-020")
        limits = self.definition
        if not (limits.minimum or 0) <= len(text) <= (limits.maximum or len(text)):
            allowed = f"{limits.minimum:,} to {limits.maximum:,}"
            raise broken("CT-015", detail=f"has {len(text):,} characters; {allowed} are allowed")
        return text
