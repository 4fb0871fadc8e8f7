"""`gateway validate`: the gateway's own checks, offline; the data goes nowhere."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click

from gateway.cli.failures import IN_PART, OK, REJECTED, USAGE, Failure, Stop
from gateway.cli.files import write_secret
from gateway.cli.options import EXISTING, GIVEN, NEW_FILE
from gateway.cli.output import say
from gateway.cli.package import given_files, naming
from gateway.cli.profile import read_profile
from gateway.cli.reporting import form_options, hand_over, known_gateway
from validators.building import GivenFile
from validators.checking import Facts, check_files, check_package, is_package
from validators.profile import quarter
from validators.report import Report
from validators.report.givenback import NotGivenBack, give_back

STATUS = {"accepted": OK, "accepted-in-part": IN_PART, "rejected": REJECTED}
"""The exit status of a verdict."""


@click.command()
@click.argument("files", nargs=-1, required=True, type=GIVEN)
@click.option("--profile", type=EXISTING, help="Your agency's own facts, for files of records.")
@click.option("--period", help="The quarter of the return, for files of records: 2026Q1.")
@form_options
@click.option(
    "--marked",
    type=NEW_FILE,
    help="Give the workbook, or the CSV files, back as XLSX with the faulty cells marked.",
)
def validate(
    files: tuple[Path, ...],
    *,
    profile: Path | None,
    period: str | None,
    form: str,
    out: Path | None,
    marked: Path | None,
) -> None:
    """Check a package, or FILES of records or a workbook, as the gateway will.

    A package is not encrypted yet. Only what the gateway alone knows stays open: what was sent
    before, and your signature. Reports repeat what they find: they are for your eyes.
    """
    if marked is not None and marked.suffix.lower() != ".xlsx":
        raise Failure(
            f"{marked} is no name for the marked workbook.", "Let it end in .xlsx.", status=USAGE
        )
    given = given_files(files)
    report = _report(given, profile, period)
    if marked is not None:
        write_secret(marked, _marked(given, report))
        say(f"The marked workbook is in {marked}.")
    hand_over(report, form=form, out=out)
    raise Stop(STATUS[report.verdict])


def _report(files: Sequence[GivenFile], profile: Path | None, period: str | None) -> Report:
    now = datetime.now(UTC)
    if len(files) == 1 and is_package(files[0].name):
        return check_package(files[0].data, today=now.date())
    if profile is None or period is None:
        raise Failure(
            "Record files alone do not say whose they are and of which quarter.",
            "Add --profile and --period; `gateway package --example-profile` prints a profile.",
            status=USAGE,
        )
    facts = Facts(read_profile(profile), quarter(period), further={})
    with naming(profile):
        return check_files(files, facts, now=now, submission_id=uuid4())


def _marked(files: Sequence[GivenFile], report: Report) -> bytes:
    try:
        return give_back(files, report, gateway=known_gateway())
    except NotGivenBack as error:
        hint = "Use --format csv or html instead."
        raise Failure(str(error), hint, status=USAGE) from error
