"""Keyrings: loading, locking, and showing nothing."""

from datetime import timedelta

import pytest

from crypto import CryptoError, KeyRefused, Keyring, generate_key, public_part
from tests.crypto.gnupg import Gnupg
from tests.crypto.parties import AGENCY, GATEWAY, MADE, NOW

LOCKED = generate_key("Locked <l@example.org>", now=MADE, valid_for=None, passphrase="sesame")


def test_a_locked_key_needs_its_passphrase() -> None:
    assert Keyring.load([LOCKED], passphrase="sesame").signing_key(now=NOW)
    for passphrase in (None, "", "Sesame"):
        with pytest.raises(KeyRefused):
            Keyring.load([LOCKED], passphrase=passphrase)


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x95\x01", public_part(LOCKED), LOCKED[:300], bytes(500)]
)
def test_what_is_no_private_key_is_refused(data: bytes) -> None:
    with pytest.raises(CryptoError):
        Keyring.load([data])


def test_several_keys_make_one_keyring() -> None:
    keys = [generate_key(f"K{i} <k@example.org>", now=MADE, valid_for=None) for i in range(2)]
    keyring = Keyring.load(keys)
    assert len(set(keyring.fingerprints)) == 2
    assert len(keyring.decrypting) == 2
    assert [one.fingerprint for one in keyring.certificates] == list(keyring.fingerprints)


def test_an_expired_key_loads_and_decrypts_but_does_not_sign() -> None:
    secret = generate_key("Old <o@example.org>", now=MADE, valid_for=timedelta(hours=1))
    keyring = Keyring.load([secret])
    assert keyring.decrypting
    with pytest.raises(KeyRefused) as refused:
        keyring.signing_key(now=NOW)
    assert refused.value.code == "key-refused"


def test_a_signing_key_is_never_tried_for_decryption() -> None:
    assert set(GATEWAY.keyring.decrypting) == set(GATEWAY.certificate.encryption_keys)


def test_an_offline_primary_is_left_out(gpg: Gnupg) -> None:
    subkeys = gpg("--passphrase", "", "--export-secret-subkeys", "curve@example.org")
    keyring = Keyring.load([subkeys])
    assert set(keyring.private) == set(keyring.certificates[0].encryption_keys)


def test_printing_shows_no_secret() -> None:
    shown = repr(AGENCY.keyring) + repr(AGENCY.keyring.signing_key(now=NOW))
    assert "private" not in shown.lower().replace("privatekey(", "")
