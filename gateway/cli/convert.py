"""`gateway convert`: what an agency has already, made into the record files of a return."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from gateway.cli.converting import Return, finish, problems_told
from gateway.cli.failures import USAGE, Failure
from gateway.cli.files import read_hex_key
from gateway.cli.nouns import Noun
from gateway.cli.options import EXISTING, FOLDER, json_option
from validators.converting.cases import Cases
from validators.converting.children import Children, read_children
from validators.converting.cin import NUMBER as CIN_NUMBER
from validators.converting.cin import convert_cin
from validators.converting.homeoffice import Counted, convert_home_office
from validators.converting.htcds import convert_htcds
from validators.converting.made import Conversion, Notes
from validators.converting.problems import Problems
from validators.converting.sender import Sender
from validators.converting.sent import read_sent
from validators.converting.ssda903 import NUMBER as SSDA903_NUMBER
from validators.converting.ssda903 import convert_ssda903
from validators.converting.tables import Source


def return_options(command: Callable[..., None]) -> Callable[..., None]:
    """--profile and --period, given to the command as `made_for`; --out and --json."""

    @wraps(command)
    def given(*, profile: Path, period: str, **options: Any) -> None:
        command(made_for=Return.read(profile, period), **options)

    said_profile = "The agency's own facts, as TOML; `gateway package --example-profile`."
    said_period = "The quarter of the return, such as 2026Q1."
    profile = click.option("--profile", type=EXISTING, required=True, help=said_profile)
    period = click.option("--period", required=True, help=said_period)
    out = click.option("--out", type=FOLDER, required=True, help="A new folder to write into.")
    return profile(period(out(json_option(given))))


@click.group(cls=Noun)
def convert() -> None:
    """Make record files of what your agency has already. Nothing is sent."""


@convert.command("home-office")
@click.argument("table", type=EXISTING)
@click.option(
    "--first-responder",
    help="Whose rows to take, as the table names them; your agency's without it.",
)
@return_options
def home_office(
    table: Path, *, first_responder: str | None, made_for: Return, out: Path, as_json: bool
) -> None:
    """Make ACTV counts of TABLE, laid out like the Home Office's quarterly NRM tables (CSV)."""
    counted = Counted(made_for.standard, made_for.agency, made_for.facts.period, first_responder)
    with problems_told(as_json=as_json), table.open("rb") as stream:
        made = convert_home_office(Source(table.name, stream), counted)
    finish(made, made_for, out, as_json=as_json)


@dataclass(frozen=True)
class Beside:
    """What stands beside an export of children: keys, your list, and what was sent before."""

    sender: Sender
    children: Path | None
    sent: tuple[Path, ...]

    def cases(self, number: str, files: ExitStack) -> Cases:
        """Read all of it; `number` is the export's column of its numbers of children."""
        problems, notes = Problems(), Notes()
        listed: Children = {}
        if self.children is not None:
            source = _opened(self.children, files)
            listed = read_children(
                source, self.sender, number=number, problems=problems, notes=notes
            )
        found = [file for folder in self.sent for file in sorted(folder.iterdir())]
        earlier = [_opened(file, files) for file in found if file.is_file()]
        sent = read_sent(earlier, self.sender.standard, problems)
        return Cases(self.sender, listed, sent, problems, notes)


def child_options(command: Callable[..., None]) -> Callable[..., None]:
    """The keys, the list of children and what was sent before, given to the command as `beside`."""

    @wraps(command)
    def given(
        *,
        made_for: Return,
        linkage_key: Path,
        salt: Path,
        children: Path | None,
        sent: tuple[Path, ...],
        **options: Any,
    ) -> None:
        sender = _sender(made_for, linkage_key, salt)
        command(made_for=made_for, beside=Beside(sender, children, sent), **options)

    said_key = "The key of the scheme's year that the profile names as link_scheme."
    key = click.option("--linkage-key", type=EXISTING, required=True, help=said_key)
    said_salt = "Your agency's own; `gateway keys init salt`."
    salt = click.option("--salt", type=EXISTING, required=True, help=said_salt)
    said_children = "Your list of children, CSV: who is meant, and what the export does not say."
    children = click.option("--children", type=EXISTING, help=said_children)
    said_sent = "The folder of an earlier return; give all, the latest last."
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    sent = click.option("--sent", type=folder, multiple=True, help=said_sent)
    return return_options(key(salt(children(sent(given)))))


@convert.command()
@click.argument("files", nargs=-1, required=True, type=EXISTING)
@child_options
def ssda903(
    files: tuple[Path, ...], *, made_for: Return, beside: Beside, out: Path, as_json: bool
) -> None:
    """Make records of the FILES of an SSDA903 return (CSV) about the children of your list.

    Of the return Header is needed; Episodes, Missing and UASC are used. It does not say who is
    suspected to have been trafficked: name them in --children, by CHILD.
    """
    if beside.children is None:
        raise Failure(
            "An SSDA903 return does not say who is suspected to have been trafficked.",
            "List them, with identification_date, in a file for --children: see docs/convert.md.",
            status=USAGE,
        )

    def run(opened: ExitStack) -> Conversion:
        sources = [_opened(file, opened) for file in files]
        return convert_ssda903(sources, beside.cases(SSDA903_NUMBER, opened))

    _convert(run, made_for, out, as_json=as_json)


@convert.command()
@click.argument("census", type=EXISTING)
@child_options
def cin(census: Path, *, made_for: Return, beside: Beside, out: Path, as_json: bool) -> None:
    """Make records of a children in need CENSUS (XML): of whoever an assessment found trafficked.

    That is factor 12A. --children, by LAchildID, adds children, and what the census does not say.
    """

    def run(opened: ExitStack) -> Conversion:
        return convert_cin(_opened(census, opened), beside.cases(CIN_NUMBER, opened))

    _convert(run, made_for, out, as_json=as_json)


@convert.command()
@click.argument("table", type=EXISTING)
@click.option(
    "--number", required=True, help="The column of your own number of a person; HTCDS names none."
)
@child_options
def htcds(
    table: Path, *, number: str, made_for: Return, beside: Beside, out: Path, as_json: bool
) -> None:
    """Make records of a TABLE of cases in the columns of IOM's HTCDS 2.0 (CSV), one row a case.

    Adults are passed over. --children, by your own number, adds what the table does not say.
    """

    def run(opened: ExitStack) -> Conversion:
        cases = beside.cases(number, opened)
        return convert_htcds(_opened(table, opened), cases, number=number)

    _convert(run, made_for, out, as_json=as_json)


def _convert(
    run: Callable[[ExitStack], Conversion], made_for: Return, out: Path, *, as_json: bool
) -> None:
    with problems_told(as_json=as_json), ExitStack() as opened:
        made = run(opened)
    finish(made, made_for, out, as_json=as_json)


def _sender(made_for: Return, linkage_key: Path, salt: Path) -> Sender:
    scheme = str(made_for.facts.profile.get("link_scheme", "NONE"))
    if scheme == "NONE" or scheme not in made_for.standard.codelists["CL_LINK_SCHEME"].items:
        raise Failure(
            "The profile names no linkage scheme.",
            "Set link_scheme in it to the scheme of the key, such as CTL1-2026.",
            status=USAGE,
        )
    return Sender(
        made_for.standard,
        made_for.agency,
        made_for.facts.period,
        made_for.now.date(),
        read_hex_key(linkage_key),
        read_hex_key(salt),
        scheme,
    )


def _opened(file: Path, files: ExitStack) -> Source:
    return Source(file.name, files.enter_context(file.open("rb")))
