"""Keys over the years: who may speak for the log, for which sizes, and who said so."""

from dataclasses import replace
from typing import Any

import pytest

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.errors import (
    AuditError,
    CheckpointRefused,
    HandoverRefused,
    NoteUntrusted,
    SignatureRefused,
)
from audit.keyring import HEADER, LogKeys, handover_at, open_checkpoint, sign_handover
from audit.keys import Signer, Verifier
from audit.receipt import make_receipt, verify_receipt
from audit.replay import replay
from audit.sequencer import prove_inclusion
from audit.tiles import StoreSource
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import ORIGIN, OTHER_LOG, SIGNER, fill, log_of, seed

OLD, NEW, NEWEST = SIGNER, Signer.generate(ORIGIN, seed(21)), Signer.generate(ORIGIN, seed(22))
STRANGER = Signer.generate(ORIGIN, seed(23))


def at(size: int, fill_: int = 1) -> Checkpoint:
    return Checkpoint(ORIGIN, size, bytes([fill_]) * 32)


def note(size: int, *signers: Signer, root: int = 1) -> bytes:
    text = at(size, root).to_text()
    return f"{text}\n{''.join(signer.sign(text) for signer in signers)}".encode()


def keys(*handovers: bytes) -> LogKeys:
    return LogKeys.from_text(OLD.vkey + "\n" + b"".join(handovers).decode())


FIRST = sign_handover(at(500), old=OLD, new=NEW)
SECOND = sign_handover(at(900), old=NEW, new=NEWEST)


def test_each_key_holds_for_its_own_sizes() -> None:
    known = keys(FIRST, SECOND)
    for size, signer in ((1, OLD), (500, OLD), (500, NEW), (501, NEW), (900, NEW), (901, NEWEST)):
        assert known.checkpoint(note(size, signer)) == at(size)


@pytest.mark.parametrize(
    ("size", "signer"), [(501, OLD), (10**9, OLD), (499, NEW), (901, NEW), (899, NEWEST)]
)
def test_a_retired_key_and_one_not_yet_in_force_are_refused(size: int, signer: Signer) -> None:
    with pytest.raises(CheckpointRefused, match="did not hold"):
        keys(FIRST, SECOND).checkpoint(note(size, signer))


def test_during_a_transition_both_sign_and_either_is_enough() -> None:
    assert keys().checkpoint(note(600, OLD, NEW)) == at(600)
    assert keys(FIRST).checkpoint(note(600, OLD, NEW)) == at(600)


def test_the_root_at_the_handover_is_fixed() -> None:
    for signer in (OLD, NEW):
        with pytest.raises(CheckpointRefused, match="handed over"):
            keys(FIRST).checkpoint(note(500, signer, root=2))


def test_an_unpinned_key_is_refused_however_it_is_shown() -> None:
    with pytest.raises(NoteUntrusted):
        keys(FIRST).checkpoint(note(600, STRANGER))
    for forged in (
        sign_handover(at(500), old=STRANGER, new=NEW),
        FIRST.replace(OLD.sign("x\n").encode()[:20], b""),
        b"".join(line for line in FIRST.splitlines(True) if line != _line(FIRST, OLD)),
        b"".join(line for line in FIRST.splitlines(True) if line != _line(FIRST, NEW)),
        FIRST.replace(b"\n500\n", b"\n400\n"),
        FIRST.replace(NEW.vkey.encode(), STRANGER.vkey.encode()),
        note(500, OLD, NEW),
    ):
        with pytest.raises(AuditError):
            keys(forged)


def _line(raw: bytes, signer: Signer) -> bytes:
    text = raw.decode().partition("\n\n")[0] + "\n"
    return signer.sign(text).encode()


def test_the_order_of_handovers_is_that_of_trust() -> None:
    with pytest.raises(HandoverRefused):
        keys(SECOND, FIRST)


