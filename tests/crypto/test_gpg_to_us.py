"""Messages and keys made by the real gpg open here."""

from io import BytesIO
from random import Random

import pytest

from crypto import Certificate, Keyring, MessageRefused, open_message, read_certificate
from crypto.refusals import MdcFailed
from tests.crypto.gnupg import Gnupg
from tests.crypto.parties import GATEWAY, NOW, SECRET

BIG = Random(7).randbytes(300_000) + bytes(300_000)
CURVE = ("--local-user", "curve@example.org")
TO_GATEWAY = ("--encrypt", "--sign", "--recipient", "gateway@example.org")


def certificate(gpg: Gnupg, name: str) -> Certificate:
    return read_certificate(gpg.export(name), now=NOW)


def opened(message: bytes, *, sender: Certificate, keyring: Keyring = GATEWAY.keyring) -> bytes:
    result = open_message(BytesIO(message), keyring=keyring, senders=[sender], now=NOW)
    assert result.signer == sender
    assert result.signing_key in sender.signing_keys
    plaintext = result.plaintext.read()
    assert result.size == len(plaintext)
    return plaintext


@pytest.mark.parametrize("plaintext", [b"", SECRET, BIG], ids=["empty", "small", "big"])
@pytest.mark.parametrize("sender", ["rsa@example.org", "curve@example.org", "nist@example.org"])
def test_default_options_open(gpg: Gnupg, sender: str, plaintext: bytes) -> None:
    message = gpg("--local-user", sender, *TO_GATEWAY, given=plaintext)
    assert opened(message, sender=certificate(gpg, sender)) == plaintext


@pytest.mark.parametrize(
    "options",
    [
        ("--armor",),
        ("--armor", "--no-emit-version", "--comment", "Sent: from Mill Lane"),
        ("--compress-algo", "none"),
        ("--compress-algo", "zip"),
        ("--compress-algo", "zlib"),
        ("--compress-algo", "bzip2"),
        ("--cipher-algo", "AES"),
        ("--cipher-algo", "AES192"),
        ("--digest-algo", "SHA384"),
        ("--throw-keyids",),
        ("--hidden-recipient", "curve@example.org"),
        ("--recipient", "rsa@example.org", "--recipient", "nist@example.org"),
        ("--local-user", "curve@example.org"),
        ("--set-filename", "päckage.zip"),
    ],
    ids=" ".join,
)
def test_options_of_gpg_open(gpg: Gnupg, options: tuple[str, ...]) -> None:
    message = gpg("--local-user", "rsa@example.org", *TO_GATEWAY, *options, given=BIG)
    assert opened(message, sender=certificate(gpg, "rsa@example.org")) == BIG


def test_text_that_gpg_signed_as_text_opens(gpg: Gnupg) -> None:
    message = gpg(*TO_GATEWAY, *CURVE, "--textmode", given=b"one\ntwo\n")
    # As it was signed: with the line ends that the message carries, and not with the sender's own.
    assert opened(message, sender=certificate(gpg, "curve@example.org")) == b"one\r\ntwo\r\n"


def test_a_hidden_recipient_opens(gpg: Gnupg) -> None:
    hidden = ("--encrypt", "--sign", "--hidden-recipient", "gateway@example.org")
    message = gpg("--local-user", "curve@example.org", *hidden, given=SECRET)
    assert opened(message, sender=certificate(gpg, "curve@example.org")) == SECRET


@pytest.mark.parametrize("gateway", ["rsa@example.org", "curve@example.org", "nist@example.org"])
def test_keys_made_by_gpg_decrypt_here(gpg: Gnupg, gateway: str) -> None:
    keyring = Keyring.load([gpg.export_secret(gateway)])
    to = ("--encrypt", "--sign", "--recipient", gateway)
    message = gpg("--local-user", "curve@example.org", *to, given=SECRET)
    assert opened(message, sender=certificate(gpg, "curve@example.org"), keyring=keyring) == SECRET


