"""Packages made for a sender: the gateway must find in them what the manifest says."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.validators import samples
from tests.validators.stories import write_narratives
from validators.building import PackageNotBuilt, build_package
from validators.errors import UnknownStandard
from validators.manifest import canonical_manifest
from validators.package import open_package
from validators.run import NoHistory, validate
from validators.standard import load_standard, load_standards

STANDARD = load_standard()
RECORDS = samples.children(3)
FIELDS = samples.manifest_fields(STANDARD)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An agency's export folder: two CSV, one JSON Lines, one attachment, an old manifest."""
    with zipfile.ZipFile(io.BytesIO(samples.package_of(RECORDS, FIELDS).data)) as archive:
        archive.extract("CASE.csv", tmp_path)
    lines = (json.dumps({**row, "is_primary": True}) + "\n" for row in RECORDS["EXPL"])
    (tmp_path / "EXPL.jsonl").write_text("\n".join(lines))
    write_narratives(tmp_path, {"note.pdf": b"%PDF-1.7"})
    (tmp_path / "manifest.json").write_text("{}")
    return tmp_path


def test_folder_becomes_a_package_that_is_accepted(folder: Path) -> None:
    built = samples.package_of(folder, FIELDS)
    outcome = validate(
        io.BytesIO(built.data),
        standards=load_standards(),
        received_on=samples.RECEIVED_ON,
        history=NoHistory(),
    )
    assert (outcome.report.verdict, dict(outcome.report.totals)) == ("accepted", {})
    assert {kind: len(rows) for kind, rows in outcome.accepted.items()} == {
        "CASE": 3,
        "EXPL": 3,
        "NARR": 1,
    }


def test_manifest_lists_each_file_as_it_lies_in_the_package(folder: Path) -> None:
    built = samples.package_of(folder, FIELDS)
    package = open_package(io.BytesIO(built.data))
    assert json.loads(package.open("manifest.json").read()) == built.manifest
    listed = {each["name"]: each for each in built.manifest["files"]}
    assert set(listed) == set(package.names) - {"manifest.json"}
    for name, each in listed.items():
        data = package.open(name).read()
        assert (each["sha256"], each["bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
    assert listed["EXPL.jsonl"]["rows"] == 3
    assert "rows" not in listed["attachments/note.pdf"]


def test_signature_is_over_the_canonical_manifest() -> None:
    seen: list[bytes] = []

    def sign(canonical: bytes) -> str:
        seen.append(canonical)
        return samples.unsigned(canonical)

    built = build_package(
        RECORDS, FIELDS, sign=sign, now=samples.NOW, submission_id=samples.uuid4(samples.rng())
    )
    assert seen == [canonical_manifest(built.manifest)]


def test_same_input_gives_the_same_bytes(folder: Path) -> None:
    assert samples.package_of(folder, FIELDS).data == samples.package_of(folder, FIELDS).data


def test_values_of_python_are_written_as_the_standard_writes_them() -> None:
    row = {**RECORDS["EXPL"][0], "is_primary": True, "means": ["THREAT", "DEBT"], "end_date": None}
    built = samples.package_of({"EXPL": [row]}, FIELDS)
    text = open_package(io.BytesIO(built.data)).open("EXPL.csv").read().decode()
    assert ",true," in text
    assert ",THREAT;DEBT," in text
    assert "None" not in text


@pytest.mark.parametrize("name", ["case.csv", "CASE.xls", "attachments/a.exe", "notes/a.pdf"])
def test_file_without_a_place_is_named_to_its_owner(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    with pytest.raises(PackageNotBuilt, match=name):
        samples.package_of(folder, FIELDS)


def test_version_that_is_not_carried_is_refused() -> None:
    with pytest.raises(UnknownStandard):
        samples.package_of({}, {**FIELDS, "standard_version": "../1.0"})


def test_link_to_a_file_elsewhere_is_not_packed(folder: Path) -> None:
    (folder / "attachments/passwd.txt").symlink_to("/etc/passwd")
    with pytest.raises(PackageNotBuilt):
        samples.package_of(folder, FIELDS)
