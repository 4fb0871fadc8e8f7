"""`gateway unseal`: open a fetched release with the vault key, on the staff's own machine."""

from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import click

from crypto import Keyring
from crypto import unseal as open_sealed
from gateway.cli.files import load_key, write_secret
from gateway.cli.options import EXISTING, json_option
from gateway.cli.output import print_facts, print_json, step_progress
from validators.strictjson import load_object


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--key", type=EXISTING, required=True, help="The vault's private key.")
@click.option("--passphrase-file", type=EXISTING, help="A file with its passphrase.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Write here."
)
@json_option
def unseal(
    folder: Path, *, key: Path, passphrase_file: Path | None, out: Path, as_json: bool
) -> None:
    """Open every object of a release that `gateway release fetch` wrote into FOLDER.

    The data is in the clear afterwards: use an encrypted disk, and remove it when it was used.
    """
    manifest: dict[str, Any] = load_object((folder / "manifest.json").read_text("utf-8"))
    keyring = load_key(key, passphrase_file)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    records = 0
    with step_progress("Unsealing", len(manifest["objects"])) as bar:
        for each in manifest["objects"]:
            source = folder / f"{each['submission']}.pgp"
            _unseal_one(source, each["context"], keyring, out / each["submission"])
            records += each["records"]
            bar.advance(bar.task_ids[0])
    facts = {"objects": len(manifest["objects"]), "records": records, "folder": str(out)}
    print_json(facts) if as_json else print_facts(facts)


def _unseal_one(source: Path, context: str, keyring: Keyring, target: Path) -> None:
    archive = BytesIO()
    with source.open("rb") as sealed:
        open_sealed(sealed, archive, keyring=keyring, context=context)
    target.mkdir(mode=0o700)
    with ZipFile(archive) as bundle:
        for name in bundle.namelist():
            write_secret(target / Path(name).name, bundle.read(name))
