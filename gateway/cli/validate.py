"""`gateway validate`: the gateway's own checks, offline; the data goes nowhere."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import click

from gateway.cli.failures import IN_PART, OK, REJECTED, Stop
from gateway.cli.options import EXISTING, json_option
from gateway.cli.output import print_json
from validators.report import Report, render_text
from validators.run import NoHistory
from validators.run import validate as judge
from validators.standard import load_standard

STATUS = {"accepted": OK, "accepted-in-part": IN_PART, "rejected": REJECTED}
"""The exit status of a verdict."""


@click.command()
@click.argument("package", type=EXISTING)
@json_option
def validate(package: Path, *, as_json: bool) -> None:
    """Check a PACKAGE, which is not encrypted yet, as the gateway will.

    Only what the gateway alone knows stays open: whether it was sent before, and your signature.
    """
    report = check(package.read_bytes())
    if as_json:
        print_json(report.to_dict())
    else:
        print(render_text(report), end="")
    raise Stop(STATUS[report.verdict])


def check(package: bytes) -> Report:
    """The report on a package; raises validators.package.PackageRefused."""
    outcome = judge(
        BytesIO(package),
        standard=load_standard(),
        received_on=datetime.now(UTC).date(),
        history=NoHistory(),
    )
    return outcome.report
