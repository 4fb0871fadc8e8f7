"""Tokens of an authority that is not ours: what is believed, and every way in which it is not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.certificateset import in_order
from audit.errors import KeyRefused, NoteUntrusted, TimestampRefused
from audit.keyring import LogKeys
from audit.timestamp import MOST_TOKEN_BYTES, Question, read_roots, stamped_at, verify_stamp
from tests.audit.peers.authority import Authority
from tests.audit.samples import OTHER_KEY, SIGNER, log_of

KEYS = LogKeys((SIGNER.verifier,))
OLD, NOTE = log_of(3, 5).checkpoints


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def token(authority: Authority) -> bytes:
    return authority.stamp(NOTE)


def test_a_token_says_which_log_was_there_and_when(authority: Authority, token: bytes) -> None:
    stamp = verify_stamp(NOTE, token, roots=read_roots(authority.root.read_bytes()), keys=KEYS)
    assert stamp.checkpoint == KEYS.checkpoint(NOTE)
    assert abs(datetime.now(UTC) - stamp.at) < timedelta(minutes=2)


def test_what_we_ask_openssl_answers_and_verifies(authority: Authority) -> None:
    question = Question(NOTE)
    answer = authority.answer(question.body)
    question.require_answered(answer)
    stamped_at(NOTE, answer, roots=read_roots(authority.root.read_bytes()))
    assert authority.verifies(NOTE, answer)
    assert not authority.verifies(OLD, answer)


def test_an_intermediate_certificate_comes_with_the_token(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path / "authority")
    authority.certify_in_between()
    token = authority.stamp(NOTE)
    assert stamped_at(NOTE, token, roots=read_roots(authority.root.read_bytes()))
    assert authority.verifies(NOTE, token)
    ordered = in_order(token)
    assert (ordered != token, sorted(ordered), in_order(ordered)) == (True, sorted(token), ordered)
    between = (tmp_path / "authority/between.pem").read_bytes()
    with pytest.raises(TimestampRefused, match="does not verify"):
        stamped_at(NOTE, token, roots=read_roots(between))


def refused(authority: Authority, token: bytes, note: bytes = NOTE) -> str:
    roots = read_roots(authority.root.read_bytes())
    with pytest.raises(TimestampRefused) as caught:
        verify_stamp(note, token, roots=roots, keys=KEYS)
    return str(caught.value)


def test_a_token_of_another_checkpoint_is_refused(authority: Authority, token: bytes) -> None:
    assert "over other octets" in refused(authority, token, OLD)
    assert "over other octets" in refused(authority, token, NOTE + NOTE[-80:])


def test_a_token_of_an_unpinned_authority_is_refused(
    authority: Authority, token: bytes, tmp_path: Path
) -> None:
    """It has the same names throughout, and keys of its own."""
    other = Authority.make(tmp_path / "other")
    assert "does not verify" in refused(other, token)
    assert "does not verify" in refused(authority, other.stamp(NOTE))


def test_an_altered_token_says_nothing_else(authority: Authority, token: bytes) -> None:
    """Whichever bit is turned: refused, or (where nothing is signed) the same as before."""
    roots = read_roots(authority.root.read_bytes())
    true = stamped_at(NOTE, token, roots=roots)
    for at in range(len(token)):
        bent = token[:at] + bytes([token[at] ^ 1 << at % 8]) + token[at + 1 :]
        try:
            assert stamped_at(NOTE, bent, roots=roots) == true
        except TimestampRefused:
            continue


@pytest.mark.parametrize("bend", [lambda t: t[:-1], lambda t: t + b"\0", lambda _: b"", bytes.hex])
def test_what_is_no_token_is_refused(
    authority: Authority, token: bytes, bend: Callable[[bytes], bytes | str]
) -> None:
    bent = bend(token)
    data = bent.encode() if isinstance(bent, str) else bent
    assert "no timestamp" in refused(authority, data)


@given(st.binary(max_size=200))
def test_what_is_no_answer_is_left_as_it_is(data: bytes) -> None:
    assert len(in_order(data)) == len(data)
    with pytest.raises(TimestampRefused):
        stamped_at(NOTE, data, roots=())


def test_a_token_without_end_is_not_read(authority: Authority, token: bytes) -> None:
    assert "larger" in refused(authority, token + bytes(MOST_TOKEN_BYTES))


@pytest.mark.parametrize("purpose", ["code", "not-critical"])
def test_a_certificate_that_is_not_for_timestamps_stamps_nothing(
    tmp_path: Path, purpose: str
) -> None:
    """A root that is pinned for timestamps has signed it, for something else."""
    authority = Authority.make(tmp_path / "authority")
    good = authority.stamp(NOTE)
    roots = read_roots(authority.root.read_bytes())
    assert stamped_at(NOTE, authority.signed_anew(good), roots=roots)
    authority.certify(purpose)
    forged = authority.signed_anew(good)
    assert "does not verify" in refused(authority, forged)
    assert not authority.verifies(NOTE, forged)


def test_another_hash_than_sha256_is_refused(authority: Authority) -> None:
    assert "over other octets" in refused(authority, authority.stamp(NOTE, "-sha512", "-cert"))


def test_a_token_without_its_certificate_is_refused(authority: Authority) -> None:
    assert "does not verify" in refused(authority, authority.stamp(NOTE, "-sha256"))


def test_a_refusal_is_no_token(authority: Authority) -> None:
    answer = authority.answer(b"rubbish")
    assert "the authority refuses: rejection" in refused(authority, answer)
    with pytest.raises(TimestampRefused, match="rejection"):
        Question(NOTE).require_answered(answer)


def test_an_answer_to_another_question_is_refused(authority: Authority) -> None:
    """The same octets, asked about before: an old answer would be an old time."""
    before = authority.answer(Question(NOTE).body)
    with pytest.raises(TimestampRefused, match="nonce"):
        Question(NOTE).require_answered(before)
    with pytest.raises(TimestampRefused, match="nonce"):
        Question(NOTE).require_answered(authority.stamp(NOTE, "-sha256", "-cert", "-no_nonce"))
    with pytest.raises(TimestampRefused, match="nonce"):
        Question(NOTE).require_answered(authority.stamp(OLD))


def test_a_stamped_note_must_be_by_the_logs_key(authority: Authority, token: bytes) -> None:
    roots = read_roots(authority.root.read_bytes())
    with pytest.raises(NoteUntrusted):
        verify_stamp(NOTE, token, roots=roots, keys=LogKeys((OTHER_KEY.verifier,)))


def test_what_is_no_certificate_pins_nothing() -> None:
    for text in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(KeyRefused):
            read_roots(text)
