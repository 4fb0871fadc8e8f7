"""Checkpoints: three lines, one spelling, one log."""

import pytest

from audit.checkpoint import Checkpoint, claimed_checkpoint, sign_checkpoint
from audit.errors import CheckpointRefused, NoteMalformed, NoteUntrusted
from audit.merkle import EMPTY_ROOT
from audit.note import Signer, Verifier
from audit.text64 import encode64
from tests.audit.samples import ORIGIN, OTHER_KEY, OTHER_LOG, SIGNER

ROOT = bytes(range(32))
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, ROOT)


def signed(text: str) -> bytes:
    return f"{text}\n{SIGNER.sign(text)}".encode()


def test_the_text_is_that_of_the_specification() -> None:
    text = f"{ORIGIN}\n20852163\n{encode64(ROOT)}\n"
    assert CHECKPOINT.to_text() == text
    assert Checkpoint.from_text(text) == CHECKPOINT


def test_a_signed_checkpoint_verifies() -> None:
    note = sign_checkpoint(CHECKPOINT, SIGNER)
    assert Checkpoint.verify(note, verifier=SIGNER.verifier) == CHECKPOINT
    assert claimed_checkpoint(note) == CHECKPOINT


def test_the_example_of_the_specification_has_its_form() -> None:
    note = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4U"
        "RYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    assert claimed_checkpoint(note.encode()).size == 20_852_163


@pytest.mark.parametrize("signer", [OTHER_KEY, OTHER_LOG])
def test_another_key_does_not_vouch(signer: Signer) -> None:
    with pytest.raises(NoteUntrusted):
        Checkpoint.verify(sign_checkpoint(CHECKPOINT, SIGNER), verifier=signer.verifier)


def test_a_key_vouches_for_its_own_log_only() -> None:
    elsewhere = Checkpoint("other.example", 1, ROOT)
    with pytest.raises(CheckpointRefused):
        sign_checkpoint(elsewhere, SIGNER)
    with pytest.raises(CheckpointRefused):
        Checkpoint.verify(signed(elsewhere.to_text()), verifier=SIGNER.verifier)


def test_nonsense_is_not_signed() -> None:
    for checkpoint in (
        Checkpoint(ORIGIN, -1, ROOT),
        Checkpoint(ORIGIN, 1, ROOT[:31]),
        Checkpoint(ORIGIN, 0, ROOT),
    ):
        with pytest.raises(CheckpointRefused):
            sign_checkpoint(checkpoint, SIGNER)


R = encode64(ROOT)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n5\n",
        f"{ORIGIN}\n5\n{R}\nan extension line\n",
        f"{ORIGIN}\n5\n{R}\n\n",
        f"\n5\n{R}\n",
        f"{ORIGIN}\n05\n{R}\n",
        f"{ORIGIN}\n00\n{R}\n",
        f"{ORIGIN}\n-5\n{R}\n",
        f"{ORIGIN}\n+5\n{R}\n",
        f"{ORIGIN}\n5 \n{R}\n",
        f"{ORIGIN}\n5e3\n{R}\n",
        f"{ORIGIN}\n1_000\n{R}\n",
        f"{ORIGIN}\n\u0665\n{R}\n",
        f"{ORIGIN}\n\n{R}\n",
        f"{ORIGIN}\n{'9' * 19}\n{R}\n",
        f"{ORIGIN}\n{'9' * 9000}\n{R}\n",
        f"{ORIGIN}\n5\n{encode64(ROOT[:31])}\n",
        f"{ORIGIN}\n5\n{encode64(ROOT + b'x')}\n",
        f"{ORIGIN}\n5\n{R.rstrip('=')}\n",
        f"{ORIGIN}\n5\n {R}\n",
        f"{ORIGIN}\n5\n{R[:-2]}9=\n",
        f"{ORIGIN}\n0\n{R}\n",
    ],
)
def test_a_signature_does_not_excuse_the_form(text: str) -> None:
    with pytest.raises((CheckpointRefused, NoteMalformed)):
        Checkpoint.verify(signed(text), verifier=SIGNER.verifier)


def test_an_empty_log_has_the_root_of_nothing() -> None:
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert Checkpoint.verify(sign_checkpoint(empty, SIGNER), verifier=SIGNER.verifier) == empty


def test_the_verifier_may_come_from_text() -> None:
    verifier = Verifier.from_vkey(SIGNER.vkey)
    assert Checkpoint.verify(sign_checkpoint(CHECKPOINT, SIGNER), verifier=verifier) == CHECKPOINT
