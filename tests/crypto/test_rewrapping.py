"""A sealed object for another holder of keys: the same data, octet for octet."""

import os
from io import BytesIO

import pytest

from crypto import (
    Certificate,
    CertificateRefused,
    CryptoError,
    Rewrapped,
    read_certificate,
    rewrap,
    seal,
    unseal,
    write_rewrapped,
)
from crypto.framing import CHUNK
from crypto.sessionkey import fresh_session_key
from tests.crypto.gnupg import Gnupg
from tests.crypto.handmade import enclosed, protected, session_packet
from tests.crypto.parties import AGENCY, GATEWAY, NOW, SECRET, STRANGER, Party

BIG = os.urandom(1 << 20)


def sealed(plaintext: bytes = BIG) -> bytes:
    sink = BytesIO()
    seal(BytesIO(plaintext), sink, recipients=[GATEWAY.certificate], context="s-1", now=NOW)
    return sink.getvalue()


def session_keys(message: bytes, *recipients: Certificate) -> Rewrapped:
    return rewrap(BytesIO(message), keyring=GATEWAY.keyring, recipients=recipients, now=NOW)


def rewrapped(message: bytes, *recipients: Certificate) -> bytes:
    sink = BytesIO()
    write_rewrapped(session_keys(message, *recipients), BytesIO(message), sink)
    return sink.getvalue()


def unsealed(message: bytes, party: Party) -> bytes:
    sink = BytesIO()
    unseal(BytesIO(message), sink, keyring=party.keyring, context="s-1")
    return sink.getvalue()


def test_session_keys_in_front_of_an_object_open_it_for_the_new_and_the_old() -> None:
    message = sealed()
    found = session_keys(message, AGENCY.certificate, STRANGER.certificate)
    assert len(found.session_keys) < 2000
    for party in (AGENCY, STRANGER, GATEWAY):
        assert unsealed(found.session_keys + message, party) == BIG


def test_only_the_beginning_of_the_object_is_read() -> None:
    source = BytesIO(sealed(BIG * 4))
    rewrap(source, keyring=GATEWAY.keyring, recipients=[AGENCY.certificate], now=NOW)
    assert source.tell() <= CHUNK


def test_session_keys_of_another_object_do_not_open_this_one() -> None:
    foreign = session_keys(sealed(), AGENCY.certificate).session_keys
    with pytest.raises(CryptoError) as refused:
        unsealed(foreign + sealed(), AGENCY)
    assert refused.value.code == "mdc-failed"


def test_an_object_of_their_own_is_for_the_new_recipients_alone() -> None:
    message = rewrapped(sealed(), AGENCY.certificate, STRANGER.certificate)
    for party in (AGENCY, STRANGER):
        assert unsealed(message, party) == BIG
    with pytest.raises(CryptoError) as refused:
        unseal(BytesIO(message), BytesIO(), keyring=GATEWAY.keyring, context="s-1")
    assert refused.value.code == "wrong-recipient"


def test_the_data_is_copied_octet_for_octet() -> None:
    before = sealed()
    assert rewrapped(before, AGENCY.certificate)[-len(BIG) :] == before[-len(BIG) :]


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
def test_nothing_is_wrapped_where_the_key_is_not_certain(message: bytes, code: str) -> None:
    with pytest.raises(CryptoError) as refused:
        session_keys(message, AGENCY.certificate)
    assert refused.value.code == code


def test_somebody_must_receive() -> None:
    with pytest.raises(CertificateRefused):
        rewrapped(enclosed(b"x"))


def test_gpg_opens_what_was_rewrapped(gpg: Gnupg) -> None:
    recipient = read_certificate(gpg.export("rsa@example.org"), now=NOW)
    assert gpg("--decrypt", given=rewrapped(sealed(), recipient)) == BIG
    message = sealed()
    joined = session_keys(message, recipient).session_keys + message
    assert gpg("--decrypt", given=joined) == BIG
