"""Names as linkage compares them (CTDS section 6.3), and their sound.

Two agencies must come to the same text from what two officers typed, octet for octet: the steps are
those of the standard and no others. Titles are for the agency to remove, since "Khan" is one in
some names and not in others.
"""

import re
import unicodedata

from validators.errors import ValidatorsError

_UNDECOMPOSED = str.maketrans("đĐøØłŁ", "dDoOlL") | {ord("ß"): "ss", ord("ẞ"): "SS"}
_UNDECOMPOSED |= {ord("æ"): "ae", ord("Æ"): "AE"}
_APOSTROPHES = re.compile("['\u2019\u02bc`]")
_BETWEEN = re.compile("[^A-Z0-9]+")
_LETTERS = re.compile("[^A-Z]")
_DIGIT_OF = {
    letter: digit
    for digit, letters in enumerate(("BFPV", "CGJKQSXZ", "DT", "L", "MN", "R"), start=1)
    for letter in letters
}
_SILENT = frozenset("HW")


class NotRomanised(ValidatorsError):
    """The name has letters that are not made A to Z; writing it in those is the agency's to do."""

    code = "not-romanised"


def normalised(name: str) -> str:
    """Return a name in A to Z, digits and single spaces; "" for one that is blank.

    Raises NotRomanised rather than dropping letters: half a name would match half the others.
    """
    plain = unicodedata.normalize("NFKD", name.translate(_UNDECOMPOSED))
    letters = "".join(each for each in plain if not _is_mark(each)).upper()
    if any(each.isalpha() and not _is_taken(each) for each in letters):
        raise NotRomanised("write the name in the letters A to Z, as your agency romanises names")
    return _BETWEEN.sub(" ", _APOSTROPHES.sub("", letters)).strip()


def soundex(name: str) -> str:
    """Return the American Soundex of a normalised name, spaces dropped; "" without letters.

    H and W do not part two letters of one sound; vowels do.
    """
    letters = _LETTERS.sub("", name)
    if not letters:
        return ""
    digits, before = "", _DIGIT_OF.get(letters[0])
    for letter in letters[1:]:
        digit = _DIGIT_OF.get(letter)
        if digit is not None and digit != before:
            digits += str(digit)
        if letter not in _SILENT:
            before = digit
    return f"{letters[0]}{digits}000"[:4]


def _is_mark(each: str) -> bool:
    # Not by its combining class, which is 0 for some marks.
    return unicodedata.category(each).startswith("M")


def _is_taken(letter: str) -> bool:
    # Modifier letters are apostrophes to those who type them.
    return letter.isascii() or unicodedata.name(letter, "").startswith("MODIFIER")
