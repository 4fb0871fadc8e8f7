"""The written form of every type of the standard as a pattern, for readers that are not Python.

Patterns use what ECMA-262 and Python read alike: no look-around, no classes such as \\d, nothing
that depends on a flag. They say the form from end to end and no more than the form: what a date may
be at latest, or how many digits a range allows, a pattern does not tell.
"""

from collections.abc import Iterable

from validators.definitions import Field, Standard

UUID_4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
HEX_64 = "[0-9a-f]{64}"
CLK = "[A-Za-z0-9+/]{170}[AEIMQUYcgkosw048]="  # 128 bytes, with no bit beyond them
INT = "-?(?:0|[1-9][0-9]*)"
DECIMAL = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]{1,2})?"

_YEAR = "(?:199[0-9]|[2-9][0-9]{3})"
_MONTH = "(?:0[1-9]|1[0-2])"
_DAY = "(?:0[1-9]|[12][0-9]|3[01])"
DATE = f"{_YEAR}-{_MONTH}-{_DAY}"
MONTH = f"{_YEAR}-{_MONTH}"
PARTIAL_DATE = f"{_YEAR}(?:-{_MONTH}(?:-{_DAY})?)?"

_SPECIAL = frozenset(r"\^$.|?*+()[]{}")

FORMS = {
    "uuid": UUID_4,
    "hex64": HEX_64,
    "base64": CLK,
    "int": INT,
    "decimal": DECIMAL,
    "date": DATE,
    "yyyy-mm": MONTH,
    "partial_date": PARTIAL_DATE,
    "bool": "true|false",
}
"""The form of each type whose form does not depend on the field."""


def whole(pattern: str) -> str:
    """Return a pattern that is anchored at both ends."""
    return f"^(?:{pattern})$"


def literally(text: str) -> str:
    """Return a pattern that matches this text alone."""
    return "".join(f"\\{each}" if each in _SPECIAL else each for each in text)


def any_of(texts: Iterable[str]) -> str:
    """Return a pattern that matches any of these texts."""
    return "|".join(map(literally, texts))


def codes_pattern(field: Field, standard: Standard) -> str:
    """Return the pattern of one code of a field, whatever the field's type."""
    codes = any_of(sorted(standard.allowed_codes(field)))
    return "|".join(part for part in (field.pattern, codes) if part)


def joined_pattern(field: Field, standard: Standard) -> str:
    """Return the pattern of several codes joined with semicolons."""
    alone = standard.alone_in(field)
    others = any_of(sorted(standard.allowed_codes(field) - alone))
    one = "|".join(part for part in (field.pattern, others) if part)
    more = "*" if field.max_codes is None else f"{{0,{field.max_codes - 1}}}"
    several = f"(?:{one})(?:;(?:{one})){more}"
    return "|".join([several, any_of(sorted(alone))]) if alone else several
