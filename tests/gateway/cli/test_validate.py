"""`gateway validate` of bare files and workbooks: the same verdict as of a package of them."""

import csv
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from gateway.cli import failures
from tests.gateway.cli.conftest import QUARTER, Desk
from tests.validators import books
from validators.readers.csv import numbered_rows


@pytest.fixture
def csv_files(desk: Desk) -> list[Path]:
    return desk.records(3, spoiled=1)


@pytest.fixture(params=["xlsx", "ods"])
def workbook(desk: Desk, csv_files: list[Path], request: pytest.FixtureRequest) -> Path:
    """The same records as a workbook, under a name of the agency's own."""
    sheets = {}
    for file in csv_files:
        with file.open("rb") as stream:
            sheets[file.stem] = [cells for _, cells in numbered_rows(stream, file.name)]
    made = desk.folder / f"Quarter 1 final.{request.param}"
    made.write_bytes(getattr(books, request.param)(sheets))
    return made


def facts(desk: Desk) -> list[object]:
    return ["--profile", desk.profile, "--period", QUARTER]


def test_files_and_workbooks_are_judged_as_a_package_of_them(
    desk: Desk, csv_files: list[Path], workbook: Path
) -> None:
    reports = [
        desk.shell(*given, "--json").json()
        for given in (
            ("validate", desk.package(csv_files)),
            ("validate", desk.package([workbook])),
            ("validate", *csv_files, *facts(desk)),
            ("validate", workbook, *facts(desk)),
        )
    ]
    assert {report["verdict"] for report in reports} == {"accepted-in-part"}
    found = [
        [(each["rule"], each["record_type"], each["row"], each["message"]) for each in one]
        for one in (report["findings"] for report in reports)
    ]
    assert found[1:] == found[:1] * 3


def test_files_alone_do_not_say_whose_they_are(desk: Desk, csv_files: list[Path]) -> None:
    done = desk.shell.fails(failures.USAGE, "validate", *csv_files)
    assert "--example-profile" in done.err


@pytest.mark.parametrize("form", ["csv", "html", "json", "text"])
def test_a_report_can_be_written_to_a_file_of_ones_own(
    desk: Desk, csv_files: list[Path], form: str
) -> None:
    out = desk.folder / f"report.{form}"
    done = desk.shell("validate", *csv_files, *facts(desk), "--format", form, "--out", out)
    assert (done.status, done.out) == (failures.IN_PART, "")
    assert done.err.startswith("ACCEPTED IN PART. ")
    assert done.err.endswith(f"The report is in {out}.\n")
    assert "CT-016" in out.read_text("utf-8-sig")
    assert out.stat().st_mode & 0o077 == 0


def test_a_report_for_a_spreadsheet_links_to_the_gateway_that_is_known(
    desk: Desk, csv_files: list[Path]
) -> None:
    known = {"GATEWAY_URL": "https://gateway.example.org/"}
    done = desk.shell("validate", *csv_files, *facts(desk), "--format", "csv", **known)
    rows = list(csv.DictReader(StringIO(done.out)))
    assert rows[0]["rule explained"] == "https://gateway.example.org/standard/1.0/rules#CT-016"


def test_the_workbook_comes_back_with_marks(desk: Desk, workbook: Path) -> None:
    marked = desk.folder / "marked.xlsx"
    assert desk.shell("validate", workbook, *facts(desk), "--marked", marked).status == 3
    assert _comments(marked)[0] == "CASE row 2"


def test_csv_files_come_back_as_a_workbook_with_marks(desk: Desk, csv_files: list[Path]) -> None:
    marked = desk.folder / "marked.xlsx"
    assert desk.shell("validate", *csv_files, *facts(desk), "--marked", marked).status == 3
    assert _comments(marked)[0] == "CASE row 2"


def test_a_workbook_with_marks_has_the_ending_of_what_it_is(desk: Desk, workbook: Path) -> None:
    marked = desk.folder / "marked.ods"
    done = desk.shell.fails(failures.USAGE, "validate", workbook, *facts(desk), "--marked", marked)
    assert "Let it end in .xlsx." in done.err
    assert not marked.exists()


def test_a_package_is_not_given_back_with_marks(desk: Desk, csv_files: list[Path]) -> None:
    package = desk.package(csv_files)
    marked = desk.folder / "marked.xlsx"
    done = desk.shell.fails(failures.USAGE, "validate", package, "--marked", marked)
    assert "--format csv" in done.err
    assert not marked.exists()


def test_a_workbook_is_no_package_to_be_sent_as_it_is(desk: Desk, workbook: Path) -> None:
    """It is a ZIP archive too, and must not be taken for one."""
    out = desk.folder / "p.zip"
    desk.pack([workbook], "--out", out)
    assert desk.shell("validate", out, "--json").json()["verdict"] == "accepted-in-part"


def test_checking_loads_nothing_of_the_server() -> None:
    """What an agency's laptop does not have must not be asked for."""
    code = (
        "import sys, gateway.cli.validate\n"
        "server = {'flask', 'sqlalchemy', 'boto3', 'polars', 'structlog'}\n"
        "sys.exit(str(server & set(sys.modules)) if server & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _comments(workbook: Path) -> list[str]:
    book = load_workbook(workbook)
    return [
        f"{sheet.title} row {cell.row}"
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.comment is not None
    ]
