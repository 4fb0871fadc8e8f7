"""`gateway package`: make a package of record files, with a signed manifest, ready to be sent."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import click

from crypto import sign_detached
from gateway.cli import gnupg
from gateway.cli.failures import USAGE, Failure
from gateway.cli.files import load_key, nothing_to_sign_with, write_secret
from gateway.cli.options import EXISTING, GIVEN, NEW_FILE, json_option, key_options
from gateway.cli.output import print_facts, print_json
from gateway.cli.profile import EXAMPLE, read_profile
from validators.building import BuiltPackage, GivenFile, Sign
from validators.checking import Facts, pack
from validators.profile import FactsRefused, quarter

TYPES = click.Choice(["RETURN", "REPLACEMENT", "TEST"])


def _print_example(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
    if wanted:
        print(EXAMPLE, end="")
        ctx.exit()


@click.command()
@click.argument("files", nargs=-1, type=GIVEN)
@click.option(
    "--example-profile",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_example,
    help="Print a profile to begin with, and do nothing else.",
)
@click.option("--profile", type=EXISTING, required=True, help="The agency's own facts, as TOML.")
@click.option("--period", required=True, help="The quarter of the return, such as 2026Q1.")
@click.option("--type", "submission_type", type=TYPES, help="RETURN, unless it replaces another.")
@click.option(
    "--replaces",
    type=click.UUID,
    help="package_id of the package to replace, as `gateway submissions show` has it; makes it a "
    "REPLACEMENT.",
)
@key_options
@click.option(
    "--out",
    type=NEW_FILE,
    default=Path("package.zip"),
    show_default=True,
)
@json_option
def package(
    files: tuple[Path, ...],
    *,
    profile: Path,
    period: str,
    submission_type: str | None,
    replaces: UUID | None,
    key: Path | None,
    passphrase_file: Path | None,
    gpg_user: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Make a package of FILES named after their record type, or of one workbook.

    Record files are CASE.csv, ACTV.jsonl, EXPL.xml and so on; a workbook is XLSX or ODS, of any
    name, with a sheet for each record type.

    Without FILES it is a nil return. The package is not encrypted yet: `gateway submit` does that,
    or gpg.
    """
    further = kind_of(submission_type, replaces)
    sign = signer(key, passphrase_file, gpg_user)
    built = build(files, profile, period, further=further, sign=sign)
    # It holds the records in the clear, so it is its owner's alone.
    write_secret(out, built.data)
    made = {"package": str(out), "package_id": built.manifest["submission_id"]}
    counts = {name: rows for name, rows in built.manifest["record_counts"].items() if rows}
    if as_json:
        print_json({**made, "record_counts": counts})
    else:
        print_facts({**made, **counts})


def kind_of(submission_type: str | None, replaces: UUID | None) -> dict[str, str]:
    """What a manifest says of its package's type; raises Failure where the two disagree."""
    if replaces is None and submission_type != "REPLACEMENT":
        return {"submission_type": submission_type or "RETURN"}
    if replaces is None:
        raise Failure(
            "A replacement says what it replaces.",
            "Add --replaces; `gateway submissions list` shows what was sent.",
            status=USAGE,
        )
    if submission_type not in (None, "REPLACEMENT"):
        raise Failure(
            f"A {submission_type} replaces nothing.",
            "Leave out --type, or --replaces.",
            status=USAGE,
        )
    return {"submission_type": "REPLACEMENT", "replaces": str(replaces)}


def build(
    files: Sequence[Path], profile: Path, period: str, *, further: Mapping[str, str], sign: Sign
) -> BuiltPackage:
    """A package of files as they are, with a signed manifest."""
    given, facts = given_files(files), Facts(read_profile(profile), quarter(period), further)
    with naming(profile):
        return pack(given, facts, sign=sign, now=datetime.now(UTC), submission_id=uuid4())


def require_files(given: Sequence[Path]) -> None:
    """Raise Failure for a folder."""
    for folder in (each for each in given if each.is_dir()):
        raise Failure(f"{folder} is a folder.", f"Name its files: {folder}/*.csv", status=USAGE)


def given_files(files: Sequence[Path]) -> list[GivenFile]:
    """The files, read; raises Failure for a folder, and where two have one name."""
    require_files(files)
    # In a package names stand alone: of two files of one name, one would silently be lost.
    for name, count in Counter(file.name.casefold() for file in files).items():
        if count > 1:
            raise Failure(
                f"{name} is given {count} times.",
                "Put the rows of one record type into one file.",
                status=USAGE,
            )
    return [GivenFile.read(file) for file in files]


@contextmanager
def naming(profile: Path) -> Iterator[None]:
    """Around what reads the agency's facts: says which file they stand in."""
    try:
        yield
    except FactsRefused as refused:
        raise Failure(f"{profile}: {refused.message}", refused.mend, status=USAGE) from refused


def signer(key: Path | None, passphrase_file: Path | None, gpg_user: str | None) -> Sign:
    """Whatever signs a manifest: the user's gpg, or a key in a file."""
    if gpg_user:
        return lambda canonical: gnupg.sign_detached(canonical, user=gpg_user)
    if key is None:
        raise nothing_to_sign_with()
    keyring = load_key(key, passphrase_file)
    return lambda canonical: sign_detached(canonical, signer=keyring, now=datetime.now(UTC))
