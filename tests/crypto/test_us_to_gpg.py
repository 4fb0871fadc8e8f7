"""What is made here, the real gpg decrypts, verifies and imports."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from random import Random

import pytest

from crypto import (
    Keyring,
    generate_key,
    public_part,
    read_certificate,
    seal,
    sign_and_encrypt,
    sign_detached,
    verify_detached,
)
from tests.crypto.gnupg import Gnupg
from tests.crypto.parties import AGENCY, MADE, NOW, SECRET

BIG = Random(8).randbytes(200_000)


@pytest.mark.parametrize("name", ["rsa@example.org", "curve@example.org", "nist@example.org"])
@pytest.mark.parametrize("plaintext", [b"", SECRET, BIG], ids=["empty", "small", "big"])
def test_gpg_unseals(gpg: Gnupg, name: str, plaintext: bytes) -> None:
    recipient = read_certificate(gpg.export(name), now=NOW)
    sink = BytesIO()
    seal(BytesIO(plaintext), sink, recipients=[recipient], context="s-1", now=NOW)
    assert gpg("--decrypt", given=sink.getvalue()) == plaintext


@pytest.mark.parametrize("signer", ["rsa@example.org", "curve@example.org", "nist@example.org"])
def test_gpg_verifies_what_we_sign_and_encrypt(gpg: Gnupg, signer: str) -> None:
    keyring = Keyring.load([gpg.export_secret(signer)])
    recipient = read_certificate(gpg.export("curve@example.org"), now=NOW)
    sink = BytesIO()
    # gpg made its keys a moment ago; the signature must not be older than they are.
    later = NOW + timedelta(minutes=4)
    sign_and_encrypt(BytesIO(BIG), sink, signer=keyring, recipients=[recipient], now=later)
    status = gpg("--status-fd", "1", "--ignore-time-conflict", "--decrypt", given=sink.getvalue())
    assert f"VALIDSIG {keyring.fingerprints[0]}".encode() in status
    assert b"GOODMDC" in status
    assert BIG in status


def test_gpg_imports_and_uses_a_generated_key(gpg: Gnupg, tmp_path: Path) -> None:
    secret = generate_key("New <new@example.org>", now=MADE, valid_for=timedelta(days=9))
    gpg("--import", given=secret)
    listed = gpg("--with-colons", "--list-secret-keys", "new@example.org").decode()
    assert "ed25519" in listed
    assert "cv25519" in listed
    message = gpg(
        "--encrypt", "--sign", "-r", "new@example.org", "-u", "new@example.org", given=BIG
    )
    assert gpg("--decrypt", given=message) == BIG


def test_gpg_imports_a_locked_key(gpg: Gnupg) -> None:
    secret = generate_key(
        "Locked <locked@example.org>", now=MADE, valid_for=None, passphrase="sesame"
    )
    gpg("--passphrase", "sesame", "--import", given=secret)
    message = gpg("--encrypt", "-r", "locked@example.org", given=SECRET)
    assert gpg("--passphrase", "sesame", "--decrypt", given=message) == SECRET


def test_a_key_locked_by_gpg_loads_here(gpg: Gnupg) -> None:
    gpg("--passphrase", "sesame", "--quick-gen-key", "Pw <pw@example.org>", "rsa3072", "default")
    secret = gpg("--passphrase", "sesame", "--export-secret-keys", "pw@example.org")
    keyring = Keyring.load([secret], passphrase="sesame")
    assert keyring.fingerprints == (gpg.fingerprint("pw@example.org"),)


def test_gpg_imports_the_public_part(gpg: Gnupg) -> None:
    secret = generate_key("Public <public@example.org>", now=MADE, valid_for=None)
    gpg("--import", given=public_part(secret))
    assert gpg("--encrypt", "-r", "public@example.org", given=SECRET)


def test_gpg_verifies_a_detached_signature(gpg: Gnupg, tmp_path: Path) -> None:
    gpg("--import", given=AGENCY.certificate.data)
    data, signature = tmp_path / "data", tmp_path / "data.asc"
    data.write_bytes(SECRET)
    signature.write_text(sign_detached(SECRET, signer=AGENCY.keyring, now=NOW))
    status = gpg("--status-fd", "1", "--verify", str(signature), str(data))
    assert f"VALIDSIG {AGENCY.certificate.fingerprint}".encode() in status


@pytest.mark.parametrize("armor", [(), ("--armor",)], ids=["binary", "armored"])
@pytest.mark.parametrize("name", ["rsa@example.org", "curve@example.org", "nist@example.org"])
def test_a_detached_signature_by_gpg_verifies_here(
    gpg: Gnupg, tmp_path: Path, name: str, armor: tuple[str, ...]
) -> None:
    data = tmp_path / "data"
    data.write_bytes(SECRET)
    signature = gpg("--detach-sign", "-u", name, *armor, "--output", "-", str(data))
    sender = read_certificate(gpg.export(name), now=NOW)
    verified = verify_detached(SECRET, signature, senders=[sender], now=NOW)
    assert verified.signer == sender
