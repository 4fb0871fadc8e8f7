"""Detached signatures stand under the same rules as signatures inside messages."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import MessageRefused, load_certificate, sign_detached, verify_detached
from crypto.framing import SIGNATURE
from crypto.writing import packet
from tests.crypto.handmade import signature
from tests.crypto.parties import AGENCY, NOW, SECRET, STRANGER

SIGNED = sign_detached(SECRET, signer=AGENCY.keyring, now=NOW).encode()


def code(data: bytes, made: bytes, *, now: datetime = NOW) -> str:
    with pytest.raises(MessageRefused) as refused:
        verify_detached(data, made, senders=[AGENCY.certificate], now=now)
    return refused.value.code


def test_a_signature_verifies() -> None:
    senders = [STRANGER.certificate, AGENCY.certificate]
    verified = verify_detached(SECRET, SIGNED, senders=senders, now=NOW)
    assert verified.signer == AGENCY.certificate
    assert verified.signing_key == AGENCY.certificate.fingerprint
    assert verified.signed_at == NOW


def test_each_refusal_has_its_code() -> None:
    assert code(SECRET + b" ", SIGNED) == "bad-signature"
    assert code(SECRET, b"") == "not-signed"
    assert code(SECRET, b"hello") == "malformed"
    assert code(SECRET, SIGNED[:60]) == "malformed"
    assert code(SECRET, packet(11, b"x")) == "malformed"
    assert code(SECRET, packet(SIGNATURE, signature()) * 5) == "malformed"
    assert code(SECRET, bytes(70_000)) == "malformed"
    assert code(SECRET, packet(SIGNATURE, signature(hash_id=2))) == "weak-hash"
    assert code(SECRET, SIGNED, now=NOW + timedelta(days=31)) == "signer-expired"
    assert code(SECRET, SIGNED, now=NOW - timedelta(minutes=6)) == "signature-future"
    stranger = sign_detached(SECRET, signer=STRANGER.keyring, now=NOW).encode()
    assert code(SECRET, stranger) == "unknown-signer"


def test_a_revoked_signer_is_refused() -> None:
    key = AGENCY.certificate.assembled.primary.key
    head = packet(6, key.body)
    revocation = packet(SIGNATURE, signature(key.hashed, kind=0x20))
    revoked = load_certificate(head + revocation + AGENCY.certificate.data[len(head) :])
    with pytest.raises(MessageRefused) as refused:
        verify_detached(SECRET, SIGNED, senders=[revoked], now=NOW)
    assert refused.value.code == "signer-revoked"


@given(st.integers(0, len(signature()) * 8 - 1))
def test_a_bit_turned_anywhere_never_changes_who_signed(bit: int) -> None:
    changed = bytearray(signature())
    changed[bit // 8] ^= 1 << bit % 8
    made = packet(SIGNATURE, bytes(changed))
    try:
        verified = verify_detached(SECRET, made, senders=[AGENCY.certificate], now=NOW)
    except MessageRefused:
        return
    assert verified.signer == AGENCY.certificate
    assert verified.signed_at == NOW
