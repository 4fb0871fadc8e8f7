"""Messages larger than memory: the same verdicts in bounded room, and nothing left behind."""

import hashlib
import os
from collections.abc import Callable
from functools import partial
from io import BytesIO
from threading import active_count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import MessageRefused, Opened, open_message, sign_and_encrypt
from crypto.decrypting import decrypt
from crypto.digesting import Digests, Method
from crypto.fanout import LONG, FanOut
from crypto.framing import SIGNATURE
from crypto.policy import Limits
from crypto.scratch import Scratch
from crypto.writing import packet
from tests.crypto.handmade import enclosed, literal, one_pass, signature, signed
from tests.crypto.parties import AGENCY, GATEWAY, NOW, SECRET, STRANGER

LONG_TEXT = os.urandom(LONG // 2) * 3
small_scratch = partial(Scratch, memory=1 << 16)


def long_message(plaintext: bytes = LONG_TEXT) -> bytes:
    sink = BytesIO()
    sign_and_encrypt(
        BytesIO(plaintext),
        sink,
        signer=AGENCY.keyring,
        recipients=[GATEWAY.certificate],
        now=NOW,
    )
    return sink.getvalue()


def opened(message: bytes, make_scratch: Callable[[], Scratch] = small_scratch) -> Opened:
    return open_message(
        BytesIO(message),
        keyring=GATEWAY.keyring,
        senders=[AGENCY.certificate],
        now=NOW,
        make_scratch=make_scratch,
    )


def test_a_long_message_opens_out_of_memory() -> None:
    threads = active_count()
    result = opened(long_message())
    assert result.size == len(LONG_TEXT)
    assert result.plaintext.seek(LONG) == LONG
    assert result.plaintext.read(1000) == LONG_TEXT[LONG : LONG + 1000]
    result.plaintext.seek(0)
    assert hashlib.sha256(result.plaintext.read()).digest() == hashlib.sha256(LONG_TEXT).digest()
    result.plaintext.close()
    assert active_count() == threads


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda message: message[: len(message) // 2], "truncated"),
        (lambda message: message[:-30] + bytes([message[-30] ^ 1]) + message[-29:], "mdc-failed"),
        (lambda message: message + b"\xca\x03PGP", "trailing-data"),
    ],
)
def test_a_refusal_leaves_no_file_and_no_thread_behind(
    damage: Callable[[bytes], bytes], code: str
) -> None:
    made: list[Scratch] = []

    def make() -> Scratch:
        made.append(small_scratch())
        return made[-1]

    threads, message = active_count(), damage(long_message())
    with pytest.raises(MessageRefused) as refused:
        opened(message, make)
    assert refused.value.code == code
    assert [scratch.closed for scratch in made] == [True]
    assert active_count() == threads


def test_a_bad_signature_over_a_long_document_is_refused_without_a_second_opinion() -> None:
    body = signature(LONG_TEXT, spoil=lambda digest: hashlib.sha512(digest).digest())
    with pytest.raises(MessageRefused) as refused:
        opened(enclosed(signed(body, LONG_TEXT)))
    assert refused.value.code == "bad-signature"


def test_the_verdict_is_the_same_with_and_without_sequoia() -> None:
    message = enclosed(signed())
    assert opened(message).plaintext.read() == SECRET
    assert opened(message, partial(Scratch, memory=0)).plaintext.read() == SECRET


def test_a_signature_before_the_document_counts() -> None:
    message = enclosed(packet(SIGNATURE, signature()) + literal())
    assert opened(message).plaintext.read() == SECRET
    forged = enclosed(packet(SIGNATURE, signature(b"another document")) + literal())
    with pytest.raises(MessageRefused) as refused:
        opened(forged)
    assert refused.value.code == "bad-signature"


TEXT = b"one\ntwo\r\nthree\r\n\nfour"
AS_HASHED = b"one\r\ntwo\r\nthree\r\n\r\nfour"


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_a_signature_over_text_counts_whatever_the_line_ends(memory: int) -> None:
    body = signature(AS_HASHED, kind=1)
    message = enclosed(one_pass(kind=1) + literal(TEXT) + packet(SIGNATURE, body))
    assert opened(message, partial(Scratch, memory=memory)).plaintext.read() == TEXT
    other = enclosed(one_pass(kind=1) + literal(TEXT + b"\n") + packet(SIGNATURE, body))
    with pytest.raises(MessageRefused) as refused:
        opened(other, partial(Scratch, memory=memory))
    assert refused.value.code == "bad-signature"


@given(st.lists(st.binary(max_size=6).map(lambda raw: raw.replace(b"x", b"\r\n"))))
def test_text_is_hashed_the_same_wherever_it_is_cut(pieces: list[bytes]) -> None:
    method, whole = Method(hash_id=10, kind=1), b"".join(pieces)
    digests = Digests([method])
    for piece in pieces:
        digests.update(piece)
    digests.finish()
    taken = digests.over(method)
    assert taken is not None
    canonical = whole.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert taken.digest() == hashlib.sha512(canonical).digest()


def test_no_digest_is_taken_with_a_weak_hash() -> None:
    digests = Digests([Method(hash_id=2, kind=0), Method(hash_id=1, kind=0)])
    digests.update(SECRET)
    assert digests.over(Method(hash_id=2, kind=0)) is None


def signed_for(*recipients: bytes) -> bytes:
    meant = b"".join(bytes([22, 35, 4]) + one for one in recipients)
    return enclosed(signed(signature(subpackets=meant)))


GATEWAYS, STRANGERS = (bytes.fromhex(one.certificate.fingerprint) for one in (GATEWAY, STRANGER))


def test_a_message_meant_for_another_gateway_is_refused() -> None:
    with pytest.raises(MessageRefused) as refused:
        opened(signed_for(STRANGERS))
    assert refused.value.code == "meant-for-another"
    assert opened(signed_for(GATEWAYS)).plaintext.read() == SECRET
    assert opened(signed_for(STRANGERS, GATEWAYS)).plaintext.read() == SECRET


def test_what_we_sign_names_whom_it_is_for() -> None:
    """A recipient decrypts it, keeps the signature, and encrypts it anew to us."""
    sink = BytesIO()
    sign_and_encrypt(
        BytesIO(SECRET),
        sink,
        signer=AGENCY.keyring,
        recipients=[STRANGER.certificate],
        now=NOW,
    )
    contents, _ = decrypt(
        BytesIO(sink.getvalue()), STRANGER.keyring, limits=Limits(), make_scratch=Scratch
    )
    (body,) = contents.signatures
    passed_on = enclosed(one_pass() + literal(contents.plaintext.read()) + packet(SIGNATURE, body))
    with pytest.raises(MessageRefused) as refused:
        opened(passed_on)
    assert refused.value.code == "meant-for-another"


def full(_: bytes) -> None:
    raise OSError("no room")


def give(*pieces: bytes) -> None:
    with FanOut(len, full) as fan_out:
        for piece in pieces:
            fan_out.give(piece)


@pytest.mark.parametrize("pieces", [[b"short"], [bytes(LONG), b"at the end"], [bytes(LONG)] * 20])
def test_a_fault_of_a_taker_reaches_the_caller(pieces: list[bytes]) -> None:
    threads = active_count()
    with pytest.raises(OSError, match="no room"):
        give(*pieces)
    assert active_count() == threads
