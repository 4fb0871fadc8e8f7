"""A release as `gateway release fetch` left it: a signed manifest and sealed objects in a folder.

Beside an object may lie session keys of it for other certificates, from `gateway rewrap`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import click

from crypto import WrongRecipient, read_certificate, verify_detached
from gateway.cli.failures import UNTRUSTED, Failure
from gateway.cli.files import read_text
from gateway.cli.opening import key_holder, opening_options
from gateway.cli.options import EXISTING
from gateway.cli.release import require_same
from validators.strictjson import JsonRefused, load_object

VAULT_KEY = "the vault's private key"


class _Joined:
    """Some octets, then those of a file."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        self._first = first
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        piece, self._first = self._first[:size], self._first[size:]
        return piece or self._rest.read(size)


@dataclass(frozen=True, slots=True)
class SealedObject:
    """One sealed object in a folder, as the manifest lists it."""

    folder: Path
    submission: UUID
    context: str
    sealed_sha256: str
    records: int

    def session_keys(self, fingerprint: str) -> Path:
        """Where its session key for another certificate lies."""
        return self.folder / f"{self.submission}.{fingerprint}.keys"

    @contextmanager
    def open(self) -> Iterator[_Joined]:
        """Its octets, with the session keys that lie beside it in front; raises Failure."""
        # Whoever has the vault's certificate can seal: the hash says that the gateway did. Session
        # keys need no such proof, since one key alone decrypts the data.
        path = self.folder / f"{self.submission}.pgp"
        require_same(path, expected=self.sealed_sha256)
        others = sorted(self.folder.glob(self.session_keys("*").name))
        with path.open("rb") as sealed:
            try:
                yield _Joined(b"".join(each.read_bytes() for each in others), sealed)
            except WrongRecipient as refused:
                raise Failure(
                    f"{path.name} is not sealed to this key.",
                    "Use the vault's key of that time, or have its holder run gateway rewrap.",
                ) from refused


def vault_options(command: Callable[..., None]) -> Callable[..., None]:
    """The FOLDER and the options of what opens it; the command gets `objects` and `keyring`."""

    @click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
    @opening_options(VAULT_KEY)
    @click.option(
        "--gateway-certificate",
        type=EXISTING,
        required=True,
        help="The gateway's certificate, got by another way than from the gateway.",
    )
    @wraps(command)
    def given(
        *,
        folder: Path,
        key: Path | None,
        gpg: bool,
        passphrase_file: Path | None,
        gateway_certificate: Path,
        **rest: Any,
    ) -> None:
        _require_signed(folder / "manifest.json", gateway_certificate)
        objects = _objects(folder)
        keyring = key_holder(VAULT_KEY, key, passphrase_file, gpg=gpg)
        command(objects=objects, keyring=keyring, **rest)

    return given


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


def _objects(folder: Path) -> list[SealedObject]:
    """What the manifest lists. Its ids become paths, so that they must be ids and nothing else."""
    manifest = folder / "manifest.json"
    try:
        listed = load_object(read_text(manifest, status=UNTRUSTED))["objects"]
        return [
            SealedObject(
                folder=folder,
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
