"""Every command explains itself, and docs/commands.md says the same."""

import subprocess
import sys

import click
import pytest

from gateway.cli import AT_A_DESK, failures
from tests.docs.pages import DOCS
from tests.gateway.cli.commands_page import STATUSES, page, walk
from tests.gateway.cli.shell import Shell

FOUND = dict(walk())
SERVER_PARTS = ("flask", "flask_smorest", "sqlalchemy", "boto3", "procrastinate", "gunicorn")
WITHOUT_SERVER_PARTS = """
import sys
for name in {parts}:
    sys.modules[name] = None
sys.argv = ["gateway", *{arguments}]
from gateway.cli import main
main()
"""


def test_the_page_is_what_the_commands_say() -> None:
    written = (DOCS / "commands.md").read_text()
    remedy = "run: python -m tests.gateway.cli.commands_page > docs/commands.md"
    assert written == page(), remedy


@pytest.mark.parametrize("name", FOUND)
def test_every_command_and_option_has_help(name: str) -> None:
    command = FOUND[name]
    assert command.help, name
    options = [each for each in command.params if isinstance(each, click.Option)]
    # A choice or a default says the rest by itself.
    telling = (
        each.help or each.show_default or isinstance(each.type, click.Choice) for each in options
    )
    assert all(telling), name


@pytest.mark.parametrize("name", FOUND)
def test_help_is_printed_and_ends_well(name: str, shell: Shell) -> None:
    done = shell.well(*name.split()[1:], "--help")
    assert done.out.startswith("Usage: gateway ")
    assert done.err == ""


@pytest.mark.parametrize("group", sorted({name.rpartition(" ")[0] for name in FOUND}))
def test_a_list_of_commands_cuts_no_sentence(group: str, shell: Shell) -> None:
    _, *lines = shell.well(*group.split()[1:], "--help").out.splitlines()
    assert not [line for line in lines if line.endswith("...")]


def test_every_exit_status_is_documented_and_none_has_two_meanings() -> None:
    coded = {
        name: value
        for name, value in vars(failures).items()
        if name.isupper() and isinstance(value, int)
    }
    assert coded.keys() == STATUSES.keys()
    assert len(set(coded.values())) == len(coded)


def test_no_option_takes_a_secret() -> None:
    for name, command in FOUND.items():
        options = [option for parameter in command.params for option in parameter.opts]
        assert not {"--token", "--passphrase", "--password", "--secret"} & set(options), name


def test_no_command_prints_its_help_and_says_that_something_is_missing(shell: Shell) -> None:
    assert shell().status == failures.USAGE


def test_an_unknown_command_is_a_fault_of_usage(shell: Shell) -> None:
    assert "hint: " in shell.fails(failures.USAGE, "destroy").err


def test_light_commands_load_without_any_server_part() -> None:
    done = _without_server_parts("--help")
    shown = {line.split()[0]: line for line in done.stdout.splitlines() if line.startswith("  ")}
    assert done.returncode == 0, done.stderr
    assert shown.keys() >= AT_A_DESK.keys()
    assert not [name for name in AT_A_DESK if "server part" in shown[name]]


@pytest.mark.parametrize("name", ["web", "agency", "serve"])
def test_a_server_command_without_the_server_part_says_how_to_install_it(name: str) -> None:
    done = _without_server_parts(name, "list")
    assert done.returncode == failures.FAILED
    assert done.stderr.startswith("gateway: error: ")
    assert "pip install 'ctds-gateway[server" in done.stderr
    assert "Traceback" not in done.stderr


def _without_server_parts(*arguments: str) -> "subprocess.CompletedProcess[str]":
    program = WITHOUT_SERVER_PARTS.format(parts=SERVER_PARTS, arguments=list(arguments))
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
