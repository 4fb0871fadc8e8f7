"""`gateway package` and `gateway validate`: the offline half of sending."""

import json
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from crypto import verify_detached
from gateway.cli import failures
from tests.gateway.cli.conftest import QUARTER, Desk
from tests.validators import samples
from validators.manifest import canonical_manifest
from validators.profile import quarter
from validators.run import NoHistory, validate
from validators.standard import load_standards


def _manifest(package: Path) -> dict[str, Any]:
    with ZipFile(package) as archive:
        found: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return found


def test_a_package_holds_the_files_as_they_are(desk: Desk) -> None:
    files = desk.records()
    with ZipFile(desk.package(files)) as archive:
        assert {file.name: file.read_bytes() for file in files} == {
            name: archive.read(name) for name in archive.namelist() if name != "manifest.json"
        }


def test_the_manifest_is_signed_with_the_agencys_key(desk: Desk) -> None:
    manifest = _manifest(desk.package(desk.records()))
    verified = verify_detached(
        canonical_manifest(manifest),
        manifest["signature"].encode(),
        senders=desk.keyring.certificates,
        now=datetime.now(UTC),
    )
    assert verified.signer.fingerprint == desk.keyring.fingerprints[0]


def test_the_package_is_its_owners_alone_and_never_overwritten(desk: Desk) -> None:
    package = desk.package(desk.records())
    before = package.read_bytes()
    assert package.stat().st_mode & 0o077 == 0
    given = ("--profile", desk.profile, "--period", QUARTER, "--key", desk.key, "--out", package)
    desk.shell.fails(failures.FAILED, "package", *desk.records(), *given)
    assert package.read_bytes() == before


def test_a_replacement_names_what_it_replaces(desk: Desk) -> None:
    replaced = "0190f6a5-7a30-4000-8000-000000000001"
    package = desk.package(desk.records(), "--type", "REPLACEMENT", "--replaces", replaced)
    manifest = _manifest(package)
    assert (manifest["submission_type"], manifest["replaces"]) == ("REPLACEMENT", replaced)


def test_without_files_it_is_a_nil_return(desk: Desk) -> None:
    package = desk.package([])
    assert _manifest(package)["nil_return"] is True
    assert desk.shell.well("validate", package, "--json").json()["verdict"] == "accepted"


def test_json_tells_what_was_made(desk: Desk) -> None:
    out = desk.folder / "made.zip"
    made = desk.pack(desk.records(3), "--out", out, "--json").json()
    assert made["record_counts"] == {"CASE": 3, "DECN": 3, "EXPL": 3}
    assert made["package_id"] == _manifest(out)["submission_id"]


@pytest.mark.parametrize("period", ["2026", "2026Q5", "Q1 2026", "2026Q1 ", "1999Q1"])
def test_what_is_no_quarter_is_a_fault_of_usage(desk: Desk, period: str) -> None:
    given = ("--profile", desk.profile, "--period", period, "--key", desk.key)
    desk.shell.fails(failures.USAGE, "package", *given, "--out", desk.folder / "p.zip")


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024Q1", date(2024, 1, 1), date(2024, 3, 31)),
        ("2024Q2", date(2024, 4, 1), date(2024, 6, 30)),
        ("2024Q3", date(2024, 7, 1), date(2024, 9, 30)),
        ("2024Q4", date(2024, 10, 1), date(2024, 12, 31)),
    ],
)
def test_quarters_begin_and_end_where_the_year_says(text: str, first: date, last: date) -> None:
    assert quarter(text) == (first, last)


@pytest.mark.parametrize(
    "text", ['agency_id = "LA-NOWHERE"\n', "agency_id = \n", "", "agency_id = '\udcff'"]
)
def test_a_profile_that_cannot_be_used_says_so(desk: Desk, text: str) -> None:
    desk.profile.write_bytes(text.encode(errors="surrogateescape"))
    given = ("--profile", desk.profile, "--period", QUARTER, "--key", desk.key)
    done = desk.shell.fails(failures.USAGE, "package", *given, "--out", desk.folder / "p.zip")
    assert str(desk.profile) in done.err


