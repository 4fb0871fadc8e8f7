"""What agencies have already becomes a return, through the command."""

import csv
import json
import os
from pathlib import Path

import pytest

from gateway.cli import failures
from tests.gateway.cli.conftest import QUARTER, Desk
from tests.gateway.cli.shell import Done
from tests.validators.converting import exports
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


class Children:
    """The desk of a local authority with its keys, and exports of its children."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.profile = profile_of(desk, "LA-E08000035")
        self.key = desk.folder / "linkage.key"
        self.key.write_text(bytes(range(1, 33)).hex())
        self.key.chmod(0o600)
        desk.shell.well("keys", "init", "salt", "--out", desk.folder)

    def file(self, name: str, content: bytes) -> Path:
        path = self.desk.folder / name
        path.write_bytes(content)
        return path

    def files_of_903(self) -> list[Path]:
        return [self.file(name, content) for name, content in exports.whole_903().items()]

    def run(self, kind: str, *options: object, out: str = "made", period: str = QUARTER) -> Done:
        salt = self.desk.folder / "person-ref.salt"
        given = ("--profile", self.profile, "--period", period, "--linkage-key", self.key)
        folder = self.desk.folder / out
        return self.desk.shell("convert", kind, *options, *given, "--salt", salt, "--out", folder)

    def made(self, out: str = "made") -> list[Path]:
        return sorted((self.desk.folder / out).iterdir())


@pytest.fixture
def children(desk: Desk) -> Children:
    return Children(desk)


SECRETS = (
    *(exports.LOCAL_ID, exports.UPN, "07/03/2009", "2009-03-07", "LS1 4AP", "LS2 8JS"),
    *("V\u0103n", "Nguy\u1ec5n", "Marsela", "Hoxha", "Pat Example", "2008-11-21"),
)


def assert_told_well(children: Children, done: Done) -> None:
    """It is accepted, here and by `gateway validate`, and nothing says who a child is."""
    assert done.status == failures.OK, done
    assert "ACCEPTED" in done.err
    assert "Not known from the export" in done.err
    assert "Not collected by this agency" in done.err
    given = ("--profile", children.profile, "--period", QUARTER)
    report = children.desk.shell.well("validate", *children.made(), *given)
    written = [file.read_text("utf-8") for file in children.made()]
    text = "\n".join([done.out, done.err, report.out, report.err, *written]).casefold()
    assert not [each for each in SECRETS if each.casefold() in text]
    assert not [file for file in children.made() if os.stat(file).st_mode & 0o077]


def test_a_903_becomes_a_return(children: Children) -> None:
    listed = children.file("children.csv", exports.table([exports.LISTED]))
    done = children.run("ssda903", *children.files_of_903(), "--children", listed)
    assert_told_well(children, done)
    assert [file.name for file in children.made()] == [
        "CARE.csv",
        "CASE.csv",
        "EXPL.csv",
        "MISS.csv",
    ]


def test_a_census_becomes_a_return(children: Children) -> None:
    done = children.run("cin", children.file("cin.xml", exports.census(exports.CHILD)))
    assert_told_well(children, done)


def test_cases_of_htcds_become_a_return(children: Children) -> None:
    cases = children.file("cases.csv", exports.table([exports.HTCDS]))
    done = children.run("htcds", cases, "--number", exports.HTCDS_NUMBER)
    assert_told_well(children, done)


def test_what_is_to_be_added_is_told_to_programs(children: Children) -> None:
    census = children.file("cin.xml", exports.census(exports.CHILD))
    said = children.run("cin", census, "--json").json()
    assert said["records"] == {"CASE": 1, "EXPL": 1, "CARE": 4}
    asked = {"record_type": "CASE", "column": "nationality_1", "value": "UNK", "rows": 1}
    assert asked in said["to_add"]
    assert said["verdict"] == "accepted"


def test_the_next_quarter_sends_what_changed(children: Children) -> None:
    census = children.file("cin.xml", exports.census(exports.CHILD))
    children.run("cin", census)
    sent = ("--sent", children.desk.folder / "made")
    same = children.run("cin", census, *sent, out="again")
    assert same.status == failures.OK
    assert "Records that stand as they were sent: 6" in same.err
    assert "There is nothing to write" in same.err
    ended = exports.CHILD.replace("2026-02-20", "2026-02-27")
    done = children.run("cin", children.file("cin2.xml", exports.census(ended)), *sent, out="next")
    assert done.status == failures.OK, done
    (care,) = children.made("next")
    assert [row["record_action"] for row in rows(care)] == ["AMEND"]


def test_what_comes_out_is_the_same_every_time(children: Children) -> None:
    census = children.file("cin.xml", exports.census(exports.CHILD))
    children.run("cin", census)
    children.run("cin", census, out="again")
    first, again = children.made(), children.made("again")
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in again]


def test_a_903_needs_a_list_of_children(children: Children) -> None:
    done = children.run("ssda903", *children.files_of_903())
    assert done.status == failures.USAGE
    assert "does not say who is suspected" in done.err


def test_a_profile_names_the_scheme_of_the_key(children: Children) -> None:
    text = children.profile.read_text().replace("CTL1-2026", "NONE")
    children.profile.write_text(text)
    done = children.run("cin", children.file("cin.xml", exports.census(exports.CHILD)))
    assert done.status == failures.USAGE
    assert "link_scheme" in done.err


def test_keys_are_their_owners_alone(children: Children) -> None:
    children.key.chmod(0o644)
    done = children.run("cin", children.file("cin.xml", exports.census(exports.CHILD)))
    assert "chmod 600" in done.err


def test_faults_are_named_by_place_and_never_shown(children: Children) -> None:
    broken = exports.CHILD.replace("AOTH", "Pat Example")
    done = children.run("cin", children.file("cin.xml", exports.census(broken)))
    assert done.status == failures.REJECTED
    assert "cin.xml, row 1, Ethnicity" in done.err
    assert "Pat" not in done.err + done.out
    assert not (children.desk.folder / "made").exists()


def test_a_return_that_would_come_back_says_so(children: Children) -> None:
    referred = exports.LISTED | {"nrm_referred": "YES"}
    listed = children.file("children.csv", exports.table([referred]))
    done = children.run("ssda903", *children.files_of_903(), "--children", listed)
    assert done.status in {failures.REJECTED, failures.IN_PART}
    assert "CT-037" in done.err
    assert children.made()
