"""Commands where two versions of the standard are carried: the newest, or the one asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli import failures
from tests.gateway.cli.conftest import QUARTER, Desk
from tests.validators.versions import NEW_COLUMN, NEXT, two_versions

COLUMN = str(NEW_COLUMN["name"])
ASKED = [((), True), (("--standard", NEXT), True), (("--standard", "1.0"), False)]


@pytest.fixture(autouse=True)
def _both(tmp_path: Path) -> Iterator[None]:
    with two_versions(tmp_path / f"ctds-{NEXT}"):
        yield


@pytest.mark.parametrize(("options", "has_column"), ASKED)
def test_templates_and_pages_are_of_the_version_asked_for(
    desk: Desk, tmp_path: Path, options: tuple[str, ...], has_column: bool
) -> None:
    out = tmp_path / "csv"
    desk.shell.well("template", "csv", "--out", out, "--record-type", "CASE", *options)
    assert (COLUMN in (out / "CASE.csv").read_text("utf-8-sig")) is has_column
    assert (COLUMN in desk.shell.well("standard", "show", "CASE", *options).out) is has_column


def test_another_version_is_refused_with_those_that_there_are(desk: Desk) -> None:
    refused = desk.shell.fails(failures.FAILED, "standard", "show", "--standard", "9.9")
    assert f"this package carries CTDS 1.0, {NEXT} only" in refused.err


@pytest.mark.parametrize(("version", "verdict"), [("1.0", "rejected"), (NEXT, "accepted")])
def test_a_profile_names_the_version_of_what_is_packaged_and_checked(
    desk: Desk, version: str, verdict: str
) -> None:
    files = desk.records(1)  # with the columns of the newest
    desk.profile.write_text(f'standard_version = "{version}"\n{desk.profile.read_text()}')
    facts = ("--profile", desk.profile, "--period", QUARTER, "--json")
    report = desk.shell("validate", *files, *facts).json()
    assert (report["standard"], report["verdict"]) == (f"CTDS {version}", verdict)
    assert ("CT-011" in report["totals"]) is (verdict == "rejected")
    report = desk.shell("validate", desk.package(files), "--json").json()
    assert report["standard"] == f"CTDS {version}"