def test_a_key_of_another_log_is_not_handed_over_to() -> None:
    with pytest.raises(HandoverRefused):
        sign_handover(at(5), old=OLD, new=OTHER_LOG)
    with pytest.raises(HandoverRefused):
        sign_handover(at(5), old=OLD, new=OLD)
    with pytest.raises(HandoverRefused, match="one log"):
        LogKeys.from_text(f"{OLD.vkey}\n{OTHER_LOG.vkey}\n")


def test_a_handover_is_no_checkpoint_and_a_checkpoint_no_handover() -> None:
    with pytest.raises(CheckpointRefused):
        Checkpoint.verify(FIRST, verifier=OLD.verifier)
    assert FIRST.decode().startswith(f"{HEADER}\n{ORIGIN}\n500\n")


class Colliding(Verifier):
    """A key whose id an attacker made the same as another's: four bytes are soon hit."""

    @property
    def key_id(self) -> bytes:
        return OLD.verifier.key_id


def test_of_two_keys_with_one_id_the_whole_key_decides() -> None:
    twin = Colliding(ORIGIN, STRANGER.verifier.public_key)
    for pinned in ((OLD.verifier, twin), (twin, OLD.verifier)):
        known = LogKeys(pinned)
        assert known.checkpoint(note(7, OLD)) == at(7)
        forged = note(7, STRANGER).replace(
            STRANGER.sign(at(7).to_text()).split()[2].encode(), _under(OLD, STRANGER, 7)
        )
        assert known.checkpoint(forged) == at(7)
    with pytest.raises(SignatureRefused):
        LogKeys((OLD.verifier,)).checkpoint(forged)


def _under(shown: Signer, signs: Signer, size: int) -> bytes:
    """A signature by one key under the id of another."""
    from base64 import b64decode, b64encode  # noqa: PLC0415

    raw = b64decode(signs.sign(at(size).to_text()).split()[2])
    return b64encode(shown.verifier.key_id + raw[4:])


def test_a_wrong_signature_condemns_beside_a_right_one() -> None:
    good = note(600, OLD, NEW)
    broken = good.replace(_line(good, OLD).split()[2], _line(note(601, OLD), OLD).split()[2])
    with pytest.raises(SignatureRefused):
        keys(FIRST).checkpoint(broken)


def rotated() -> tuple[MemoryStore, LogKeys]:
    store = log_of(300)
    head = store.checkpoints[-1]
    handover = handover_at(head, old=OLD, new=NEW)
    # The new key signs the head again, so that the sequencer finds its own signature on it.
    checkpoint = Checkpoint.verify(head, verifier=OLD.verifier)
    store.checkpoints.append(sign_checkpoint(checkpoint, NEW))
    fill(store, 300, 700, signer=NEW)
    return store, keys(handover)


def test_a_log_is_replayed_across_a_rotation_and_old_receipts_stay_good() -> None:
    store, known = rotated()
    old = open_checkpoint(store.checkpoints[0], known)
    assert replay(StoreSource(store), verifier=known, since=[old]).entries == 700
    with pytest.raises(NoteUntrusted):
        replay(StoreSource(store), verifier=OLD.verifier)
    note_ = store.checkpoints[0]
    receipt = make_receipt(store.leaves[7][0], 7, prove_inclusion(store, 7, note_), note_)
    assert verify_receipt(receipt.to_text(), verifier=known).index == 7


def test_the_old_key_stolen_after_the_rotation_signs_nothing_new() -> None:
    store, known = rotated()
    head = Checkpoint.verify(store.checkpoints[-1], verifier=NEW.verifier)
    store.checkpoints.append(sign_checkpoint(replace(head), OLD))
    with pytest.raises(CheckpointRefused):
        replay(StoreSource(store), verifier=known)


def test_a_handover_needs_a_checkpoint_of_the_old_key() -> None:
    with pytest.raises(NoteUntrusted):
        handover_at(note(5, STRANGER), old=OLD, new=NEW)


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "not a key\n"])
def test_a_file_without_keys_is_refused(text: Any) -> None:
    with pytest.raises(AuditError):
        LogKeys.from_text(text)
