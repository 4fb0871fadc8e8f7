"""`gateway receipt`: check a receipt offline, with nothing but the log's public key."""

from pathlib import Path
from typing import Any

import click

from audit.receipt import Receipt, VerifiedReceipt, verify_receipt
from gateway.cli.failures import UNTRUSTED
from gateway.cli.files import read_text
from gateway.cli.logsources import (
    log_key_option,
    read_log_keys,
    read_policy,
    witnessed,
    witnesses_option,
)
from gateway.cli.options import EXISTING, json_option
from gateway.cli.output import print_facts, print_json
from gateway.client import Upload


@click.group()
def receipt() -> None:
    """Check receipts."""


@receipt.command()
@click.argument("file", type=EXISTING)
@log_key_option
@click.option("--message", type=EXISTING, help="The message that was sent, if you kept it.")
@witnesses_option
@json_option
def verify(
    file: Path, *, log_key: str, message: Path | None, witnesses: Path | None, as_json: bool
) -> None:
    """Verify a receipt FILE; nothing is asked of the gateway."""
    text = read_text(file, status=UNTRUSTED)
    proven = verify_receipt(
        text,
        verifier=read_log_keys(log_key),
        ciphertext_sha256=None if message is None else Upload.of(message).sha256.hex(),
    )
    facts = _facts(proven, compared=message is not None)
    facts["witnessed"] = witnessed(read_policy(witnesses), Receipt.from_text(text).checkpoint)
    print_json(facts) if as_json else print_facts(facts)


def _facts(proven: VerifiedReceipt, *, compared: bool) -> dict[str, Any]:
    entry = proven.entry
    return {
        "verified": "yes",
        "log": proven.checkpoint.origin,
        "entry": f"{proven.index} of {proven.checkpoint.size}",
        "action": str(entry.action),
        "time": entry.time.isoformat(),
        "agency": entry.agency,
        "agency_counter": entry.agency_counter,
        "submission": entry.object_id,
        "sha256": entry.object_sha256,
        "message": "the same bytes" if compared else "not compared; give it with --message",
    }
