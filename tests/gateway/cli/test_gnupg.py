"""Signing with the user's own gpg, as those do whose key is on a card or in an agent."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest

from crypto import Keyring, generate_key, load_certificate, open_message, public_part
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
