"""The Child Trafficking Data Standard, read from the data that is published with this package.

The data is the definition: fields, limits, code lists, rules and sentences stand in
`data/ctds-<version>/`, and nothing of them is repeated in code. Works offline and from a wheel.
Refuses any version that it does not carry; the version never becomes part of a path before that.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import StringIO
from types import MappingProxyType
from typing import Any, TypeVar

from validators.definitions import (
    Agency,
    CodeList,
    Field,
    ManifestKey,
    RecordType,
    RuleText,
    Standard,
)
from validators.errors import UnknownStandard

__all__ = [
    "AVAILABLE",
    "Agency",
    "CodeList",
    "Field",
    "ManifestKey",
    "RecordType",
    "RuleText",
    "Standard",
    "Standards",
    "data_folder",
    "load_standard",
    "load_standards",
    "newest",
]

AVAILABLE = ("1.0",)
"""The versions that are carried, the newest last."""

Standards = Mapping[str, Standard]
"""Versions to choose from, by their numbers, the newest last."""

_Value = TypeVar("_Value")

_LIMITS = ("combines", "pattern", "minimum", "maximum", "max_codes", "sentinels")
_LISTS = ("codelists", "extra_codes", "excluded_codes")


def load_standard(version: str | None = None) -> Standard:
    """Return a version of the standard, or the newest; raises UnknownStandard.

    It is the same object each time.
    """
    wanted = AVAILABLE[-1] if version is None else version
    if wanted not in AVAILABLE:
        raise UnknownStandard(f"this package carries CTDS {', '.join(AVAILABLE)} only")
    return _load(wanted)


def load_standards() -> Standards:
    """Return every version that is carried."""
    return _frozen({version: load_standard(version) for version in AVAILABLE})


def newest(standards: Standards) -> Standard:
    """Return the version to judge by what names none."""
    return list(standards.values())[-1]


def data_folder(standard: Standard) -> Traversable:
    """Return the folder that a version of the standard was read from."""
    return _folder(standard.version)


def _folder(version: str) -> Traversable:
    return files("validators") / "data" / f"ctds-{version}"


@cache
def _load(version: str) -> Standard:
    folder = _folder(version)
    published = _json(folder / "standard.json")
    codelists = {each.code: each for each in _codelists(folder, published)}
    return Standard(
        name=published["standard"],
        version=published["version"],
        records=_frozen({code: _record(code, raw) for code, raw in published["records"].items()}),
        codelists=_frozen(codelists),
        rules=_frozen({each.code: each for each in _rules(folder, published)}),
        manifest_keys=tuple(_manifest_key(raw) for raw in published["manifest"]),
        prohibited=tuple(published["prohibited"]),
        agencies=_frozen({row["agency_id"]: _agency(row) for row in codelists["CL_AGENCY"].rows}),
    )


def _json(file: Traversable) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _frozen(mapping: dict[str, _Value]) -> Mapping[str, _Value]:
    return MappingProxyType(mapping)


def _record(code: str, raw: Mapping[str, Any]) -> RecordType:
    return RecordType(
        code, raw["title"], raw["purpose"], tuple(_field(each) for each in raw["fields"])
    )


def _field(raw: Mapping[str, Any]) -> Field:
    limits: dict[str, Any] = {name: raw[name] for name in _LIMITS if name in raw}
    limits |= {name: tuple(raw[name]) for name in _LISTS if name in raw}
    return Field(
        name=raw["name"],
        type=raw["type"],
        required=raw["req"],
        values=raw["values"],
        privacy=raw["privacy"],
        note=raw["note"],
        **limits,
    )


def _codelists(folder: Traversable, published: Mapping[str, Any]) -> Iterator[CodeList]:
    titles = {code: raw["title"] for code, raw in published["codelists"].items()}
    for code, title in {**titles, **published["registers"]}.items():
        text = (folder / "codelists" / f"{code}.csv").read_text(encoding="utf-8")
        rows = tuple(_frozen(row) for row in csv.DictReader(StringIO(text, newline="")))
        # The first column of every list is the code, the second what it is called.
        items = dict(list(row.values())[:2] for row in rows)
        yield CodeList(code, title, _frozen(items), rows)


def _rules(folder: Traversable, published: Mapping[str, Any]) -> Iterator[RuleText]:
    mends = _json(folder / "mends.json")
    redacted = _json(folder / "redacted.json")
    for raw in published["rules"]:
        code, message = raw["code"], raw["msg"]
        yield RuleText(
            code=code,
            severity=raw["sev"],
            level=raw["level"],
            applies=raw["applies"],
            test=raw["test"],
            message=message,
            mend=mends[code],
            # A message without placeholders repeats nothing as it is.
            redacted=redacted.get(code, message),
            mends=_frozen(_further(mends, code)),
        )


def _further(mends: Mapping[str, str], code: str) -> dict[str, str]:
    """What stands under "CT-015 date" as well as under "CT-015", by the word after the code."""
    parted = ((key.partition(" "), text) for key, text in mends.items())
    return {word: text for (of, _, word), text in parted if of == code and word}


def _manifest_key(raw: Mapping[str, str]) -> ManifestKey:
    return ManifestKey(raw["name"], raw["type"], raw["req"], raw["note"])


def _agency(row: Mapping[str, str]) -> Agency:
    return Agency(
        agency_id=row["agency_id"],
        name=row["name"],
        agency_type=row["agency_type"],
        # "check" stands for a first responder whose listing is still to be confirmed.
        first_responder=row["first_responder"] != "false",
        area=row["area"],
    )
