"""`gateway template`: a return to fill in, and one that is filled in, in a file of one's own."""

from io import BytesIO
from pathlib import Path

import pytest

from gateway.cli import failures
from gateway.cli.profile import EXAMPLE
from tests.gateway.cli.conftest import QUARTER, Desk
from validators.workbooks.reading import read_sheets

WORKBOOKS = ["xlsx", "ods"]


@pytest.mark.parametrize("form", WORKBOOKS)
def test_an_empty_workbook_is_a_nil_return(desk: Desk, form: str) -> None:
    out = desk.folder / f"return.{form}"
    desk.shell.well("template", form, "--out", out)
    given = ("--profile", desk.profile, "--period", QUARTER, "--json")
    assert desk.shell.well("validate", out, *given).json()["verdict"] == "accepted"


def test_empty_csv_files_are_a_nil_return(desk: Desk) -> None:
    out = desk.folder / "return"
    desk.shell.well(
        "template", "csv", "--out", out, "--record-type", "CASE", "--record-type", "EXPL"
    )
    files = sorted(out.iterdir())
    assert [file.name for file in files] == ["CASE.csv", "EXPL.csv"]
    given = ("--profile", desk.profile, "--period", QUARTER, "--json")
    assert desk.shell.well("validate", *files, *given).json()["verdict"] == "accepted"


@pytest.mark.parametrize("form", [*WORKBOOKS, "csv"])
def test_the_example_and_the_example_profile_belong_together(desk: Desk, form: str) -> None:
    """What a newcomer tries first must not come back with a fault that is not theirs."""
    profile, out = desk.folder / "own.toml", desk.folder / f"example.{form}"
    profile.write_text(desk.shell.well("package", "--example-profile").out)
    done = desk.shell.well("template", form, "--example", "--out", out)
    assert "invented" in done.err
    files = sorted(out.iterdir()) if out.is_dir() else [out]
    given = ("--profile", profile, "--period", "2026Q1", "--json")
    report = desk.shell.well("validate", *files, *given).json()
    assert (report["verdict"], report["findings"]) == ("accepted", [])
    assert sum(file["rows"] for file in report["files"]) > 50
    assert profile.read_text() == EXAMPLE


@pytest.mark.parametrize("form", WORKBOOKS)
def test_no_two_templates_offer_the_same_ids(desk: Desk, form: str) -> None:
    """Two teams that fill in two templates must not give two records one id."""
    assert not ids(desk, form, "a") & ids(desk, form, "b")


def ids(desk: Desk, form: str, name: str) -> set[str]:
    out: Path = desk.folder / f"{name}.{form}"
    desk.shell.well("template", form, "--out", out)
    sheets = read_sheets(BytesIO(out.read_bytes()))
    rows = next([cells for _, cells in sheet.rows] for sheet in sheets if sheet.name == "LISTS")
    found = {cells[0] for cells in rows[2:]}
    assert len(found) == 500
    return found


@pytest.mark.parametrize("form", WORKBOOKS)
def test_nothing_is_overwritten_and_a_workbook_is_called_one(desk: Desk, form: str) -> None:
    out = desk.folder / f"return.{form}"
    desk.shell.well("template", form, "--out", out)
    desk.shell.fails(failures.FAILED, "template", form, "--out", out)
    desk.shell.fails(failures.USAGE, "template", form, "--out", desk.folder / "return")
