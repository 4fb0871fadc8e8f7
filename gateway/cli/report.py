"""`gateway report`: a full report, with the values in it, read with the agency's own key."""

from io import BytesIO
from pathlib import Path

import click

from crypto import KeyHolder, WrongRecipient, unseal
from gateway.cli.failures import USAGE, Failure
from gateway.cli.files import load_key
from gateway.cli.gnupg import GnupgKeys
from gateway.cli.options import EXISTING
from gateway.cli.reporting import form_options, hand_over
from validators.report import Report
from validators.strictjson import JsonRefused, load_object


@click.command()
@click.argument("file", type=EXISTING)
@click.option("--key", type=EXISTING, help="The private key that signed the package.")
@click.option("--gpg", is_flag=True, help="Use your own gpg instead; the key may be on a card.")
@click.option("--passphrase-file", type=EXISTING, help="A file with its passphrase.")
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
    holder = _holder(key, passphrase_file, gpg=gpg)
    hand_over(_read(file.read_bytes(), holder), form=form, out=out)


def _holder(key: Path | None, passphrase_file: Path | None, *, gpg: bool) -> KeyHolder:
    if gpg:
        return GnupgKeys()
    if key is None:
        raise Failure(
            "There is nothing to open it with.",
            "Name your private key with --key, or use your gpg with --gpg.",
            status=USAGE,
        )
    return load_key(key, passphrase_file)


def _read(sealed: bytes, holder: KeyHolder) -> Report:
    plain = BytesIO()
    try:
        # Which submission it is about stands in the report itself, and is shown.
        unseal(BytesIO(sealed), plain, keyring=holder, context=None)
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
