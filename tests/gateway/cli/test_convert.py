"""What agencies have already becomes a return, through the command."""

import csv
import json
import os
from pathlib import Path

from gateway.cli import failures
from tests.gateway.cli.conftest import Desk
from tests.gateway.cli.shell import Done
from tests.validators.converting.test_home_office import HEADER, PUBLISHED, ROW, table


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def profile_of(desk: Desk, agency_id: str) -> Path:
    """The profile of another agency."""
    profile = desk.folder / f"{agency_id}.toml"
    lines = desk.profile.read_text().splitlines()[1:]
    profile.write_text("\n".join([f'agency_id = "{agency_id}"', *lines]))
    return profile


def counts(desk: Desk, content: bytes, *options: object) -> Done:
    """Convert a table of the Metropolitan Police's counts."""
    source = desk.folder / "table.csv"
    source.write_bytes(content)
    profile = profile_of(desk, "POL-E23000001")
    given = ("--profile", profile, "--period", "2023Q1", "--out", desk.folder / "made")
    return desk.shell("convert", "home-office", source, *given, *options)


def test_published_counts_become_a_return_that_is_accepted(desk: Desk) -> None:
    done = counts(desk, PUBLISHED)
    assert done.status == failures.OK, done
    made = desk.folder / "made" / "ACTV.csv"
    assert os.stat(made).st_mode & 0o077 == 0
    assert "ACCEPTED" in done.err
    profile = desk.folder / "POL-E23000001.toml"
    desk.shell.well("validate", made, "--profile", profile, "--period", "2023Q1")


def test_json_says_what_was_made(desk: Desk) -> None:
    said = counts(desk, table(ROW), "--json").json()
    assert said["records"] == {"ACTV": 2}
    assert (said["files"], said["verdict"]) == (["ACTV.csv"], "accepted")


def test_a_table_with_faults_is_not_converted(desk: Desk) -> None:
    done = counts(desk, table(*[ROW.replace("Albanian", "Ruritanian")] * 30))
    assert done.status == failures.REJECTED
    assert "table.csv, row 2, Nationality" in done.err
    assert "and 10 more" in done.err
    assert not (desk.folder / "made").exists()


def test_faults_are_told_to_programs_too(desk: Desk) -> None:
    done = counts(desk, table(ROW, ROW.replace("Male", "Boy")), "--json")
    assert done.status == failures.REJECTED
    (problem,) = json.loads(done.out)["problems"]
    assert (problem["file"], problem["row"], problem["column"]) == ("table.csv", 3, "Gender")


def test_nothing_to_convert_is_said_and_nothing_written(desk: Desk) -> None:
    done = counts(desk, table(header=HEADER))
    assert done.status == failures.OK
    assert "Nothing in the table is about" in done.err
    assert not (desk.folder / "made").exists()


def test_nothing_is_overwritten(desk: Desk) -> None:
    counts(desk, table(ROW))
    before = (desk.folder / "made" / "ACTV.csv").read_bytes()
    assert counts(desk, table(ROW)).status == failures.FAILED
    assert (desk.folder / "made" / "ACTV.csv").read_bytes() == before
    assert rows(desk.folder / "made" / "ACTV.csv")[0]["count"] == "3"
