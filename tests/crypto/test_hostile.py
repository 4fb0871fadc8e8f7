"""Hostile and broken messages: each case names the code it must be answered with."""

import hashlib
import io
from collections.abc import Callable
from datetime import timedelta
from secrets import token_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import Certificate, Limits, MessageRefused, load_certificate, open_message
from crypto.armor import ArmorKind
from crypto.armor import armored as armor
from crypto.framing import COMPRESSED, MARKER, PROTECTED, SIGNATURE, UNPROTECTED
from crypto.sessionkey import SessionKey, _wrap_over_curve, fresh_session_key
from crypto.vetting import encryption_key
from crypto.writing import packet
from tests.crypto import handmade
from tests.crypto.handmade import (
    compressed,
    enclosed,
    literal,
    one_pass,
    protected,
    session_packet,
    signature,
    signed,
)
from tests.crypto.parties import (
    AGENCY,
    GATEWAY,
    MADE,
    NOW,
    SECRET,
    STRANGER,
    good_message,
    opened,
)

GOOD = good_message()
SMALL = Limits(plaintext_octets=1 << 20, ratio_from_octets=1 << 16, ciphertext_octets=1 << 20)
SESSION = fresh_session_key()
UNPADDED_KEY = b"\x03" + bytes(8) + b"\x12"


def garbage_key() -> bytes:
    """A session key for whoever can open it, and nobody can."""
    return UNPADDED_KEY + b"\x01\x07\x40" + token_bytes(32) + b"\x30" + token_bytes(48)


def nested(depth: int) -> bytes:
    inner = signed()
    for _ in range(depth):
        inner = compressed(inner)
    return enclosed(inner)


def damaged(message: bytes, at: int) -> bytes:
    """The message with one bit turned over."""
    changed = bytearray(message)
    changed[at] ^= 1
    return bytes(changed)


def with_critical_subpacket() -> bytes:
    return signed(signature(subpackets=bytes([2, 0x80 | 99, 0])))


def stranger_signed() -> bytes:
    return signed(signature(by=STRANGER.keyring.signing_key(now=NOW)))


def one_good_one_bad() -> bytes:
    bad = signature(spoil=lambda digest: digest[::-1])
    signatures = packet(SIGNATURE, bad) + packet(SIGNATURE, signature())
    return one_pass() + one_pass() + literal() + signatures


def five_signatures() -> bytes:
    return one_pass() * 5 + literal() + packet(SIGNATURE, signature()) * 5


CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "truncated"),
    "a ZIP": (lambda: b"PK\x03\x04" + SECRET, "not-encrypted"),
    "plain text": (lambda: SECRET, "not-encrypted"),
    "random with the high bit": (lambda: b"\xd5" + token_bytes(500), "not-encrypted"),
    "a key block": (lambda: b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n", "not-encrypted"),
    "a secret in a literal": (literal, "not-encrypted"),
    "signed, not encrypted": (signed, "not-encrypted"),
    "compressed, not encrypted": (lambda: compressed(signed()), "not-encrypted"),
    "no MDC (tag 9)": (
        lambda: session_packet(SESSION) + packet(UNPROTECTED, token_bytes(600)),
        "no-integrity",
    ),
    "GnuPG OCB (tag 20)": (
        lambda: session_packet(SESSION) + packet(20, token_bytes(600)),
        "unsupported",
    ),
    "SEIPD version 2": (
        lambda: session_packet(SESSION) + packet(PROTECTED, b"\x02" + token_bytes(600)),
        "unsupported",
    ),
    "SEIPD empty": (lambda: session_packet(SESSION) + packet(PROTECTED, b""), "malformed"),
    "SEIPD too short": (
        lambda: session_packet(SESSION) + packet(PROTECTED, b"\x01" + bytes(20)),
        "mdc-failed",
    ),
    "session key only": (lambda: session_packet(SESSION), "truncated"),
    "no session key": (lambda: protected(signed(), key=SESSION.key), "wrong-recipient"),
    "seventeen session keys": (
        lambda: session_packet(SESSION) * 17 + protected(signed(), key=SESSION.key),
        "malformed",
    ),
    "to a stranger": (
        lambda: (
            session_packet(SESSION, STRANGER.certificate) + protected(signed(), key=SESSION.key)
        ),
        "wrong-recipient",
    ),
    "session key of version 6": (
        lambda: packet(1, b"\x06" + bytes(60)) + protected(signed(), key=SESSION.key),
        "wrong-recipient",
    ),
    "a session key of a megabyte": (lambda: packet(1, bytes(1 << 20)), "malformed"),
    "a session key of 4 GB": (lambda: b"\xc1\xff\xff\xff\xff\xff" + bytes(99_999), "malformed"),
    "partial lengths on a session key": (lambda: b"\xc1\xe9" + bytes(600), "malformed"),
    "a first part of 256 octets": (
        lambda: session_packet(SESSION) + b"\xd2\xe8" + bytes(600),
        "malformed",
    ),
    "a foreign packet first": (lambda: packet(MARKER, b"PGP") + packet(6, b"\x04"), "malformed"),
    "3DES": (
        lambda: enclosed(signed(), session=SessionKey(2, token_bytes(24))),
        "weak-cipher",
    ),
    "wrong session key": (
        lambda: session_packet(SESSION) + protected(signed(), key=token_bytes(32)),
        "mdc-failed",
    ),
    "garbage for a hidden recipient": (
        lambda: packet(1, garbage_key()) + protected(signed(), key=SESSION.key),
        "mdc-failed",
    ),
    "last octet changed": (lambda: damaged(GOOD, -1), "mdc-failed"),
    "first octet of the content changed": (lambda: damaged(GOOD, 130), "mdc-failed"),
    "text after the end": (lambda: GOOD + b"\n", "trailing-data"),
    "two messages": (lambda: GOOD + GOOD, "trailing-data"),
    "unsigned": (lambda: enclosed(literal()), "not-signed"),
    "nothing inside": (lambda: enclosed(b""), "malformed"),
    "noise inside": (lambda: enclosed(bytes(600)), "malformed"),
    "two literals": (lambda: enclosed(signed() + literal()), "trailing-data"),
    "two literals first": (lambda: enclosed(literal() + signed()), "trailing-data"),
    "a message after compression": (
        lambda: enclosed(compressed(signed()) + literal()),
        "trailing-data",
    ),
    "compressed three times": (lambda: nested(3), "bomb"),
    "compressed a hundred times": (lambda: nested(100), "bomb"),
    "a bomb": (lambda: enclosed(compressed(literal(bytes(1_000_000)))), "bomb"),
    "a bomb within a bomb": (
        lambda: enclosed(compressed(compressed(literal(bytes(100_000_000))))),
        "bomb",
    ),
    "too large": (lambda: enclosed(signed(plaintext=bytes((1 << 20) + 1))), "too-large"),
    "compression of an unknown kind": (
        lambda: enclosed(packet(COMPRESSED, b"\x09abc")),
        "unsupported",
    ),
    "a broken deflate stream": (
        lambda: enclosed(packet(COMPRESSED, b"\x01" + b"\xff" * 99)),
        "malformed",
    ),
    "a deflate stream cut short": (
        lambda: enclosed(packet(COMPRESSED, compressed(signed())[3:-9])),
        "truncated",
    ),
    "encryption within encryption": (lambda: enclosed(GOOD), "malformed"),
    "a literal longer than the message": (
        lambda: enclosed(one_pass() + b"\xcb\xff\x00\xff\xff\xffb\x00\x00\x00\x00\x00x"),
        "truncated",
    ),
    "five signatures": (lambda: enclosed(five_signatures()), "malformed"),
    "announced but absent": (lambda: enclosed(one_pass() + literal()), "malformed"),
    "present but not announced": (
        lambda: enclosed(literal() + packet(SIGNATURE, signature())),
        "malformed",
    ),
    "SHA-1": (lambda: enclosed(signed(signature(hash_id=2))), "weak-hash"),
    "MD5": (lambda: enclosed(signed(signature(hash_id=1))), "weak-hash"),
    "SHA-224": (lambda: enclosed(signed(signature(hash_id=11))), "weak-hash"),
    "signature of version 3": (lambda: enclosed(signed(signature(version=3))), "unsupported"),
    "signature over text, announced as over octets": (
        lambda: enclosed(signed(signature(kind=1))),
        "bad-signature",
    ),
    "signature without a document": (lambda: enclosed(signed(signature(kind=2))), "unsupported"),
    "signature with a critical unknown": (
        lambda: enclosed(with_critical_subpacket()),
        "unsupported",
    ),
    "signature over other bytes": (
        lambda: enclosed(signed(signature(b"something else"))),
        "bad-signature",
    ),
    "signature from the future": (
        lambda: enclosed(signed(signature(at=NOW + timedelta(minutes=6)))),
        "signature-future",
    ),
    "signature older than its key": (
        lambda: enclosed(signed(signature(at=MADE - timedelta(minutes=1)))),
        "bad-signature",
    ),
    "signature that has expired": (
        lambda: enclosed(
            signed(signature(at=NOW - timedelta(hours=1), subpackets=b"\x05\x03\0\0\0\x3c"))
        ),
        "bad-signature",
    ),
    "signature by a key that only encrypts": (
        lambda: enclosed(signed(naming_the_encryption_key())),
        "bad-signature",
    ),
    "signature by a stranger": (lambda: enclosed(stranger_signed()), "unknown-signer"),
    "one good and one bad": (lambda: enclosed(one_good_one_bad()), "bad-signature"),
    "armor without an end": (lambda: armored(GOOD)[:-40], "truncated"),
    "armor and text after it": (lambda: armored(GOOD) + b"see attached", "trailing-data"),
    "armor with other letters": (
        lambda: armored(GOOD).replace(b"\n\n", b"\n\n!!!!", 1),
        "malformed",
    ),
    "armor whose headers do not end": (
        lambda: b"-----BEGIN PGP MESSAGE-----\n" + b"Comment: x\n" * 9999,
        "malformed",
    ),
}


