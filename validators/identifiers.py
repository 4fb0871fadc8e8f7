"""Patterns of personal identifiers, which no record may hold (CTDS section 6.1, CT-021, CT-022).

Finds full UK postcodes, e-mail addresses, UK telephone numbers, NHS numbers, National Insurance
numbers, unique pupil numbers and passports. Where an identifier has a check digit it is computed,
so that pseudonyms made of digits pass. This is a net for mistakes, not a proof that text is
anonymous. Every pattern is bounded and starts at the edge of a word, so hostile text costs linear
time.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of identifier; `holds` confirms what the pattern found."""

    name: str
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] = bool


def find_identifier(text: str) -> str | None:
    """Return the name of the first kind of identifier that the text holds."""
    # Full-width digits and letters would pass the patterns and still be read by people.
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    for kind in KINDS:
        if any(kind.holds(match[0]) for match in kind.pattern.finditer(plain)):
            return kind.name
    return None


def may_name_person(text: str) -> bool:
    """Tell whether a narrative seems to name somebody or to give a full date (CT-022)."""
    return bool(_FULL_DATE.search(text)) or any(
        first[0].isupper() and last[0].isupper() for first, last in _NAMED.findall(text)
    )


def _pattern(inside: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9])(?:{inside})(?![A-Za-z0-9])", re.IGNORECASE)


def _digits(text: str) -> list[int]:
    return [int(each) for each in text if each.isdecimal()]


def _is_nhs_number(text: str) -> bool:
    """Modulus 11 (NHS Data Dictionary): weights 10 to 2; a check digit of 10 is never issued."""
    *body, check = _digits(text)
    total = sum(weight * digit for weight, digit in zip(range(10, 1, -1), body, strict=True))
    # Ten equal digits pass the sum and are what people type to fill a gap.
    return (11 - total % 11) % 11 == check and len(set(body)) > 1


_UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
_UPN = re.compile(r"[A-HJ-NP-RT-Z]\d{11}[A-Z\d]", re.ASCII)


def is_upn(text: str) -> bool:
    """Tell whether a text is a permanent unique pupil number with its right check letter."""
    return bool(_UPN.fullmatch(text)) and _is_upn(text)


def _is_upn(text: str) -> bool:
    """Modulus 23 (DfE guide to UPNs): weights 2 to 13; a temporary number ends in a letter."""
    letter, rest = text[0].upper(), text[1:].upper()
    if rest[-1] in "IOS":
        return False
    values = [int(each) if each.isdecimal() else _UPN_LETTERS.index(each) for each in rest]
    total = sum(weight * value for weight, value in zip(range(2, 14), values, strict=True))
    return _UPN_LETTERS[total % 23] == letter


_AREAS = (
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY "
    "E EC EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE "
    "LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL "
    "SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
)
# "level B1 2nd door" is no postcode, "B33 8TH" is: ordinals are told by their small letters.
_INWARD = r"\d(?!(?-i:st|nd|rd|th))[ABD-HJLNP-UW-Z]{2}"
# The form comes first: else each word of a text is held against all the areas.
_POSTCODE = (
    r"(?=[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})"
    rf"(?:{_AREAS.replace(' ', '|')})\d[A-Z\d]? ?{_INWARD}"
)
_SPACE = r"[ \t.()-]{0,3}"

KINDS = (
    Kind(
        "e-mail address",
        re.compile(
            r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}"
        ),
    ),
    Kind("postcode", _pattern(_POSTCODE)),
    Kind(
        "National Insurance number",
        _pattern(
            r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
            r"[ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D]"
        ),
    ),
    Kind("unique pupil number", _pattern(r"[A-HJ-NP-RT-Z]\d{11}[A-Z\d]"), _is_upn),
    Kind("NHS number", _pattern(r"\d{3}[ -]?\d{3}[ -]?\d{4}"), _is_nhs_number),
    Kind(
        "telephone number",
        re.compile(
            rf"(?<![A-Za-z0-9+])(?:(?:\+|00)44{_SPACE}(?:\(0\){_SPACE})?|\(?0)"
            rf"[1-35789](?:{_SPACE}\d){{9}}(?![A-Za-z0-9])"
        ),
    ),
    Kind(
        "passport number",
        _pattern(
            r"passports?\b[^A-Za-z0-9]{0,4}(?:(?:no|num|number|nr|is|was)\b[^A-Za-z0-9]{0,4}){0,3}"
            r"(?=[A-Z]{0,3}\d)[A-Z]{0,3}\d{6,9}"
        ),
    ),
    Kind("passport number", re.compile(r"(?<![A-Za-z0-9])P[A-Z<][A-Z]{3}[A-Z]{1,39}<[A-Z<]{3,39}")),
)

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_YEAR = r"(?:19|20)\d\d"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_FULL_DATE = re.compile(
    rf"\b(?:\d{{1,2}}[/. -]\d{{1,2}}[/. -]{_YEAR}|{_YEAR}([-/.])\d\d?\1\d\d?"
    r"|\d{1,2}/\d{1,2}/\d\d"
    rf"|{_DAY}(?: of)? {_MONTH},? {_YEAR}|{_MONTH} {_DAY},? {_YEAR})\b",
    re.IGNORECASE,
)
_WORD = "[^\\W\\d_][\\w'\u2019-]{0,40}"
_OPEN = "[\"'\u2018\u201c(]?"
_NAMED = re.compile(
    rf"\b(?:[Nn]amed|[Cc]alled|Mr|Ms|Mrs)\b[.:]?\s{{1,3}}{_OPEN}({_WORD})\s{{1,3}}({_WORD})"
)
