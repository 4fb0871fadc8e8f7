"""Cosignatures and policies (C2SP tlog-cosignature, tlog-policy): what binds, and who is enough."""

from base64 import b64decode
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.cosignature import Cosigner, WitnessKey, time_of
from audit.errors import AuditError, KeyRefused, NoteUntrusted, PolicyRefused, SignatureRefused
from audit.keys import Signer, Verifier
from audit.note import open_note
from audit.policy import Policy
from tests.audit.samples import ORIGIN, SIGNER, seed

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
CHECKPOINT = Checkpoint(ORIGIN, 3, bytes(range(32)))
NOTE = sign_checkpoint(CHECKPOINT, SIGNER)
WITNESSES = [Cosigner.generate(f"w{n}.example", seed(20 + n)) for n in range(4)]


def cosigned(*which: int, at: datetime = NOW) -> bytes:
    """The note with the cosignatures of some witnesses."""
    lines = [WITNESSES[n].cosign(CHECKPOINT.to_text(), at) for n in which]
    return NOTE + "".join(lines).encode()


def policy(*statements: str) -> Policy:
    """A policy over all four."""
    lines = [f"witness w{n} {each.key.vkey}" for n, each in enumerate(WITNESSES)]
    return Policy.from_text("\n".join([*lines, *statements]))


def test_what_is_signed_is_what_the_specification_says() -> None:
    line = WITNESSES[0].cosign(CHECKPOINT.to_text(), NOW)
    data = b64decode(line.split()[2])
    seconds = int(NOW.timestamp())
    assert data[:4] == WITNESSES[0].key.key_id
    assert data[4:12] == seconds.to_bytes(8, "big")
    message = f"cosignature/v1\ntime {seconds}\n{CHECKPOINT.to_text()}".encode()
    key = Ed25519PublicKey.from_public_bytes(WITNESSES[0].key.public_key)
    key.verify(data[12:], message)


def test_the_texts_of_a_key_lead_back_to_it() -> None:
    cosigner = WITNESSES[0]
    assert WitnessKey.from_vkey(cosigner.key.vkey) == cosigner.key
    assert Cosigner.from_skey(cosigner.skey()).key == cosigner.key
    assert cosigner.skey() not in repr(cosigner)


def test_a_witness_is_no_log_and_a_log_no_witness() -> None:
    """The same 32 octets make another key: a cosignature never signs a checkpoint."""
    with pytest.raises(KeyRefused):
        Verifier.from_vkey(WITNESSES[0].key.vkey)
    with pytest.raises(KeyRefused):
        WitnessKey.from_vkey(SIGNER.vkey)
    with pytest.raises(KeyRefused):
        Signer.from_skey(WITNESSES[0].skey())
    twin = Verifier(WITNESSES[0].key.name, WITNESSES[0].key.public_key)
    with pytest.raises(NoteUntrusted):
        open_note(cosigned(0), [twin])


@pytest.mark.parametrize("text", ["", "x", "a+00000000+AAAA", f"{WITNESSES[0].key.vkey}A"])
def test_what_is_no_key_is_refused(text: str) -> None:
    for read in (WitnessKey.from_vkey, Cosigner.from_skey):
        with pytest.raises(KeyRefused):
            read(text)


def test_another_time_or_another_checkpoint_does_not_verify() -> None:
    line = WITNESSES[0].cosign(CHECKPOINT.to_text(), NOW)
    data = b64decode(line.split()[2])[4:]
    later = (int(NOW.timestamp()) + 1).to_bytes(8, "big") + data[8:]
    other = Checkpoint(ORIGIN, 4, bytes(range(32))).to_text().encode()
    for text, signature in ((CHECKPOINT.to_text().encode(), later), (other, data), (other, b"")):
        with pytest.raises(SignatureRefused):
            WITNESSES[0].key.verify(text, signature)
    assert time_of(data) == NOW
    with pytest.raises(SignatureRefused):
        time_of(b"\xff" * 72)


def test_a_note_keeps_the_logs_signature_and_shows_who_has_seen_it() -> None:
    assert Checkpoint.verify(cosigned(0, 2), verifier=SIGNER.verifier) == CHECKPOINT
    seen = policy("quorum none").seen(cosigned(0, 2))
    assert [(each.name, each.at) for each in seen] == [("w0", NOW), ("w2", NOW)]


@pytest.mark.parametrize(
    ("statements", "enough", "too_few"),
    [
        (("quorum w1",), [(1,), (0, 1)], [(), (0,), (0, 2, 3)]),
        (("group g any w0 w1", "quorum g"), [(0,), (1,)], [(), (2, 3)]),
        (("group g all w0 w1", "quorum g"), [(0, 1)], [(0,), (1, 2, 3)]),
        (("group g 2 w0 w1 w2", "quorum g"), [(0, 1), (1, 2)], [(0,), (0, 3)]),
        (
            ("group a any w0 w1", "group b any w2 w3", "group g all a b", "quorum g"),
            [(0, 2), (1, 3)],
            [(0, 1), (2, 3)],
        ),
        (("quorum none",), [(), (0,)], []),
    ],
)
def test_who_is_enough(
    statements: tuple[str, ...], enough: list[tuple[int, ...]], too_few: list[tuple[int, ...]]
) -> None:
    rule = policy(*statements)
    for which in enough:
        assert len(rule.require(cosigned(*which))) == len(which)
    for which in too_few:
        with pytest.raises(NoteUntrusted):
            rule.require(cosigned(*which))


def test_nobody_counts_twice() -> None:
    with pytest.raises(SignatureRefused):
        policy("group g 2 w0 w1", "quorum g").require(cosigned(0, 0))
    double = f"witness x {WITNESSES[0].key.vkey}"
    with pytest.raises(PolicyRefused):
        policy(double, "group g 2 w0 x", "quorum g")


@pytest.mark.parametrize(
    "statements",
    [
        (),
        ("quorum",),
        ("quorum nobody",),
        ("quorum none", "quorum none"),
        ("group g 0 w0", "quorum g"),
        ("group g 3 w0 w1", "quorum g"),
        ("group g any", "quorum g"),
        ("group g any h", "group h any g", "quorum g"),
        ("group w0 any w1", "quorum w0"),
        ("group g any w0 w0", "quorum g"),
        ("log x+y", "quorum none"),
        ("witness w9 nonsense", "quorum none"),
        ("#" * 70_000, "quorum none"),
    ],
)
def test_a_policy_that_says_too_little_or_too_much_is_refused(statements: tuple[str, ...]) -> None:
    with pytest.raises((PolicyRefused, KeyRefused)):
        policy(*statements)


@given(st.text(max_size=200))
def test_rubbish_is_no_policy(text: str) -> None:
    try:
        Policy.from_text(text)
    except AuditError:
        return
    assert "quorum" in text
