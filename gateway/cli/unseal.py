"""`gateway unseal`: open a fetched release with the vault key, on the staff's own machine."""

from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import click

from crypto import KeyHolder, Scratch
from crypto import unseal as open_sealed
from gateway.cli.fetched import SealedObject, vault_options
from gateway.cli.files import copy_secret
from gateway.cli.options import FOLDER, json_option
from gateway.cli.output import print_facts, print_json, step_progress


@click.command()
@vault_options
@click.option("--out", type=FOLDER, required=True, help="Write here.")
@json_option
def unseal(*, objects: list[SealedObject], keyring: KeyHolder, out: Path, as_json: bool) -> None:
    """Open every object of a release that `gateway release fetch` wrote into FOLDER.

    The data is in the clear afterwards: use an encrypted disk, and remove it when it was used.
    """
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    with step_progress("Unsealing", len(objects)) as bar:
        for each in objects:
            _unseal_one(each, keyring, out)
            bar.advance(bar.task_ids[0])
    records = sum(each.records for each in objects)
    facts = {"objects": len(objects), "records": records, "folder": str(out)}
    print_json(facts) if as_json else print_facts(facts)


def _unseal_one(each: SealedObject, keyring: KeyHolder, out: Path) -> None:
    target = out / str(each.submission)
    with each.open() as sealed, Scratch() as archive:
        open_sealed(sealed, archive, keyring=keyring, context=each.context)
        target.mkdir(mode=0o700)
        with ZipFile(archive.reader()) as bundle:
            for name in bundle.namelist():
                path = target / _safe(name)
                path.parent.mkdir(mode=0o700, exist_ok=True)
                with bundle.open(name) as entry:
                    copy_secret(entry, path)


def _safe(name: str) -> Path:
    """A name inside the object's own folder, whatever the archive says."""
    parts = PurePosixPath(name).parts
    inside = [part for part in parts[-2:] if part not in {"/", ".."}]
    return Path(*inside)
