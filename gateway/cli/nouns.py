"""A noun of the command line: a group whose list says what each command does, in a whole sentence.

click cuts the sentence where the line ends, and what is cut is often what tells two commands apart.
"""

from collections.abc import Iterable

import click

_UNCUT = 1_000


class Noun(click.Group):
    """A group of commands."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        self.write_commands(ctx, formatter, "Commands", self.list_commands(ctx))

    def write_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter, title: str, names: Iterable[str]
    ) -> None:
        """Write some of the commands under a title, each on as many lines as it needs."""
        found = ((name, self.get_command(ctx, name)) for name in names)
        rows = [(name, each.get_short_help_str(_UNCUT)) for name, each in found if each is not None]
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)
