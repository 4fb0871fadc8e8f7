"""Every command on the pages exists, with the options that are shown."""

import re
import shlex
from pathlib import Path

import click
import pytest

from gateway.cli import cli
from tests.docs.pages import ROOT, pages

# At the start of a line, after a prompt or an alias; or in backticks within a sentence.
LINE = re.compile(
    r"^\s*(?:\$gateway|gateway|sudo -u \S+ /opt/gateway/bin/gateway) (.+)$", re.MULTILINE
)
BLOCK = re.compile(r"^```\w*\n(.*?)^```|^(?: {4,}\S.*\n)+", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`gateway ([a-z][^`]*)`")


def shown(page: Path) -> list[str]:
    """Every command that a page shows."""
    text = page.read_text()
    blocks = [match[0] for match in BLOCK.finditer(text)]
    return [line for block in blocks for line in LINE.findall(block)] + INLINE.findall(text)


COMMANDS = sorted({(str(page.relative_to(ROOT)), line) for page in pages() for line in shown(page)})


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_a_command_on_a_page_exists_with_its_options(page: str, line: str) -> None:
    words = [word for word in shlex.split(line) if word != "…"]
    if words[:1] == ["--env-file"]:
        words = words[2:]
    command: click.Command = cli
    context = click.Context(cli)
    while words and isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, f"{page}: gateway {line}"
        command, words = found, words[1:]
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    asked = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert asked <= known, f"{page}: gateway {line}"


def test_there_are_commands_on_the_pages() -> None:
    assert len(COMMANDS) > 30
