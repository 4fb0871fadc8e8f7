"""Signing and unsealing with the user's own gpg: the key may be on a card, or in an agent."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4
from zipfile import ZipFile

import pytest

from crypto import (
    Certificate,
    Keyring,
    generate_key,
    load_certificate,
    open_message,
    public_part,
    seal,
    sign_detached,
)
from crypto import verify_detached as verify
from gateway.cli import failures, gnupg
from tests.crypto.gnupg import Gnupg, require_gpg
from tests.gateway.cli.conftest import QUARTER, Desk
from tests.gateway.cli.shell import Shell
from validators.manifest import canonical_manifest


@pytest.fixture
def gpg(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gnupg]:
    """The user's gpg, which is the one that the commands meet."""
    program = require_gpg()
    # Not tmp_path: the agent's socket must have a short path.
    with TemporaryDirectory(prefix="gpg-") as folder:
        monkeypatch.setenv("GNUPGHOME", folder)
        home = Gnupg(program, Path(folder))
        yield home
        home.stop()


def test_a_message_signed_by_gpg_opens_as_every_other(gpg: Gnupg) -> None:
    user = gpg.new_key("Police <data@police.test>", algorithm="ed25519")
    now = datetime.now(UTC)
    secret = generate_key("Gateway <submissions@gateway.test>", now=now, valid_for=None)
    message = gnupg.sign_and_encrypt(
        b"the package", user=user, recipient=load_certificate(public_part(secret))
    )
    opened = open_message(
        BytesIO(message),
        keyring=Keyring.load([secret]),
        senders=[load_certificate(gpg.export(user))],
        now=datetime.now(UTC),
    )
    assert opened.plaintext.read() == b"the package"


def test_a_manifest_is_signed_by_gpg(gpg: Gnupg, desk: Desk) -> None:
    user = gpg.new_key("Police <data@police.test>", algorithm="ed25519")
    out = desk.folder / "package.zip"
    given = ("--profile", desk.profile, "--period", QUARTER, "--gpg-user", user, "--out", out)
    desk.shell.well("package", *desk.records(), *given)
    with ZipFile(out) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    verified = verify(
        canonical_manifest(manifest),
        manifest["signature"].encode(),
        senders=[load_certificate(gpg.export(user))],
        now=datetime.now(UTC),
    )
    assert verified.signer.fingerprint.lower() == user.lower()


def test_a_key_that_gpg_does_not_have_fails_in_gpgs_words(gpg: Gnupg, desk: Desk) -> None:
    given = ("--profile", desk.profile, "--period", QUARTER, "--gpg-user", "0" * 40)
    out = desk.folder / "p.zip"
    done = desk.shell.fails(failures.FAILED, "package", *desk.records(), *given, "--out", out)
    assert done.err.startswith("gateway: error: gpg: ")
    assert not out.exists()


def test_without_gpg_the_command_says_so(shell: Shell, desk: Desk) -> None:
    given = ("--profile", desk.profile, "--period", QUARTER, "--gpg-user", "0" * 40)
    command = ("package", *desk.records(), *given, "--out", desk.folder / "p.zip")
    assert "gpg is not installed" in shell.fails(failures.USAGE, *command, PATH="").err


def zipped(files: Mapping[str, bytes]) -> BytesIO:
    archive = BytesIO()
    with ZipFile(archive, "w") as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
    archive.seek(0)
    return archive


@pytest.fixture
def gateway(tmp_path: Path) -> Keyring:
    """The gateway's key; its certificate is in `gateway.asc`."""
    secret = generate_key("Gateway", now=datetime.now(UTC), valid_for=None)
    (tmp_path / "gateway.asc").write_bytes(public_part(secret))
    return Keyring.load([secret])


def released(folder: Path, gateway: Keyring, vault: Certificate) -> str:
    """A release of one object, as `gateway release fetch` leaves it; answer the submission."""
    submission, sealed, now = str(uuid4()), BytesIO(), datetime.now(UTC) + timedelta(seconds=2)
    files = {"CASE": b"one case", "EXPL": b"x" * (1 << 20), "attachments/CASE": b"a scan"}
    archive = zipped(files | {"../../../escaped": b"by the gateway itself"})
    facts = seal(archive, sealed, recipients=[vault], context="s-1.zip", now=now)
    each = {
        "submission": submission,
        "context": "s-1.zip",
        "records": 2,
        "sealed_sha256": facts.sha256,
    }
    manifest = json.dumps({"objects": [each]}).encode()
    (folder / f"{submission}.pgp").write_bytes(sealed.getvalue())
    (folder / "manifest.json").write_bytes(manifest)
    signature = sign_detached(manifest, signer=gateway, now=datetime.now(UTC))
    (folder / "manifest.json.asc").write_text(signature)
    return submission


