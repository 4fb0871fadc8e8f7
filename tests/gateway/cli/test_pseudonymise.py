"""An export with names becomes one without, and says no name on the way."""

import csv
import os
from pathlib import Path

import pytest

from gateway.cli import failures
from tests.gateway.cli.shell import Done, Shell
from tests.validators import samples, stories
from validators.schemas import build_schema, load_row
from validators.standard import load_standard

NAMED = {
    "local_id": "MOSAIC-778120",
    "forename": "Marsela",
    "surname": "Hoxha",
    "date_of_birth": "21/11/2008",
    "nrm_reference": "NRM-556677",
    "upn": "H801200001001",
    "ho_reference": "A1234567",
    "social_worker": "Pat Example",
}
KEY = bytes(range(1, 33)).hex()


class Desk:
    """An agency's folder with an export, the linkage key and the salt."""

    def __init__(self, folder: Path, shell: Shell) -> None:
        self.folder, self.shell = folder, shell
        self.out = folder / "CASE.csv"
        self.key = folder / "linkage.key"
        self.key.write_text(KEY)
        self.key.chmod(0o600)
        shell.well("keys", "init", "salt", "--out", folder)

    def export(self, *rows: dict[str, str], encoding: str = "utf-8-sig") -> Path:
        """Write an export of these rows."""
        path = self.folder / "export.csv"
        with path.open("w", encoding=encoding, newline="") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return path

    def run(self, export: Path, *options: object) -> Done:
        """Run the command."""
        salt = self.folder / "person-ref.salt"
        given = ("--linkage-key", self.key, "--salt", salt, "--out", self.out)
        return self.shell("pseudonymise", export, *given, "--scheme", "CTL1-2026", *options)

    def made(self) -> list[dict[str, str]]:
        """The rows that were written."""
        with self.out.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture
def desk(tmp_path: Path, shell: Shell) -> Desk:
    return Desk(tmp_path, shell)


def named(**changed: str) -> dict[str, str]:
    """A child as an agency's system exports it: a CASE row, with a name for its tokens."""
    case = stories.case()
    kept = {name: case[name] for name in case if not name.startswith(("lt_", "link_", "person"))}
    return {**kept, **NAMED, "birth_year_month": "", "sex": "F", **changed}


def test_nothing_of_who_the_child_is_is_written_or_said(desk: Desk) -> None:
    done = desk.run(desk.export(named()))
    assert done.status == failures.OK, done
    written = desk.out.read_text("utf-8")
    for value in (*NAMED.values(), "2008-11-21", "20081121", KEY):
        assert value.casefold() not in (written + done.out + done.err).casefold()
    assert "social_worker" in done.err
    assert os.stat(desk.out).st_mode & 0o077 == 0


def test_what_is_written_is_a_case_with_its_tokens(desk: Desk) -> None:
    done = desk.run(desk.export(named(), named(nrm_reference="", upn="")), "--json")
    first, second = desk.made()
    assert first["person_ref"] == second["person_ref"]
    assert first["birth_year_month"] == "2008-11"
    assert first["link_scheme"] == "CTL1-2026"
    assert first["lt_name_dob"] == second["lt_name_dob"] != ""
    assert (bool(first["lt_nrm"]), bool(second["lt_nrm"])) == (True, False)
    schema = build_schema(load_standard(), "CASE", today=samples.RECEIVED_ON)
    assert load_row(schema, first)[1] == ()
    assert done.json()["rows"] == 2
    assert (done.json()["lt_name_dob"], done.json()["lt_upn"]) == (2, 1)


def test_a_child_without_identity_says_so(desk: Desk) -> None:
    nobody = {"forename": "", "nrm_reference": "", "upn": "", "ho_reference": ""}
    rows = [named(**nobody, link_absent_reason=reason) for reason in ("", "SAFETY")]
    done = desk.run(desk.export(*rows))
    assert done.status == failures.OK, done
    reasons = [(row["link_scheme"], row["link_absent_reason"], row["clk"]) for row in desk.made()]
    assert reasons == [("NONE", "NO_IDENTITY", ""), ("NONE", "SAFETY", "")]


