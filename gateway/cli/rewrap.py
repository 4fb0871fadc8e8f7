"""`gateway rewrap`: let another vault key open a fetched release, where the old one is."""

from datetime import UTC, datetime
from pathlib import Path

import click

from crypto import KeyHolder, read_certificate
from crypto import rewrap as rewrap_sealed
from gateway.cli.fetched import SealedObject, vault_options
from gateway.cli.files import write_new
from gateway.cli.options import EXISTING, json_option
from gateway.cli.output import print_facts, print_json, step_progress


@click.command()
@vault_options
@click.option(
    "--to", type=EXISTING, required=True, help="The certificate of the key that shall open it."
)
@json_option
def rewrap(*, objects: list[SealedObject], keyring: KeyHolder, to: Path, as_json: bool) -> None:
    """Let the key of another certificate open every object of a release in FOLDER as well.

    The objects stay as they are, so that the manifest still proves them; the session key of each is
    written beside it, encrypted to the other certificate, and `gateway unseal` finds it there.
    """
    now = datetime.now(UTC)
    recipient = read_certificate(to.read_bytes(), now=now)
    with step_progress("Rewrapping", len(objects)) as bar:
        for each in objects:
            path = each.session_keys(recipient.fingerprint)
            if not path.exists():  # else it was written before an interruption
                with each.open() as sealed:
                    found = rewrap_sealed(sealed, keyring=keyring, recipients=[recipient], now=now)
                write_new(path, found.session_keys)
            bar.advance(bar.task_ids[0])
    facts = {"objects": len(objects), "opened by": recipient.fingerprint}
    print_json(facts) if as_json else print_facts(facts)