@pytest.mark.parametrize("algorithm", ["rsa3072", "ed25519", "nistp256"])
def test_the_vaults_key_stays_with_gpg(
    gpg: Gnupg, gateway: Keyring, shell: Shell, tmp_path: Path, algorithm: str
) -> None:
    user = gpg.new_key("Vault <vault@commissioner.test>", algorithm=algorithm)
    submission = released(tmp_path, gateway, load_certificate(gpg.export(user)))
    out = tmp_path / "opened"
    command = ("unseal", tmp_path, "--gpg", "--out", out)
    shell.well(*command, "--gateway-certificate", tmp_path / "gateway.asc")
    assert (out / submission / "CASE").read_bytes() == b"one case"
    assert (out / submission / "EXPL").stat().st_size == 1 << 20
    assert (out / submission / "attachments" / "CASE").read_bytes() == b"a scan"
    assert {path.name for path in tmp_path.rglob("escaped")} == {"escaped"}
    assert (out / submission / "escaped").exists()


def test_gpg_without_the_vaults_key_opens_nothing(
    gpg: Gnupg, gateway: Keyring, shell: Shell, tmp_path: Path
) -> None:
    user = gpg.new_key("Clerk <clerk@commissioner.test>", algorithm="ed25519")
    other = generate_key("Vault", now=datetime.now(UTC), valid_for=None)
    released(tmp_path, gateway, load_certificate(public_part(other)))
    command = ("unseal", tmp_path, "--gpg", "--out", tmp_path / "opened")
    trusted = ("--gateway-certificate", tmp_path / "gateway.asc")
    done = shell.fails(failures.FAILED, *command, *trusted)
    assert "private key" in done.err
    assert list((tmp_path / "opened").iterdir()) == []
    assert user


def test_a_release_is_rewrapped_for_the_next_vault_key(
    gpg: Gnupg, gateway: Keyring, shell: Shell, tmp_path: Path
) -> None:
    """The old key is in gpg, the new one a file; the objects stay as the manifest proves them."""
    user = gpg.new_key("Vault <vault@commissioner.test>", algorithm="ed25519")
    submission = released(tmp_path, gateway, load_certificate(gpg.export(user)))
    before = (tmp_path / f"{submission}.pgp").read_bytes()
    shell.well("keys", "init", "vault", "--out", tmp_path / "next")
    key, certificate = (tmp_path / "next" / f"vault-{part}.asc" for part in ("key", "certificate"))
    trusted = ("--gateway-certificate", tmp_path / "gateway.asc")
    opens = ("unseal", tmp_path, "--key", key, *trusted, "--out", tmp_path / "opened")
    assert "gateway rewrap" in shell.fails(failures.FAILED, *opens).err
    for _ in range(2):  # a second time, as after an interruption
        done = shell.well("rewrap", tmp_path, "--gpg", *trusted, "--to", certificate, "--json")
        assert done.json()["objects"] == 1
    assert (tmp_path / f"{submission}.pgp").read_bytes() == before
    shell.well(*opens)
    assert (tmp_path / "opened" / submission / "CASE").read_bytes() == b"one case"
    # The old key opens it still, past the session key that is not its own.
    shell.well("unseal", tmp_path, "--gpg", *trusted, "--out", tmp_path / "again")


@pytest.mark.parametrize("given", [(), ("--gpg", "--key", "gateway.asc")])
def test_one_of_key_and_gpg_is_named(
    gateway: Keyring, shell: Shell, tmp_path: Path, given: tuple[str, ...]
) -> None:
    vault = generate_key("Vault", now=datetime.now(UTC), valid_for=None)
    released(tmp_path, gateway, load_certificate(public_part(vault)))
    options = [tmp_path / each if each.endswith(".asc") else each for each in given]
    command = ("unseal", tmp_path, *options, "--out", tmp_path / "opened")
    trusted = ("--gateway-certificate", tmp_path / "gateway.asc")
    assert "--gpg" in shell.fails(failures.USAGE, *command, *trusted).err
