"""Nationalities as people write them, and their codes: "Albanian", "Albania", "ALB", "AL".

The words are those of the United Kingdom's list of nationalities, on which the form of the National
Referral Mechanism draws, with the names and codes of countries (`data/converting/`). Two of them
side by side ("Afghan UK") are two nationalities of one child. Nothing is guessed at: a word that is
not known has no code.
"""

import csv
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from validators.standard import Standard

UNKNOWN = "UNK"
_BETWEEN = re.compile(r"[^a-z0-9]+")
_MOST_WORDS = 12


def nationalities(text: str, standard: Standard) -> tuple[str, ...] | None:
    """Return one or two codes, in the order of the text, or None for words that are not known.

    Of two readings the one whose first part is longer counts: "South Sudanese Sudanese".
    """
    words = _plain(text).split()
    known = _known(standard)
    if not words or len(words) > _MOST_WORDS:
        return None
    whole = known.get(" ".join(words))
    if whole is not None:
        return (whole,)
    for at in range(len(words) - 1, 0, -1):
        first, second = known.get(" ".join(words[:at])), known.get(" ".join(words[at:]))
        if first is not None and second is not None:
            return (first, second)
    return None


def country(text: str, standard: Standard) -> str | None:
    """Return the code of a country or nationality named by itself, or by ISO 3166 code."""
    return _countries(standard).get(_plain(text))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(each for each in letters if not unicodedata.combining(each))
    return _BETWEEN.sub(" ", kept.replace("'", "").replace("\u2019", "")).strip()


@cache
def _known(standard: Standard) -> Mapping[str, str]:
    """Words and names; codes are not among them, for "US" and "AL" are parts of other texts."""
    countries = standard.codelists["CL_COUNTRY"].items
    named = {_plain(name): code for code, name in countries.items()}
    return named | {_plain(word): code for word, code in _pairs("nationalities.csv")}


@cache
def _countries(standard: Standard) -> Mapping[str, str]:
    codes = {code.casefold(): code for code in standard.codelists["CL_COUNTRY"].items}
    short = {alpha_2.casefold(): code for alpha_2, code in _pairs("alpha2.csv")}
    return {**short, **codes, **_known(standard)}


def _pairs(name: str) -> list[list[str]]:
    """The rows of a table of two columns, without its header."""
    table = files("validators") / "data" / "converting" / name
    return list(csv.reader(table.read_text(encoding="utf-8").splitlines()))[1:]
