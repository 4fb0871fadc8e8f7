"""The environment that a command sees: the process's own, and below it a file of settings."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from gateway.cli.files import read_text


def read_environment(file: Path | None) -> dict[str, str]:
    """Every variable; those of the process win over those of the file."""
    return {**({} if file is None else _read(file)), **os.environ}


def environment() -> Mapping[str, str]:
    """The environment of the command that runs."""
    found: dict[str, str] = click.get_current_context().obj
    return found


def _read(file: Path) -> dict[str, str]:
    """NAME=value lines as systemd's EnvironmentFile has them: no shell, `#` begins a comment."""
    values = {}
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise click.UsageError(f"{file}, line {number}: this is not NAME=value.")
        values[name] = value.strip().strip("\"'")
    return values