def armored(message: bytes) -> bytes:
    return armor(message, kind=ArmorKind.MESSAGE).encode()


def naming_the_encryption_key() -> bytes:
    """A signature whose issuer is the agency's subkey for encryption."""
    made = signature()
    return made.replace(
        bytes.fromhex(AGENCY.certificate.fingerprint),
        bytes.fromhex(AGENCY.certificate.encryption_keys[0]),
    )


@pytest.mark.parametrize("name", CASES)
def test_the_declared_code(name: str) -> None:
    make, code = CASES[name]
    with pytest.raises(MessageRefused) as refused:
        opened(make(), limits=SMALL)
    assert refused.value.code == code
    assert_tells_nothing(refused.value)


def assert_tells_nothing(refused: BaseException) -> None:
    """No part of the plaintext, however the refusal is printed and whatever it was raised from."""
    words = [word for word in SECRET.decode().split() if len(word) > 3]
    error: BaseException | None = refused
    while error:
        shown = f"{error} {error!r} {vars(error)} {error.args}"
        assert not [word for word in words if word in shown]
        error = error.__cause__ or error.__context__


def test_the_control_opens() -> None:
    assert opened(GOOD).plaintext.read() == SECRET
    assert opened(enclosed(signed())).plaintext.read() == SECRET
    assert opened(nested(2)).plaintext.read() == SECRET
    assert opened(armored(GOOD)).plaintext.read() == SECRET


def test_sixteen_session_keys_and_four_signatures_open() -> None:
    inner = one_pass() * 4 + literal() + packet(SIGNATURE, signature()) * 4
    message = session_packet(SESSION) * 16 + protected(inner, key=SESSION.key)
    assert opened(message).plaintext.read() == SECRET


def test_a_clock_five_minutes_ahead_is_borne() -> None:
    assert opened(enclosed(signed(signature(at=NOW + timedelta(minutes=5))))).size == len(SECRET)


def test_markers_and_unknown_uncritical_packets_are_passed_over() -> None:
    skipped = packet(MARKER, b"PGP") + packet(60, b"whatever")
    message = skipped + session_packet(SESSION) + protected(skipped + signed(), key=SESSION.key)
    assert opened(message).plaintext.read() == SECRET


def test_padding_after_a_compressed_stream_is_dropped() -> None:
    message = enclosed(compressed(signed(), after=b"padding"))
    assert opened(message).plaintext.read() == SECRET


