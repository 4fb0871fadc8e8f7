"""A version after the newest, made of it for tests: one code, one column and one rule differ.

Every sentence of it begins with its number, so that none of another version's can pass for it.
"""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

import validators.standard
from validators.standard import Standards, data_folder, load_standard, load_standards

NEXT = "1.1"
NEW_COLUMN = {
    "name": "told_by",
    "type": "code",
    "req": "O",
    "values": "CL_SEX",
    "privacy": "N",
    "maps_to": "",
    "note": "",
    "codelists": ["CL_SEX"],
}
NEW_CODE = "Q"
GONE = "CT-033"
"""An error of 1.0 that the next version does not have."""
MILDER = "CT-036"
"""An error of 1.0 that is a warning in the next version."""


@contextmanager
def two_versions(folder: Path) -> Iterator[Standards]:
    """Both versions are carried."""
    if not folder.exists():
        _make(folder)
    carried, of = validators.standard.AVAILABLE, validators.standard._folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validators.standard, "AVAILABLE", (*carried, NEXT))
        patch.setattr(
            validators.standard,
            "_folder",
            lambda version: folder if version == NEXT else of(version),
        )
        yield load_standards()


def _make(folder: Path) -> None:
    copytree(Path(str(data_folder(load_standard("1.0")))), folder)
    _change(folder / "standard.json", _changed)
    for name in ("mends.json", "redacted.json"):
        _change(folder / name, lambda texts: {code: _marked(text) for code, text in texts.items()})
    with (folder / "codelists" / "CL_SEX.csv").open("a", newline="") as stream:
        csv.writer(stream).writerow([NEW_CODE, "A new code"])


def _changed(published: dict[str, Any]) -> dict[str, Any]:
    published["version"] = NEXT
    published["records"]["CASE"]["fields"].append(NEW_COLUMN)
    rules = [rule for rule in published["rules"] if rule["code"] != GONE]
    for rule in rules:
        rule["msg"] = _marked(rule["msg"])
        if rule["code"] == MILDER:
            rule["sev"] = "warning"
    return {**published, "rules": rules}


def _change(file: Path, change: Any) -> None:
    file.write_text(json.dumps(change(json.loads(file.read_text()))))


def _marked(text: str) -> str:
    return f"[{NEXT}] {text}"
