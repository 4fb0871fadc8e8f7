"""Linkage columns once more, written from the text of CTDS section 6 alone and slowly on purpose.

Shares nothing with the package: what both get wrong would have to be misread twice.
"""

import hashlib
import hmac
import unicodedata
from base64 import b64encode
from itertools import pairwise

_REPLACED = dict(
    zip("đøłßæĐØŁẞÆ", ["d", "o", "l", "ss", "ae", "D", "O", "L", "SS", "AE"], strict=True)
)
_SOUNDS = {
    letter: sound
    for sound, letters in {
        "1": "BFPV",
        "2": "CGJKQSXZ",
        "3": "DT",
        "4": "L",
        "5": "MN",
        "6": "R",
    }.items()
    for letter in letters
}


def name_of(text: str) -> str:
    """Section 6.3, steps 1 and 2."""
    replaced = "".join(_REPLACED.get(each, each) for each in text)
    parts = unicodedata.normalize("NFKD", replaced)
    upper = "".join(each for each in parts if unicodedata.category(each)[0] != "M").upper()
    kept = [each for each in upper if each not in "'\u2019\u02bc`"]
    return " ".join("".join(each if _is_plain(each) else " " for each in kept).split())


def sound_of(name: str) -> str:
    """American Soundex, as the National Archives of the United States have it."""
    letters = name.replace(" ", "").translate({ord(digit): None for digit in "0123456789"})
    heard = letters[:1] + letters[1:].replace("H", "").replace("W", "")
    sounds = [_SOUNDS.get(each, "") for each in heard]
    told = [after for before, after in pairwise(sounds) if after != before]
    return f"{letters[0]}{''.join(told)}000"[:4] if letters else ""


def columns_of(
    names: tuple[str, str], born: str, sex: str, references: tuple[str, str], key: bytes
) -> dict[str, str]:
    """Section 6.4: the columns of a child; references are those of NRM and Home Office."""
    forenames, surname = map(name_of, names)
    values = {}
    if not {forenames, surname} & {"", "UNKNOWN", "NOT KNOWN", "NOT RECORDED"}:
        every = " ".join(sorted([*forenames.split(), *surname.split()]))
        sounds = f"{sound_of(forenames)}|{sound_of(surname)}"
        values = {
            "lt_name_dob": f"name_dob|{forenames}|{surname}|{born}",
            "lt_tokens_dob": f"tokens_dob|{every}|{born}",
            "lt_phon_yob": f"phon_yob|{sounds}|{born[:4]}|{sex}",
        }
    for column, label, text in zip(("lt_nrm", "lt_ho_ref"), ("nrm", "ho"), references, strict=True):
        plain = "".join(filter(_is_plain, text.upper()))
        if any(digit in plain for digit in "123456789"):
            values[column] = f"{label}|{plain}"
    made = {column: _keyed(key, value).hex() for column, value in values.items()}
    if "lt_name_dob" in made:
        made["clk"] = _filter(forenames, surname, born, sex, key)
    return made


def _is_plain(letter: str) -> bool:
    return letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _keyed(key: bytes, text: str) -> bytes:
    return hmac.new(key, f"CTL1|{text}".encode(), hashlib.sha256).digest()


def _filter(forenames: str, surname: str, born: str, sex: str, key: bytes) -> str:
    bits = ["0"] * 1024
    words = (("g", forenames, 20), ("s", surname, 20), ("d", born, 16))
    grams = [
        (label, one + other, count)
        for label, word, count in words
        for one, other in pairwise(f"_{word.replace(' ', '').replace('-', '')}_")
    ]
    for label, gram, count in [*grams, ("x", sex, 10)]:
        digest = _keyed(key, f"clk|{label}|{gram}")
        first = int.from_bytes(digest[:8], "big")
        step = int.from_bytes(digest[8:16], "big") | 1
        for turn in range(count):
            bits[(first + turn * step) % 1024] = "1"
    return b64encode(int("".join(bits), 2).to_bytes(128, "big")).decode()
