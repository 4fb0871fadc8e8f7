"""`gateway report`: a full report, with the values in it, read with the agency's own key."""

from io import BytesIO
from pathlib import Path

import click

from crypto import KeyHolder, WrongRecipient, unseal
from gateway.cli.failures import USAGE, Failure
from gateway.cli.opening import key_holder, opening_options
from gateway.cli.options import EXISTING
from gateway.cli.reporting import form_options, hand_over
from validators.report import Report
from validators.strictjson import JsonRefused, load_object

WHOSE = "the private key that signed the package"


@click.command()
@click.argument("file", type=EXISTING)
@opening_options(WHOSE)
@form_options
def report(
    file: Path,
    *,
    key: Path | None,
    gpg: bool,
    passphrase_file: Path | None,
    form: str,
    out: Path | None,
) -> None:
    """Read FILE, a full report: report.pgp as it was fetched or lies in /outbox.

    It repeats what you sent: it is for your eyes.
    """
    keyring = key_holder(WHOSE, key, passphrase_file, gpg=gpg)
    hand_over(_read(file.read_bytes(), keyring), form=form, out=out)


def _read(sealed: bytes, keyring: KeyHolder) -> Report:
    plain = BytesIO()
    try:
        # Which submission it is about stands in the report itself, and is shown.
        unseal(BytesIO(sealed), plain, keyring=keyring, context=None)
    except WrongRecipient as refused:
        raise Failure(
            "The report is encrypted to another key.",
            "It opens with the key that signed the package.",
            status=USAGE,
        ) from refused
    try:
        return Report.from_dict(load_object(plain.getvalue().decode()))
    except (JsonRefused, KeyError, TypeError, ValueError) as error:
        raise Failure(
            "What is encrypted in this file is no report.",
            "Take the file whose name ends in report.pgp, as it was fetched.",
            status=USAGE,
        ) from error
