"""Writes docs/commands.md from the commands themselves.

python -m tests.gateway.cli.commands_page > docs/commands.md
"""

from collections.abc import Iterator
from inspect import cleandoc

import click

from gateway.cli import AT_A_DESK, COMMANDS, cli, failures

STATUSES = {
    "OK": "Done. For `validate`, `convert` and `submit`: accepted.",
    "REJECTED": "The package, or the certificate, was rejected: mend it. Nothing was accepted.",
    "USAGE": "The command was given something it cannot use.",
    "IN_PART": "`validate`, `convert` and `submit`: accepted in part. Some rows came back.",
    "REFUSED": "The gateway refused the request and said why.",
    "UNREACHABLE": "The gateway did not answer, after several tries. Safe to run again.",
    "UNTRUSTED": "Something does not prove what it should. Keep the files, and tell the auditor.",
    "FAILED": "Anything else that went wrong.",
    "INTERRUPTED": "Stopped with Ctrl-C.",
}

INTRODUCTION = """\
# Commands

<!-- Written by tests/gateway/cli/commands_page.py. Change the commands, not this page. -->

`gateway COMMAND --help` says the same. Data goes to stdout, talk and progress to stderr; with
`--json` the data is one JSON document. A failure is two lines on stderr, `gateway: error: …` and
`hint: …`, and an exit status that scripts can rely on. No file is overwritten, but for the
checkpoint of `audit verify --keep`.

A token never stands on a command line, where other users of the machine could see it: it is read
from `--token-file` or from `GATEWAY_TOKEN`. The gateway's address is `--url` or `GATEWAY_URL`; it
must be `https://`, except on this machine itself. Over SFTP an SSH key stands for the token
([how](agencies/gateway-submit.md)): `--sftp` and `--ssh-key`, or `GATEWAY_SFTP` and
`GATEWAY_SSH_KEY`.

`gateway --env-file FILE COMMAND` reads `NAME=value` lines first; variables of the environment win.

## Exit status

| Status | Meaning |
|---|---|"""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def walk() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its full name."""
    for name in COMMANDS:
        yield from _under(f"gateway {name}", _command(name))


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    for name, meaning in STATUSES.items():
        yield f"| {getattr(failures, name)} | {meaning} |"
    yield "\n## At an agency's, an analyst's or an auditor's desk\n"
    yield "Installed by `pip install ctds-gateway`; what goes over SFTP by"
    yield "`pip install 'ctds-gateway[sftp]'`."
    for name, command in walk():
        if name.split()[1] in AT_A_DESK:
            yield from _section(name, command)
    yield "\n## On the gateway's own machines\n"
    yield "Installed by `pip install 'ctds-gateway[server]'`, and `[embedded]` for `serve`. These"
    yield "read the [settings](settings.md)."
    for name, command in walk():
        if name.split()[1] not in AT_A_DESK:
            yield from _section(name, command)


def _section(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    yield f"\n### {name}\n"
    yield "```"
    yield " ".join([name, *command.collect_usage_pieces(context)])
    yield "```\n"
    yield _paragraphs(command.help or "")
    # Arguments stand in the line of usage and are explained in the text, as click wants it.
    options = [each for each in command.params if isinstance(each, click.Option)]
    if options:
        yield "\n| Option | |"
        yield "|---|---|"
        yield from (_option(each, context) for each in options)


def _option(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None, f"{option.name} is hidden"
    declared, said = (text.replace("|", "\\|") for text in record)
    return f"| `{declared}` | {said} |"


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in cleandoc(text).split("\n\n"))


def _under(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    for each, child in command.commands.items():
        yield from _under(f"{name} {each}", child)


def _command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None, name
    return found


if __name__ == "__main__":
    print(page(), end="")