def test_tokens_that_stand_in_the_export_are_not_believed(desk: Desk) -> None:
    done = desk.run(desk.export(named(lt_tokens_dob="f" * 64, forename="")))
    assert done.status == failures.OK, done
    assert desk.made()[0]["lt_tokens_dob"] == ""


def test_another_salt_gives_another_reference(desk: Desk) -> None:
    export = desk.export(named())
    desk.run(export)
    before = desk.made()[0]["person_ref"]
    desk.out.unlink()
    (desk.folder / "person-ref.salt").unlink()
    desk.shell.well("keys", "init", "salt", "--out", desk.folder)
    desk.run(export)
    assert desk.made()[0]["person_ref"] != before


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"date_of_birth": "21st of November"}, "row 3, date_of_birth: write the date"),
        ({"date_of_birth": "31/02/2009"}, "row 3, date_of_birth: write the date"),
        ({"sex": "girl"}, "row 3, sex: write F, M, I or U"),
        ({"local_id": " "}, "row 3, local_id: give your own number"),
        ({"surname": "Иванов"}, "row 3, forename or surname: write the name in the letters A to Z"),
    ],
)
def test_a_bad_cell_is_named_and_not_shown(desk: Desk, changed: dict[str, str], said: str) -> None:
    done = desk.run(desk.export(named(), named(**changed)))
    assert done.status == failures.REJECTED
    assert said in done.err
    assert not any(value in done.err for value in changed.values() if value.strip())
    assert not desk.out.exists()


def test_columns_are_named_by_options(desk: Desk) -> None:
    row = named()
    row["Client ID"] = row.pop("local_id")
    assert desk.run(desk.export(row)).status == failures.REJECTED
    assert desk.run(desk.export(row), "--local-id", "Client ID").status == failures.OK


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "Name the column of your own numbers"),
        (b"local_id,local_id\n1,2\n", "Mend what is listed above"),
        (b"local_id,forename\n1\n", "Mend what is listed above"),
        ("local_id,forename\n1,Zoë\n".encode("latin-1"), "Save it as 'CSV UTF-8', with commas"),
        ("local_id,forename\n1,Zoe\n".encode("utf-16"), "Save it as 'CSV UTF-8', with commas"),
        (b'local_id,forename\n1,"Zo', "Save it as 'CSV UTF-8', with commas"),
        (b"local_id;forename\n1;Zoe\n", "Save it as 'CSV UTF-8', with commas"),
        (b"local_id\tforename\n1\tZoe\n", "Save it as 'CSV UTF-8', with commas"),
    ],
    ids=["empty", "twice", "ragged", "Windows-1252", "UTF-16", "open quote", "semicolons", "tabs"],
)
def test_a_file_that_cannot_be_read_ends_in_words(desk: Desk, content: bytes, hint: str) -> None:
    export = desk.folder / "export.csv"
    export.write_bytes(content)
    done = desk.run(export)
    assert done.status == failures.REJECTED, done
    assert f"hint: {hint}" in done.err
    assert not desk.out.exists()


def test_keys_are_private_and_whole(desk: Desk) -> None:
    export = desk.export(named())
    desk.key.chmod(0o644)
    assert "chmod 600" in desk.run(export).err
    desk.key.chmod(0o600)
    desk.key.write_text("abc")
    assert "64 hexadecimal digits" in desk.run(export).err


@pytest.mark.parametrize("scheme", ["NONE", "CTL9", ""])
def test_the_scheme_is_one_of_the_standard(desk: Desk, scheme: str) -> None:
    assert desk.run(desk.export(named()), "--scheme", scheme).status == failures.USAGE


def test_nothing_is_overwritten(desk: Desk) -> None:
    export = desk.export(named())
    desk.run(export)
    before = desk.out.read_bytes()
    assert desk.run(export).status == failures.FAILED
    assert desk.out.read_bytes() == before