def test_without_a_key_nothing_is_made(desk: Desk) -> None:
    out = desk.folder / "p.zip"
    given = ("--profile", desk.profile, "--period", QUARTER, "--out", out)
    assert "--gpg-user" in desk.shell.fails(failures.USAGE, "package", *given).err
    assert not out.exists()


def test_a_file_that_no_package_may_hold_is_refused(desk: Desk) -> None:
    odd = desk.folder / "notes.exe"
    odd.write_bytes(b"MZ")
    given = ("--profile", desk.profile, "--period", QUARTER, "--key", desk.key)
    done = desk.shell.fails(failures.FAILED, "package", odd, *given, "--out", desk.folder / "p.zip")
    assert "[package-not-built]" in done.err
    assert "notes.exe" in done.err


@pytest.mark.parametrize("command", ["package", "validate"])
def test_a_folder_is_told_to_be_one(desk: Desk, command: str) -> None:
    folder = desk.records(1)[0].parent
    given = ("--profile", desk.profile, "--period", QUARTER)
    key = () if command == "validate" else ("--key", desk.key)
    done = desk.shell.fails(failures.USAGE, command, folder, *given, *key)
    assert f"{folder} is a folder." in done.err


@pytest.mark.parametrize("name", ["return.zip", "return", "return.csv"])
def test_a_folder_is_not_sent_and_nobody_is_asked(desk: Desk, name: str) -> None:
    folder = desk.folder / name
    folder.mkdir()
    nowhere = ("--url", "http://127.0.0.1:1")
    done = desk.shell.fails(failures.USAGE, "submit", folder, "--key", desk.key, *nowhere)
    assert f"{folder} is a folder." in done.err


@pytest.mark.parametrize(
    ("count", "spoiled", "verdict", "status"),
    [
        (2, 0, "accepted", failures.OK),
        (3, 1, "accepted-in-part", failures.IN_PART),
    ],
)
def test_validate_gives_the_verdict_as_its_status(
    desk: Desk, count: int, spoiled: int, verdict: str, status: int
) -> None:
    done = desk.shell("validate", desk.package(desk.records(count, spoiled=spoiled)), "--json")
    assert (done.status, done.json()["verdict"]) == (status, verdict)


def test_validate_rejects_what_the_gateway_would_reject(desk: Desk) -> None:
    package = desk.folder / "odd.zip"
    with ZipFile(package, "w") as archive:
        archive.writestr("CASE.csv", b"record_id\r\n")
    done = desk.shell("validate", package)
    assert done.status == failures.REJECTED
    assert done.out.startswith("REJECTED.")
    assert done.err == ""


def test_validate_says_what_is_no_package(desk: Desk) -> None:
    file = desk.folder / "notes.zip"
    file.write_text("not a ZIP")
    assert desk.shell.fails(failures.REJECTED, "validate", file).out == ""


def test_validate_reports_exactly_what_the_validators_report(desk: Desk) -> None:
    package = desk.package(desk.records(3, spoiled=1))
    outcome = validate(
        BytesIO(package.read_bytes()),
        standards=load_standards(),
        received_on=datetime.now(UTC).date(),
        history=NoHistory(),
    )
    shown = desk.shell("validate", package, "--json").json()
    told = {**outcome.report.to_dict(), "sent": False}
    assert shown == json.loads(json.dumps(told, default=str))
    assert quarter(QUARTER) == samples.PERIOD


def test_two_files_of_one_name_are_refused_and_neither_is_lost(desk: Desk) -> None:
    one, two = desk.records()[0], desk.records()[0]
    given = ("--profile", desk.profile, "--period", QUARTER, "--key", desk.key)
    out = desk.folder / "p.zip"
    desk.shell.fails(failures.USAGE, "package", one, two, *given, "--out", out)
    assert not out.exists()
