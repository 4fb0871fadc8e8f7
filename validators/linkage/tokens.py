"""The linkage columns of a CASE record from what an agency knows of a child (CTDS section 6.4)."""

import hmac
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import date

from validators.identifiers import is_upn
from validators.linkage.clk import linkage_filter
from validators.linkage.names import normalised, soundex

KEY_BYTES = 32

_NOT_OF_A_REFERENCE = re.compile("[^A-Z0-9]")
_NOT_A_NUMBER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0")
_NO_NAMES = frozenset({"UNKNOWN", "NOT KNOWN", "NOT RECORDED"})


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """Who a child is, as the agency knows it; blank or None where it does not.

    It is not shown by repr: it must not reach a log by accident.
    """

    forenames: str = ""
    surname: str = ""
    born: date | None = None
    sex: str = "U"
    nrm_reference: str = ""
    upn: str = ""
    home_office_reference: str = ""


def linkage_fields(identity: Identity, *, key: bytes) -> dict[str, str]:
    """Return the columns that can be given: `lt_*` as 64 hex digits, `clk` as base64.

    A child without a whole name and a date of birth has none of the columns made from them; a UPN
    with a wrong check letter gives none, nor does what stands in place of a name or a reference, as
    all children of whom it is said would be one. Raises NotRomanised, and ValueError for a key of
    another length.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"a linkage key has {KEY_BYTES} octets")
    return {**_from_name(identity, key), **_from_references(identity, key)}


def _from_name(identity: Identity, key: bytes) -> dict[str, str]:
    forenames, surname = normalised(identity.forenames), normalised(identity.surname)
    if not _is_name(forenames) or not _is_name(surname) or identity.born is None:
        return {}
    born = identity.born.isoformat()
    parts = " ".join(sorted(f"{forenames} {surname}".split()))
    sounds = f"{soundex(forenames)}|{soundex(surname)}"
    clk = linkage_filter(forenames=forenames, surname=surname, born=born, sex=identity.sex, key=key)
    return {
        "lt_name_dob": _token("name_dob", f"{forenames}|{surname}|{born}", key),
        "lt_tokens_dob": _token("tokens_dob", f"{parts}|{born}", key),
        "lt_phon_yob": _token("phon_yob", f"{sounds}|{born[:4]}|{identity.sex}", key),
        "clk": b64encode(clk).decode("ascii"),
    }


def _from_references(identity: Identity, key: bytes) -> dict[str, str]:
    upn = _reference(identity.upn)
    given = {
        "lt_nrm": ("nrm", _reference(identity.nrm_reference)),
        "lt_upn": ("upn", upn if is_upn(upn) else ""),
        "lt_ho_ref": ("ho", _reference(identity.home_office_reference)),
    }
    return {
        column: _token(label, value, key)
        for column, (label, value) in given.items()
        if not _NOT_A_NUMBER.issuperset(value)
    }


def _is_name(name: str) -> bool:
    return bool(name) and name not in _NO_NAMES


def _reference(text: str) -> str:
    return _NOT_OF_A_REFERENCE.sub("", text.upper())


def _token(label: str, value: str, key: bytes) -> str:
    return hmac.digest(key, f"CTL1|{label}|{value}".encode(), "sha256").hex()
