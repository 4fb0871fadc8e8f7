"""Sealing and unsealing: what goes in comes out, in its own place only, or nothing does."""

import hashlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import (
    CertificateRefused,
    CryptoError,
    MessageRefused,
    WrongContext,
    seal,
    sign_and_encrypt,
    unseal,
)
from tests.crypto.parties import AGENCY, GATEWAY, NOW, SECRET, STRANGER, opened


def sealed(plaintext: bytes = SECRET, context: str = "submission-1") -> bytes:
    sink = BytesIO()
    recipients = [GATEWAY.certificate, STRANGER.certificate]
    seal(BytesIO(plaintext), sink, recipients=recipients, context=context, now=NOW)
    return sink.getvalue()


SEALED = sealed()


@settings(max_examples=30)
@given(st.binary(max_size=2000), st.integers(0, 70), st.text(max_size=60))
def test_what_is_sealed_is_unsealed(start: bytes, kilobytes: int, context: str) -> None:
    plaintext = start + bytes(kilobytes << 10)
    message = sealed(plaintext, context)
    for holder in (GATEWAY, STRANGER):
        sink = BytesIO()
        keyring = holder.keyring
        assert unseal(BytesIO(message), sink, keyring=keyring, context=context) == len(plaintext)
        assert sink.getvalue() == plaintext


def test_size_and_hash_are_of_the_ciphertext() -> None:
    sink = BytesIO()
    result = seal(BytesIO(SECRET), sink, recipients=[GATEWAY.certificate], context="s", now=NOW)
    assert result.size == len(sink.getvalue())
    assert result.sha256 == hashlib.sha256(sink.getvalue()).hexdigest()


def test_no_two_seals_are_alike() -> None:
    assert sealed()[-600:] != sealed()[-600:]


def test_a_seal_does_not_fit_another_place() -> None:
    sink = BytesIO()
    with pytest.raises(WrongContext) as refused:
        unseal(BytesIO(SEALED), sink, keyring=GATEWAY.keyring, context="submission-2")
    assert refused.value.code == "wrong-context"
    assert sink.getvalue() == b""


def test_others_cannot_unseal() -> None:
    with pytest.raises(MessageRefused) as refused:
        unseal(BytesIO(SEALED), BytesIO(), keyring=AGENCY.keyring, context="submission-1")
    assert refused.value.code == "wrong-recipient"


@given(st.integers(0, len(SEALED) * 8 - 1))
def test_nothing_reaches_the_sink_from_a_changed_seal(bit: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    sink = BytesIO()
    try:
        unseal(BytesIO(bytes(changed)), sink, keyring=GATEWAY.keyring, context="submission-1")
    except CryptoError:
        assert sink.getvalue() == b""
    else:
        assert sink.getvalue() == SECRET


def test_a_seal_is_no_submission() -> None:
    with pytest.raises(MessageRefused) as refused:
        opened(SEALED)
    assert refused.value.code == "not-signed"


def test_somebody_must_receive() -> None:
    with pytest.raises(CertificateRefused) as refused:
        seal(BytesIO(SECRET), BytesIO(), recipients=[], context="s", now=NOW)
    assert refused.value.weaknesses[0].code == "no-recipient"


@settings(max_examples=30)
@given(st.binary(max_size=2000), st.integers(0, 140), st.text(max_size=60))
def test_what_is_signed_and_encrypted_opens(start: bytes, kilobytes: int, name: str) -> None:
    plaintext, sink = start + bytes(kilobytes << 10), BytesIO()
    result = sign_and_encrypt(
        BytesIO(plaintext),
        sink,
        signer=AGENCY.keyring,
        recipients=[GATEWAY.certificate],
        now=NOW,
        filename=name,
    )
    assert result.sha256 == hashlib.sha256(sink.getvalue()).hexdigest()
    message = opened(sink.getvalue())
    assert message.plaintext.read() == plaintext
    assert (message.filename, message.signed_at) == (name, NOW)
    assert message.signer == AGENCY.certificate
