"""`gateway template`: an empty return in a file of one's own."""

from gateway.cli import failures
from tests.gateway.cli.conftest import QUARTER, Desk


def test_an_empty_workbook_is_a_nil_return(desk: Desk) -> None:
    out = desk.folder / "return.xlsx"
    desk.shell.well("template", "xlsx", "--out", out)
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


def test_nothing_is_overwritten_and_a_workbook_is_called_one(desk: Desk) -> None:
    out = desk.folder / "return.xlsx"
    desk.shell.well("template", "xlsx", "--out", out)
    desk.shell.fails(failures.FAILED, "template", "xlsx", "--out", out)
    desk.shell.fails(failures.USAGE, "template", "xlsx", "--out", desk.folder / "return")
