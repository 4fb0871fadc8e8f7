"""The standard is read and exported on a machine that has nothing but the program."""

import json
from pathlib import Path

import pytest

from gateway.cli import failures
from tests.gateway.cli.shell import Shell
from validators.publishing import published


def test_export_writes_every_file_as_it_is_published(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    done = shell.well("standard", "export", folder, "--json")
    assert json.loads(done.out) == {"folder": str(folder), "files": len(published())}
    written = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }
    assert written == dict(published())


def test_export_goes_into_an_empty_folder_and_no_other(shell: Shell, tmp_path: Path) -> None:
    shell.well("standard", "export", tmp_path)
    before = (tmp_path / "1.0/rules.html").stat().st_mtime_ns
    done = shell("standard", "export", tmp_path)
    assert done.status == failures.FAILED
    assert f"{tmp_path} is there already." in done.err
    assert (tmp_path / "1.0/rules.html").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ((), "Missing episode"),
        (("MISS",), "return_interview"),
        (("CT-030",), "age_at_referral is present"),
        (("CL_SEX",), "Indeterminate"),
    ],
)
def test_show_tells_what_a_name_stands_for(shell: Shell, name: tuple[str], told: str) -> None:
    assert told in shell.well("standard", "show", *name).out
    assert told in json.dumps(json.loads(shell.well("standard", "show", *name, "--json").out))


def test_name_that_is_not_in_the_standard_is_not_repeated(shell: Shell) -> None:
    done = shell("standard", "show", "Jane\x1b[1m")
    assert done.status == failures.USAGE
    assert "Jane" not in done.err
    assert "hint: `gateway standard show` lists" in done.err