def test_a_strangers_signature_beside_a_good_one_is_passed_over() -> None:
    other = signature(by=STRANGER.keyring.signing_key(now=NOW))
    signatures = packet(SIGNATURE, other) + packet(SIGNATURE, signature())
    message = enclosed(one_pass() + one_pass() + literal() + signatures)
    assert opened(message).signer == AGENCY.certificate


@pytest.mark.parametrize("first", range(16))
def test_truncated_anywhere(first: int) -> None:
    """In sixteen parts: how long the message is differs by an octet now and then."""
    for length in range(first, len(GOOD), 16):
        with pytest.raises(MessageRefused) as refused:
            opened(GOOD[:length])
        assert refused.value.code == "truncated"
        assert_tells_nothing(refused.value)


@given(st.integers(0, len(GOOD) * 8 - 1))
def test_a_bit_turned_anywhere_changes_nothing_or_is_refused(bit: int) -> None:
    changed = bytearray(GOOD)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        result = opened(bytes(changed))
    except MessageRefused as refused:
        assert_tells_nothing(refused)
    else:
        # The length of a multiprecision integer in bits may be off by a few without effect.
        assert result.plaintext.read() == SECRET
        assert result.signer == AGENCY.certificate


@given(st.integers(64, len(armored(GOOD)) - 1), st.integers(0, 255))
def test_armor_changed_anywhere_changes_nothing_or_is_refused(at: int, octet: int) -> None:
    changed = bytearray(armored(GOOD))
    changed[at] = octet
    try:
        assert opened(bytes(changed)).plaintext.read() == SECRET
    except MessageRefused as refused:
        assert_tells_nothing(refused)


@given(st.binary(max_size=400))
def test_noise_is_refused_with_a_code(noise: bytes) -> None:
    with pytest.raises(MessageRefused):
        opened(noise)


@given(st.binary(max_size=300))
def test_noise_properly_encrypted_is_refused_with_a_code(noise: bytes) -> None:
    with pytest.raises(MessageRefused):
        opened(enclosed(noise))


@pytest.mark.parametrize("octets", [0, 3, 5, 100])
@pytest.mark.parametrize("kind", [2, 3, 9])
def test_a_time_is_of_four_octets(kind: int, octets: int) -> None:
    """One of many octets is more than any number that a duration can be."""
    body = signature(subpackets=bytes([octets + 1, kind]) + b"\xff" * octets)
    with pytest.raises(MessageRefused) as refused:
        opened(enclosed(signed(body)))
    assert refused.value.code == "malformed"


@given(st.binary(max_size=300))
def test_a_noisy_signature_is_refused_with_a_code(noise: bytes) -> None:
    with pytest.raises(MessageRefused):
        opened(enclosed(one_pass() + literal() + packet(SIGNATURE, b"\x04" + noise)))


@given(st.binary(max_size=200))
def test_a_noisy_session_key_is_refused_with_a_code(noise: bytes) -> None:
    with pytest.raises(MessageRefused):
        opened(packet(1, b"\x03" + noise) + protected(signed(), key=SESSION.key))


def key_packet_with(message: bytes) -> bytes:
    """A well-wrapped session key message of any content: the padding and checksum are the case."""
    key = encryption_key(GATEWAY.certificate, now=NOW)
    content = _wrap_over_curve(message, key)
    return packet(1, b"\x03" + bytes.fromhex(key.key_id) + b"\x12" + content)


def with_checksum(cipher: int, key: bytes) -> bytes:
    return bytes([cipher]) + key + (sum(key) & 0xFFFF).to_bytes(2, "big")


ORACLES: dict[str, Callable[[], bytes]] = {
    "wrong key": lambda: session_packet(SESSION) + protected(signed(), key=token_bytes(32)),
    "changed content": lambda: damaged(GOOD, 150),
    "changed check": lambda: damaged(GOOD, -1),
    "wrong checksum": lambda: (
        key_packet_with(b"\x09" + SESSION.key + b"\0\0") + protected(signed(), key=SESSION.key)
    ),
    "unknown cipher": lambda: (
        key_packet_with(with_checksum(99, SESSION.key)) + protected(signed(), key=SESSION.key)
    ),
    "key too short": lambda: (
        key_packet_with(with_checksum(9, SESSION.key[:16])) + protected(signed(), key=SESSION.key)
    ),
    "no key at all": lambda: key_packet_with(bytes(15)) + protected(signed(), key=SESSION.key),
    "damaged wrap": lambda: damaged(GOOD, 60),
    "changed so that the structure breaks": lambda: damaged(enclosed(noisy_head()), -30),
    "changed so that compression breaks": lambda: damaged(enclosed(compressed(signed())), 140),
}


