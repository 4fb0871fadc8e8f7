"""A sealed object for another holder of keys: the same data, octet for octet."""

import os
from io import BytesIO
from pathlib import Path

import pytest

from crypto import CertificateRefused, CryptoError, read_certificate, rewrap, seal, unseal
from crypto.sessionkey import fresh_session_key
from tests.crypto.gnupg import Gnupg
from tests.crypto.handmade import enclosed, protected, session_packet
from tests.crypto.parties import AGENCY, GATEWAY, NOW, SECRET, STRANGER

BIG = os.urandom(1 << 20)


def sealed(plaintext: bytes = BIG) -> bytes:
    sink = BytesIO()
    seal(BytesIO(plaintext), sink, recipients=[GATEWAY.certificate], context="s-1", now=NOW)
    return sink.getvalue()


def rewrapped(message: bytes, *recipients: object) -> bytes:
    sink = BytesIO()
    size = rewrap(
        BytesIO(message),
        sink,
        keyring=GATEWAY.keyring,
        recipients=[*recipients],  # type: ignore[list-item]
        now=NOW,
    )
    assert size == len(sink.getvalue())
    return sink.getvalue()


def test_the_new_recipients_open_it_and_the_old_one_no_longer() -> None:
    message = rewrapped(sealed(), AGENCY.certificate, STRANGER.certificate)
    for party in (AGENCY, STRANGER):
        sink = BytesIO()
        unseal(BytesIO(message), sink, keyring=party.keyring, context="s-1")
        assert sink.getvalue() == BIG
    with pytest.raises(CryptoError) as refused:
        unseal(BytesIO(message), BytesIO(), keyring=GATEWAY.keyring, context="s-1")
    assert refused.value.code == "wrong-recipient"


def test_the_data_is_copied_octet_for_octet(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.write_bytes(sealed())
    with before.open("rb") as source, after.open("wb") as sink:
        rewrap(source, sink, keyring=GATEWAY.keyring, recipients=[AGENCY.certificate], now=NOW)
    assert after.read_bytes()[-len(BIG) :] == before.read_bytes()[-len(BIG) :]
    with after.open("rb") as source:
        assert unseal(source, BytesIO(), keyring=AGENCY.keyring, context="s-1") == len(BIG)


def test_the_context_stays() -> None:
    message = rewrapped(sealed(), AGENCY.certificate)
    with pytest.raises(CryptoError) as refused:
        unseal(BytesIO(message), BytesIO(), keyring=AGENCY.keyring, context="s-2")
    assert refused.value.code == "wrong-context"


def other_key() -> bytes:
    """A session key that unwraps, in front of data encrypted under another."""
    return session_packet(fresh_session_key()) + protected(b"x", key=fresh_session_key().key)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (sealed()[:40], "truncated"),
        (bytes([*sealed()[:60], sealed()[60] ^ 1, *sealed()[61:]]), "mdc-failed"),
        (other_key(), "mdc-failed"),
        (b"", "truncated"),
        (SECRET, "malformed"),
    ],
    ids=["cut", "a session key that does not unwrap", "another session key", "empty", "noise"],
)
def test_nothing_is_written_where_the_key_is_not_certain(message: bytes, code: str) -> None:
    sink = BytesIO()
    with pytest.raises(CryptoError) as refused:
        rewrap(
            BytesIO(message),
            sink,
            keyring=GATEWAY.keyring,
            recipients=[AGENCY.certificate],
            now=NOW,
        )
    assert refused.value.code == code
    assert sink.getvalue() == b""


def test_somebody_must_receive() -> None:
    with pytest.raises(CertificateRefused):
        rewrapped(enclosed(b"x"))


def test_gpg_opens_what_was_rewrapped(gpg: Gnupg) -> None:
    recipient = read_certificate(gpg.export("rsa@example.org"), now=NOW)
    assert gpg("--decrypt", given=rewrapped(sealed(), recipient)) == BIG
