"""`gateway receipt`: check a receipt, or a promise of one, with the log's public key alone."""

from pathlib import Path
from typing import Any

import click

from audit.entry import Entry
from audit.promise import Promise, is_promise, open_promise
from audit.receipt import Receipt, VerifiedReceipt, verify_receipt
from gateway.cli.failures import UNTRUSTED, USAGE, Failure
from gateway.cli.files import read_text
from gateway.cli.logsources import (
    log_key_option,
    read_log_keys,
    read_policy,
    witnessed,
    witnesses_option,
)
from gateway.cli.nouns import Noun
from gateway.cli.options import EXISTING, json_option
from gateway.cli.output import print_facts, print_json, say
from gateway.client import Upload

_ARCHIVE = b"PK\x03\x04"


@click.group(cls=Noun)
def receipt() -> None:
    """Check receipts, and promises of them."""


@receipt.command()
@click.argument("file", type=EXISTING)
@log_key_option
@click.option("--message", type=EXISTING, help="The message that was sent, if you kept it.")
@witnesses_option
@json_option
def verify(
    file: Path, *, log_key: str, message: Path | None, witnesses: Path | None, as_json: bool
) -> None:
    """Verify a receipt FILE, or a promise; nothing is asked of the gateway."""
    text, keys = read_text(file, status=UNTRUSTED), read_log_keys(log_key)
    sha256 = None if message is None else _sha256(message)
    if is_promise(text):
        facts = _promised(open_promise(text, keys=keys, ciphertext_sha256=sha256))
    else:
        proven = verify_receipt(text, verifier=keys, ciphertext_sha256=sha256)
        facts = _proven(proven)
        facts["witnessed"] = witnessed(read_policy(witnesses), Receipt.from_text(text).checkpoint)
    facts["message"] = "the same bytes" if sha256 else "not compared; give it with --message"
    print_json(facts) if as_json else print_facts(facts)
    if is_promise(text):
        say(
            "The log must hold this entry by then: fetch the receipt. If there is none, give this "
            "file to an auditor, whose `gateway audit verify --promise` holds the log to it."
        )


def _sha256(message: Path) -> str:
    if _is_archive(message):
        raise Failure(
            f"{message} is a package. The receipt is for the message: the package, encrypted.",
            "`gateway submit --message FILE` keeps what it sends; without that file leave out "
            "--message.",
            status=USAGE,
        )
    return Upload.of(message).sha256.hex()


def _is_archive(file: Path) -> bool:
    """By its first octets, with which no OpenPGP message begins; an end record may be anywhere."""
    with file.open("rb") as stream:
        return stream.read(len(_ARCHIVE)) == _ARCHIVE


def _proven(proven: VerifiedReceipt) -> dict[str, Any]:
    place = f"{proven.index} of {proven.checkpoint.size}"
    head = {"verified": "yes", "log": proven.checkpoint.origin, "entry": place}
    return head | _about(proven.entry)


def _promised(promise: Promise) -> dict[str, Any]:
    due = promise.due.isoformat(timespec="seconds")
    head = {"verified": "yes", "promised_by": due, "leaf": promise.leaf.hex()}
    return head | _about(promise.entry)


def _about(entry: Entry) -> dict[str, Any]:
    return {
        "action": str(entry.action),
        "time": entry.time.isoformat(),
        "agency": entry.agency,
        "agency_counter": entry.agency_counter,
        "submission": entry.object_id,
        "sha256": entry.object_sha256,
    }
