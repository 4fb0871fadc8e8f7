"""`gateway unseal`: open a fetched release with the vault key, on the staff's own machine."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from uuid import UUID
from zipfile import ZipFile

import click

from crypto import KeyHolder, Scratch, read_certificate, verify_detached
from crypto import unseal as open_sealed
from gateway.cli.failures import UNTRUSTED, Failure
from gateway.cli.files import copy_secret, load_key, read_text
from gateway.cli.gnupg import GnupgKeys
from gateway.cli.options import EXISTING, json_option
from gateway.cli.output import print_facts, print_json, step_progress
from gateway.cli.release import require_same
from validators.strictjson import JsonRefused, load_object


@dataclass(frozen=True, slots=True)
class _Object:
    """One sealed object, as the manifest lists it."""

    submission: UUID
    context: str
    sealed_sha256: str
    records: int


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--key", type=EXISTING, help="The vault's private key.")
@click.option("--gpg", is_flag=True, help="Use your own gpg instead; the key may be on a card.")
@click.option("--passphrase-file", type=EXISTING, help="A file with its passphrase.")
@click.option(
    "--gateway-certificate",
    type=EXISTING,
    required=True,
    help="The gateway's certificate, got by another way than from the gateway.",
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Write here."
)
@json_option
def unseal(
    folder: Path,
    *,
    key: Path | None,
    gpg: bool,
    passphrase_file: Path | None,
    gateway_certificate: Path,
    out: Path,
    as_json: bool,
) -> None:
    """Open every object of a release that `gateway release fetch` wrote into FOLDER.

    The data is in the clear afterwards: use an encrypted disk, and remove it when it was used.
    """
    _require_signed(folder / "manifest.json", gateway_certificate)
    objects = _objects(folder / "manifest.json")
    keyring = _vault(key, passphrase_file, gpg=gpg)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    with step_progress("Unsealing", len(objects)) as bar:
        for each in objects:
            _unseal_one(each, folder / f"{each.submission}.pgp", keyring, out)
            bar.advance(bar.task_ids[0])
    records = sum(each.records for each in objects)
    facts = {"objects": len(objects), "records": records, "folder": str(out)}
    print_json(facts) if as_json else print_facts(facts)


def _vault(key: Path | None, passphrase_file: Path | None, *, gpg: bool) -> KeyHolder:
    if key is not None and not gpg:
        return load_key(key, passphrase_file)
    if key is None and gpg:
        return GnupgKeys()
    raise click.UsageError("Name the vault's private key with --key, or use --gpg.")


def _require_signed(manifest: Path, certificate: Path) -> None:
    """Raise unless the gateway signed it: the folder may have come a long way."""
    now = datetime.now(UTC)
    sender = read_certificate(certificate.read_bytes(), now=now)
    signature = manifest.with_name(f"{manifest.name}.asc")
    if not signature.exists():
        raise Failure(
            f"{manifest} is not signed.",
            "Fetch the release again; the signature belongs beside the manifest.",
            status=UNTRUSTED,
        )
    verify_detached(manifest.read_bytes(), signature.read_bytes(), senders=[sender], now=now)


def _objects(manifest: Path) -> list[_Object]:
    """What the manifest lists. Its ids become paths, so that they must be ids and nothing else."""
    try:
        listed = load_object(read_text(manifest, status=UNTRUSTED))["objects"]
        return [
            _Object(
                submission=UUID(each["submission"]),
                context=str(each["context"]),
                sealed_sha256=str(each["sealed_sha256"]),
                records=int(each["records"]),
            )
            for each in listed
        ]
    except (JsonRefused, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Failure(
            f"{manifest} is not the manifest of a release.",
            "Fetch the release again into another folder.",
            status=UNTRUSTED,
        ) from error


def _unseal_one(each: _Object, source: Path, keyring: KeyHolder, out: Path) -> None:
    # Whoever has the vault's certificate can seal: the hash says that the gateway did.
    require_same(source, expected=each.sealed_sha256)
    target = out / str(each.submission)
    with source.open("rb") as sealed, Scratch() as archive:
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
