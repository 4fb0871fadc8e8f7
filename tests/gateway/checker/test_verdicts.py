"""The page in a real browser, served by the real web process: the same verdicts as the command.

What a person meets is tested in `test_use`, what an attacker meets in `test_apart`.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.checker.chromium import Page
from tests.gateway.checker.returns import Files, far, hostile, returns
from tests.gateway.cli.shell import Done, Shell
from tests.validators import samples
from validators.building import GivenFile, unsigned
from validators.bulk.judging import BulkRows
from validators.checking import Facts, check_package, pack
from validators.profile import quarter, stand_in
from validators.report.machine import render_json
from validators.standard import load_standard

PERIOD = "2026Q1"
RETURNS = returns()
HOSTILE = hostile()


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command's side."""
    return Shell(monkeypatch, capsys)


def written(files: Files, folder: Path) -> list[Path]:
    """Files on a disk, to be chosen."""
    paths = [folder / name for name in files]
    for path, data in zip(paths, files.values(), strict=True):
        path.write_bytes(data)
    return paths


def facts(report: dict[str, Any]) -> dict[str, Any]:
    """All of a report but the id that each check of bare files draws anew."""
    return {name: value for name, value in report.items() if name != "submission_id"}


def said_by_command(shell: Shell, files: list[Path], profile: Path) -> Done:
    return shell("validate", *files, "--profile", profile, "--period", PERIOD, "--json")


@pytest.mark.parametrize("case", RETURNS)
def test_a_return_is_judged_as_by_the_command(
    page: Page, shell: Shell, profile: Path, tmp_path: Path, case: str
) -> None:
    files = written(RETURNS[case], tmp_path)
    page.give_profile(profile, PERIOD)
    expected = said_by_command(shell, files, profile).json()
    page.give(*files)
    page.check()
    assert facts(page.report()) == facts(expected)
    assert ("To mend" in page.answer) == case.endswith("mistakes")
    assert page.driver.title != "taken"


@pytest.mark.parametrize("case", RETURNS)
def test_a_package_is_judged_to_the_octet_as_by_the_command_and_in_bulk(
    page: Page, shell: Shell, tmp_path: Path, case: str
) -> None:
    given = [GivenFile(name, data) for name, data in RETURNS[case].items()]
    asked = Facts(stand_in(samples.AGENCY_ID, standard=load_standard()), quarter(PERIOD), {})
    now = datetime.now(UTC)
    data = pack(
        given, asked, sign=unsigned, now=now, submission_id=samples.uuid4(samples.rng(5))
    ).data
    [file] = written({"return.zip": data}, tmp_path)
    page.give(file)
    page.check()
    seen = page.download("json").decode()
    assert seen == shell("validate", file, "--json").out
    assert seen == render_json(check_package(data, today=now.date(), make_rows=BulkRows))


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_gets_what_the_command_says(
    page: Page, shell: Shell, profile: Path, tmp_path: Path, case: str
) -> None:
    files = written(HOSTILE[case](), tmp_path)
    expected = said_by_command(shell, files, profile)
    page.give_profile(profile, PERIOD)
    page.give(*files)
    page.check()
    if expected.out:
        assert facts(page.report()) == facts(json.loads(expected.out))
    else:
        assert page.title == "Not checked"
        code = page.one("#answer .code").text.removeprefix("Code: ")
        message = page.one("#answer .verdict p").text
        assert expected.err.startswith(f"gateway: error: {message} [{code}]\n")


@pytest.mark.parametrize(
    "case", ["a cell in a far column of a far row", "a cell at the far corner"]
)
def test_a_workbook_that_python_dies_of_is_a_finding_as_with_the_command(
    page: Page, shell: Shell, profile: Path, tmp_path: Path, case: str
) -> None:
    files = written({"mine.xlsx": far(case)}, tmp_path)
    expected = said_by_command(shell, files, profile).json()
    page.give_profile(profile, PERIOD)
    page.give(*files)
    page.check()
    found, known = page.report(), dict(expected)
    # How much memory there is decides which of two clauses says it; all else is equal.
    for report in (found, known):
        [finding] = report.pop("findings")
        assert finding["rule"] == "CT-011"
        assert "delete what stands far from the data" in finding["message"]
    assert facts(found) == facts(known)