def noisy_head() -> bytes:
    return b"\x00" + signed()


@pytest.mark.parametrize("name", ORACLES)
def test_no_oracle(name: str) -> None:
    with pytest.raises(MessageRefused) as refused:
        opened(ORACLES[name]())
    answer = refused.value
    assert (answer.code, str(answer)) == ("mdc-failed", str(answer.message))
    assert (answer.cause_code, answer.detail) == (
        "mdc-failed",
        "the modification check does not match",
    )


class Counting(io.RawIOBase):
    """An endless source that remembers how much was asked of it."""

    def __init__(self, head: bytes) -> None:
        self.head, self.given = io.BytesIO(head), 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert 0 < size <= 1 << 20, "reads must be bounded"
        piece = self.head.read(size) or bytes(size)
        self.given += len(piece)
        return piece


def test_an_endless_source_is_cut_off() -> None:
    source = Counting(session_packet(SESSION) + b"\xd2\xff\xff\xff\xff\xff\x01")
    with pytest.raises(MessageRefused) as refused:
        open_message(
            source,  # type: ignore[arg-type] # BinaryIO is wider than what is read
            keyring=GATEWAY.keyring,
            senders=[AGENCY.certificate],
            now=NOW,
            limits=SMALL,
        )
    assert refused.value.code == "too-large"
    assert source.given <= (1 << 20) + (1 << 17)


def test_an_expired_signer() -> None:
    with pytest.raises(MessageRefused) as refused:
        opened(GOOD, now=NOW + timedelta(days=31))
    assert (refused.value.code, refused.value.cause_code) == ("signer-expired", "expired")


def test_a_signer_revoked_since() -> None:
    revoked = load_certificate(with_revocation(AGENCY.certificate))
    with pytest.raises(MessageRefused) as refused:
        open_message(io.BytesIO(GOOD), keyring=GATEWAY.keyring, senders=[revoked], now=NOW)
    assert (refused.value.code, refused.value.cause_code) == ("signer-revoked", "revoked")


@pytest.mark.parametrize("hash_id", [2, 8, 10, 11, 12, 14])
def test_a_revocation_counts_whatever_its_hash(hash_id: int) -> None:
    revoked = load_certificate(with_revocation(AGENCY.certificate, hash_id=hash_id))
    assert revoked.assembled.primary.revoked


def with_revocation(certificate: Certificate, *, hash_id: int = 10) -> bytes:
    """The certificate with its own revocation, right after the primary key."""
    primary = certificate.assembled.primary.key
    body = signature(primary.hashed, kind=0x20, hash_id=hash_id)
    head = packet(6, primary.body)
    assert certificate.data.startswith(head)
    return head + packet(SIGNATURE, body) + certificate.data[len(head) :]


def test_the_hand_is_sound() -> None:
    # If the forger cannot make a good signature, its bad ones prove nothing.
    made = handmade.signature(SECRET)
    assert made[4:6] != b"\0\0"
    assert hashlib.sha512(SECRET).digest() != made[-64:]
    assert opened(enclosed(signed(made))).signing_key == AGENCY.certificate.fingerprint


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("signature older than its key", "signature-before-key"),
        ("signature that has expired", "signature-expired"),
        ("signature by a key that only encrypts", "key-usage"),
        ("signature over other bytes", "bad-signature"),
    ],
)
def test_the_cause_is_there_for_the_audit_log(name: str, cause: str) -> None:
    with pytest.raises(MessageRefused) as refused:
        opened(CASES[name][0]())
    assert refused.value.cause_code == cause
    assert str(refused.value) == refused.value.message


def test_the_limit_on_content_is_exact() -> None:
    message = enclosed(signed(plaintext=bytes(2000)))
    assert opened(message, limits=Limits(plaintext_octets=2000)).size == 2000
    with pytest.raises(MessageRefused) as refused:
        opened(message, limits=Limits(plaintext_octets=1999))
    assert refused.value.code == "too-large"
