"""A key with its primary offline: what each part can do, before and after a rotation."""

from datetime import timedelta
from io import BytesIO

import pytest

from crypto import (
    CryptoError,
    KeyRefused,
    Keyring,
    load_certificate,
    open_message,
    read_certificate,
    seal,
    sign_and_encrypt,
    sign_detached,
    verify_detached,
)
from crypto.pgpylink import unarmored
from crypto.refusals import WrongRecipient
from crypto.splitkey import SplitKey, generate_split_key, retire, rotate
from crypto.vetting import encryption_key
from tests.crypto.gnupg import Gnupg
from tests.crypto.parties import AGENCY, NOW, SECRET

YEAR = timedelta(days=365)
MADE = NOW - timedelta(days=200)
GRACE = timedelta(days=90)


def made(passphrase: str | None = None) -> SplitKey:
    return generate_split_key(
        "Gateway <split@example.org>",
        now=MADE,
        valid_for=5 * YEAR,
        subkey_valid_for=YEAR,
        passphrase=passphrase,
    )


FIRST = made()
SECOND = rotate(FIRST, now=NOW - timedelta(days=100), valid_for=YEAR)
THIRD, GONE = retire(SECOND, now=NOW, grace=GRACE)


def message(certificate: bytes) -> bytes:
    """From the agency, to whatever key a sender would choose."""
    sink = BytesIO()
    to = [read_certificate(certificate, now=NOW)]
    sign_and_encrypt(BytesIO(SECRET), sink, signer=AGENCY.keyring, recipients=to, now=NOW)
    return sink.getvalue()


def opens(split: SplitKey, sent: bytes) -> bool:
    keyring = Keyring.load([split.online])
    try:
        open_message(BytesIO(sent), keyring=keyring, senders=[AGENCY.certificate], now=NOW)
    except WrongRecipient:
        return False
    return True


@pytest.mark.parametrize("split", [FIRST, SECOND, THIRD])
def test_every_certificate_is_good_under_one_fingerprint(split: SplitKey) -> None:
    certificate = read_certificate(split.certificate, now=NOW)
    assert certificate.fingerprint == load_certificate(FIRST.certificate).fingerprint
    assert certificate.expires_at == MADE + 5 * YEAR


def test_the_online_part_cannot_certify() -> None:
    keyring = Keyring.load([FIRST.online])
    (certificate,) = keyring.certificates
    assert certificate.fingerprint not in keyring.private
    assert len(keyring.private) == 2
    assert certificate.fingerprint not in certificate.signing_keys
    with pytest.raises(KeyRefused, match="primary"):
        rotate(SplitKey(FIRST.online, FIRST.online, FIRST.certificate), now=NOW, valid_for=YEAR)


def test_parts_of_two_keys_are_not_mixed() -> None:
    other = made()
    for mixed in (
        SplitKey(other.primary, FIRST.online, FIRST.certificate),
        SplitKey(FIRST.primary, other.online, FIRST.certificate),
        SplitKey(FIRST.primary, FIRST.online, other.certificate),
    ):
        with pytest.raises(KeyRefused, match="one key"):
            rotate(mixed, now=NOW, valid_for=YEAR)
        with pytest.raises(KeyRefused, match="one key"):
            retire(mixed, now=NOW, grace=GRACE)


def test_the_offline_part_neither_signs_nor_decrypts() -> None:
    keyring = Keyring.load([FIRST.primary])
    with pytest.raises(KeyRefused):
        keyring.signing_key(now=NOW)
    assert keyring.decrypting == {}


def test_what_the_online_part_signs_verifies() -> None:
    signature = sign_detached(SECRET, signer=Keyring.load([SECOND.online]), now=NOW)
    signer = read_certificate(SECOND.certificate, now=NOW)
    verified = verify_detached(SECRET, signature.encode(), senders=[signer], now=NOW)
    assert verified.signing_key in signer.signing_keys


def test_senders_move_on_to_the_new_subkey_and_the_old_one_opens_until_it_is_retired() -> None:
    old, new = (
        encryption_key(load_certificate(split.certificate), now=NOW) for split in (FIRST, SECOND)
    )
    assert old.fingerprint != new.fingerprint
    before, after = message(FIRST.certificate), message(SECOND.certificate)
    assert (opens(FIRST, before), opens(FIRST, after)) == (True, False)
    assert (opens(SECOND, before), opens(SECOND, after)) == (True, True)
    assert (opens(THIRD, before), opens(THIRD, after)) == (False, True)
    assert (old.fingerprint,) == GONE


def test_the_retired_secret_is_nowhere() -> None:
    private = Keyring.load([SECOND.online]).private[GONE[0]].openssl
    raw = private.private_bytes_raw()  # type: ignore[union-attr]
    clamped = bytes([raw[0] & 248, *raw[1:31], raw[31] & 127 | 64])[::-1]
    assert clamped[1:] in unarmored(SECOND.online)
    assert clamped[1:] not in unarmored(THIRD.online)
    assert GONE[0] not in load_certificate(THIRD.certificate).encryption_keys


def test_within_the_grace_period_nothing_is_retired() -> None:
    kept, gone = retire(SECOND, now=NOW, grace=timedelta(days=101))
    assert gone == ()
    assert opens(kept, message(FIRST.certificate))
    again, gone = retire(THIRD, now=NOW, grace=GRACE)
    assert gone == ()
    assert again.certificate == THIRD.certificate


def test_a_passphrase_locks_the_primary_and_nothing_else() -> None:
    split = made("sesame")
    assert Keyring.load([split.online]).decrypting
    with pytest.raises(CryptoError):
        rotate(split, now=NOW, valid_for=YEAR)
    turned = rotate(split, now=NOW, valid_for=YEAR, passphrase="sesame")
    assert turned.primary == split.primary
    assert len(read_certificate(turned.certificate, now=NOW).encryption_keys) == 2


def test_gpg_follows_each_step(gpg: Gnupg) -> None:
    keyrings = {split: Keyring.load([split.online]) for split in (FIRST, SECOND, THIRD)}
    chosen = []
    for split, keyring in keyrings.items():
        gpg("--import", given=split.certificate)
        to = ("--encrypt", "--recipient", "split@example.org")
        sent = gpg("--sign", "--local-user", "curve@example.org", *to, given=SECRET)
        sender = load_certificate(gpg.export("curve@example.org"))
        opened = open_message(BytesIO(sent), keyring=keyring, senders=[sender], now=NOW)
        assert opened.plaintext.read() == SECRET
        chosen.append(opened.decrypted_by)
    assert chosen[0] == GONE[0]
    assert chosen[1] == chosen[2] != chosen[0]
    listed = gpg("--with-colons", "--list-keys", "split@example.org").decode().splitlines()
    assert sum(line.startswith("sub:r:") for line in listed) == 1
    assert sum(line.startswith("sub:") for line in listed) == 3


def test_gpg_decrypts_with_both_parts(gpg: Gnupg) -> None:
    """In a disaster the operator has the files and gpg."""
    split = generate_split_key(
        "Both <both@example.org>", now=MADE, valid_for=5 * YEAR, subkey_valid_for=YEAR
    )
    gpg("--import", given=split.online)
    sealed, to = BytesIO(), [load_certificate(split.certificate)]
    seal(BytesIO(SECRET), sealed, recipients=to, context="s-1", now=NOW)
    assert gpg("--decrypt", given=sealed.getvalue()) == SECRET
    listed = gpg("--with-colons", "--list-secret-keys", "both@example.org").decode()
    assert "sec:" in listed
    assert [line.split(":")[14] for line in listed.splitlines() if line[:4] == "sec:"] == ["#"]
