"""A newcomer gets from a template to an accepted return by the quick start alone: it is run."""

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from openpyxl import load_workbook

from gateway.cli.profile import EXAMPLE
from tests.docs.pages import section
from tests.docs.test_procedures import shell
from tests.gateway.processes import Processes
from tests.gateway.stand import Stand
from validators.standard import load_standard
from validators.templates import example_rows

AGENCY, ADMINISTRATOR = "quickstart/agency.md", "quickstart/administrator.md"
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def commands(page: str, title: str) -> list[str]:
    """The blocks of commands under a heading, as they stand there."""
    return re.findall(r"^```\n(.*?)^```", section(page, title), re.MULTILINE | re.DOTALL)


class Newcomer:
    """Somebody with an empty folder, a shell and the page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"PATH": PATH, "HOME": str(folder), "LC_ALL": "C.UTF-8"}

    def follow(self, title: str, *, among: str = "") -> str:
        """Run every command under a heading that has these words; all must succeed."""
        found = [each for each in commands(AGENCY, title) if among in each]
        assert found, title
        return "".join(shell(each, self.folder, self.environ) for each in found)

    def keep(self, name: str, text: str) -> None:
        """Write a file that nobody else can read."""
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o600)

    def fill_in(self, name: str) -> None:
        """Type the invented return into the workbook, cell by cell, and save it."""
        book = load_workbook(self.folder / name)
        for kind, rows in example_rows(load_standard()).items():
            columns = {str(cell.value): cell.column for cell in book[kind][1]}
            for at, row in enumerate(rows, start=2):
                for column, text in row.items():
                    book[kind].cell(at, columns[column]).value = text
        book.save(self.folder / name)


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    folder = tmp_path / "desk"
    folder.mkdir()
    return Newcomer(folder)


def enrol(folder: Path, certificate: Path, environ: Mapping[str, str]) -> str:
    """Do what the administrator's page says, and return the agency's token."""
    folder.mkdir()
    (folder / "agency-certificate.asc").write_bytes(certificate.read_bytes())
    seen = {**os.environ, **environ, "PATH": PATH}
    [enrolling, *_] = commands(ADMINISTRATOR, "Enrol an agency")
    assert "Leeds City Council" in shell(enrolling, folder, seen)
    [issuing] = commands(ADMINISTRATOR, "Give access")
    return shell(issuing, folder, seen).splitlines()[0]


def test_a_newcomer_gets_from_a_template_to_an_accepted_return(
    stand: Stand, environ: dict[str, str], newcomer: Newcomer, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    with Processes(environ, logs) as processes:
        # Once
        shown = newcomer.follow("Once: key, token, profile", among="keys init")
        certificate = newcomer.folder / "keys" / "agency-certificate.asc"
        assert "acceptable       yes" in shown
        newcomer.keep("token", enrol(tmp_path / "office", certificate, environ))
        newcomer.keep("log.vkey", Path(environ["LOG_VERIFIER_FILE"]).read_text())
        [told] = [
            each for each in commands(AGENCY, "Once: key, token, profile") if "export" in each
        ]
        assert re.findall(r"^export (\w+)=\S+$", told, re.MULTILINE) == [
            "GATEWAY_URL",
            "GATEWAY_KEY",
        ]
        newcomer.environ |= {
            "GATEWAY_URL": processes.url,
            "GATEWAY_KEY": stand.keys.gateway.fingerprint,
        }
        newcomer.follow("Once: key, token, profile", among="--example-profile")
        assert f"```toml\n{EXAMPLE}```" in section(AGENCY, "Once: key, token, profile")

        # Every quarter
        assert newcomer.follow("See an example first").startswith("ACCEPTED. ")
        newcomer.follow("Fill in")
        newcomer.fill_in("return.xlsx")
        assert newcomer.follow("Check").startswith("ACCEPTED. ")
        assert (newcomer.folder / "marked.xlsx").exists()
        assert "59 rows would be accepted" in (newcomer.folder / "report.html").read_text()
        sent = newcomer.follow("Send")
        assert "ACCEPTED. 59 rows were accepted." in sent

        # Afterwards
        listed = "gateway submissions list --token-file token --json"
        [submission] = json.loads(shell(listed, newcomer.folder, newcomer.environ))["submissions"]
        assert submission["state"] == "stored"
        newcomer.environ["ID"] = submission["id"]
        assert "ACCEPTED. 59 rows" in newcomer.follow("Reading the answer")
        proof = newcomer.follow("The receipt")
        assert re.search(r"^verified +yes$", proof, re.MULTILINE)
        assert submission["id"] in proof


def test_the_quick_start_has_no_command_that_the_newcomer_did_not_run() -> None:
    """Blocks that no test follows would rot; those of gpg and curl have a test of their own."""
    followed = {
        *("Once: key, token, profile", "See an example first", "Fill in", "Check", "Send"),
        *("Reading the answer", "The receipt"),
    }
    text = (Path(__file__).parents[2] / "docs" / AGENCY).read_text()
    titles = re.findall(r"^##+ (.*)$", text, re.MULTILINE)
    with_commands = {title for title in titles if commands(AGENCY, title)}
    assert with_commands - {"Install"} == followed