def test_a_file_name_and_the_time_come_along(gpg: Gnupg) -> None:
    named = ("--set-filename", "päckage.zip")
    message = gpg("--local-user", "curve@example.org", *TO_GATEWAY, *named, given=SECRET)
    result = open_message(
        BytesIO(message),
        keyring=GATEWAY.keyring,
        senders=[certificate(gpg, "curve@example.org")],
        now=NOW,
    )
    assert result.filename == "päckage.zip"
    assert abs((result.signed_at - NOW).total_seconds()) < 300


def test_a_signing_subkey_is_named(gpg: Gnupg) -> None:
    fingerprint = gpg.new_key("Sub <sub@example.org>", algorithm="ed25519")
    gpg.add_subkey(fingerprint, "ed25519", usage="sign")
    message = gpg("--local-user", "sub@example.org", *TO_GATEWAY, given=SECRET)
    sender = certificate(gpg, "sub@example.org")
    result = open_message(BytesIO(message), keyring=GATEWAY.keyring, senders=[sender], now=NOW)
    assert result.signing_key == sender.signing_keys[1] != sender.fingerprint


def test_of_two_signers_one_enrolled_is_enough(gpg: Gnupg) -> None:
    both = ("--local-user", "rsa@example.org", "--local-user", "curve@example.org")
    message = gpg(*both, *TO_GATEWAY, given=SECRET)
    assert opened(message, sender=certificate(gpg, "curve@example.org")) == SECRET
    assert opened(message, sender=certificate(gpg, "rsa@example.org")) == SECRET


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--encrypt", "--recipient", "gateway@example.org"), "not-signed"),
        (("--sign", "--local-user", "curve@example.org"), "not-encrypted"),
        (("--sign", *CURVE, "--armor"), "not-encrypted"),
        (("--clear-sign", "--local-user", "curve@example.org"), "not-encrypted"),
        (("--detach-sign", "--local-user", "curve@example.org"), "not-encrypted"),
        (("--store",), "not-encrypted"),
        (("--symmetric", "--passphrase", "x"), "wrong-recipient"),
        (("--encrypt", "--sign", "--recipient", "rsa@example.org"), "wrong-recipient"),
        ((*TO_GATEWAY, "--local-user", "rsa@example.org"), "unknown-signer"),
        ((*TO_GATEWAY, *CURVE, "--cipher-algo", "3DES"), "weak-cipher"),
        ((*TO_GATEWAY, *CURVE, "--cipher-algo", "CAST5"), "weak-cipher"),
        ((*TO_GATEWAY, *CURVE, "--digest-algo", "SHA1"), "weak-hash"),
        ((*TO_GATEWAY, *CURVE, "--faked-system-time", "20990101T000000!"), "signature-future"),
        (("--encrypt", "--sign", "--hidden-recipient", "rsa@example.org"), "wrong-recipient"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_gpg_does_and_we_refuse(gpg: Gnupg, arguments: tuple[str, ...], code: str) -> None:
    message = gpg(*arguments, given=SECRET)
    with pytest.raises(MessageRefused) as refused:
        opened(message, sender=certificate(gpg, "curve@example.org"))
    assert refused.value.code == code


def test_no_oracle_in_rsa_padding(gpg: Gnupg) -> None:
    """Bleichenbacher's question, put at many places: the answer never depends on the padding."""
    keyring = Keyring.load([gpg.export_secret("rsa@example.org")])
    to = ("--encrypt", "--sign", "--recipient", "rsa@example.org")
    message = gpg(*CURVE, *to, given=SECRET)
    sender = certificate(gpg, "curve@example.org")
    answers = set()
    for at in range(20, 380, 15):
        changed = bytearray(message)
        changed[at] ^= 1
        with pytest.raises(MessageRefused) as refused:
            opened(bytes(changed), sender=sender, keyring=keyring)
        answers.add((refused.value.code, str(refused.value), refused.value.detail))
    assert answers == {("mdc-failed", MdcFailed.message, "the modification check does not match")}
