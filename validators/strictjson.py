"""JSON read strictly: what two readers could understand differently is refused.

Owns RFC 8259 and RFC 7493 (I-JSON) where they leave a choice: duplicate keys, NaN and Infinity,
and depth are refused; numbers that are no plain integers stay text, as written. Used for the
manifest and for JSON Lines. The reason given never quotes the text, which may be anything.

    ValidatorsError
    └── JsonRefused      code "json-refused": not a JSON object under these rules
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from validators.errors import ValidatorsError

_LONGEST_INT = 18
_DEEPEST = 32
# The closing quote is optional, so that a string never closed is read once, not once a character.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"?|[][{}]', re.DOTALL)
_OPEN = ("[", "{")
_CLOSE = ("]", "}")


class JsonRefused(ValidatorsError):
    """The text is not one strict JSON object; `reason` is a clause for the sender."""

    code = "json-refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def load_object(text: str) -> dict[str, Any]:
    """Parse one JSON object; raises JsonRefused."""
    _require_shallow(text)
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        if isinstance(error, _Duplicate):
            raise JsonRefused("a key stands twice in one JSON object") from None
        raise JsonRefused("the text is not valid JSON") from None
    if not isinstance(value, dict):
        raise JsonRefused("the JSON value is not an object")
    return value


def is_unicode(text: str) -> bool:
    """Tell whether a string is Unicode text: JSON can smuggle in half a surrogate pair."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


class Written(str):
    """A number that no Python number holds exactly, as it was written."""

    __slots__ = ()


class _Duplicate(ValueError):
    pass


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Duplicate
    return found


def _int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INT else Written(digits)


def _refuse_constant(_name: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


def _require_shallow(text: str) -> None:
    # The parser recurses for each bracket, and its own limit differs between Python versions.
    if text.count("[") + text.count("{") <= _DEEPEST:
        return
    depth = 0
    for bracket in _STRING_OR_BRACKET.findall(text):
        depth += (bracket in _OPEN) - (bracket in _CLOSE)
        if depth > _DEEPEST:
            raise JsonRefused("the JSON is nested too deeply")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_int, parse_float=Written, parse_constant=_refuse_constant
)
