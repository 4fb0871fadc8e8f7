"""A witness (C2SP tlog-witness) never cosigns two histories, whatever it is asked."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.cosignature import Cosigner
from audit.errors import EvidenceRefused
from audit.keyring import LogKeys
from audit.note import open_note
from audit.sequencer import prove_consistency
from audit.witness import AddCheckpoint, NotCosigned, Witness
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import ORIGIN, OTHER_KEY, OTHER_LOG, SIGNER, log_of, seed

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
COSIGNER = Cosigner.generate("witness.example", seed(30))
LOGS = {ORIGIN: LogKeys((SIGNER.verifier,))}


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """A witness that has seen nothing."""
    return Witness(COSIGNER, LOGS, tmp_path)


def head(store: MemoryStore) -> bytes:
    note = store.head()
    assert note is not None
    return note


def asked(store: MemoryStore, old: int, new: int) -> AddCheckpoint:
    """What an honest log asks."""
    proof = tuple(prove_consistency(store, old, new)) if 0 < old < new else ()
    return AddCheckpoint(old, proof, head(store))


def refusal(witness: Witness, request: AddCheckpoint) -> tuple[int, int | None]:
    with pytest.raises(NotCosigned) as caught:
        witness.add_checkpoint(request, now=NOW)
    return caught.value.status, caught.value.size


def test_it_cosigns_what_grows(witness: Witness) -> None:
    old = 0
    for size in (1, 1, 3, 256, 257, 600):
        store = log_of(size)
        line = witness.add_checkpoint(asked(store, old, size), now=NOW)
        note = open_note(head(store) + line.encode(), [COSIGNER.key])
        assert Checkpoint.from_text(note.text).size == size
        old = size
    assert witness.last(ORIGIN).size == 600


def test_what_it_cosigned_outlives_it(witness: Witness, tmp_path: Path) -> None:
    witness.add_checkpoint(asked(log_of(5), 0, 5), now=NOW)
    again = Witness(COSIGNER, LOGS, tmp_path)
    assert refusal(again, asked(log_of(3), 0, 3)) == (409, 5)
    assert again.last(ORIGIN).size == 5


def test_it_never_cosigns_a_fork(witness: Witness) -> None:
    honest, root = log_of(5), bytes(32)
    witness.add_checkpoint(asked(honest, 0, 5), now=NOW)
    forked = sign_checkpoint(Checkpoint(ORIGIN, 5, root), SIGNER)
    assert refusal(witness, AddCheckpoint(5, (), forked)) == (409, 5)
    longer = sign_checkpoint(Checkpoint(ORIGIN, 8, root), SIGNER)
    proof = tuple(prove_consistency(log_of(8), 5, 8))
    assert refusal(witness, AddCheckpoint(5, proof, longer)) == (422, None)
    assert refusal(witness, AddCheckpoint(5, (), longer)) == (422, None)
    assert refusal(witness, AddCheckpoint(0, (), longer)) == (409, 5)
    shorter = sign_checkpoint(Checkpoint(ORIGIN, 3, root), SIGNER)
    assert refusal(witness, AddCheckpoint(5, (), shorter)) == (400, None)
    assert (
        witness.last(ORIGIN).root == Checkpoint.verify(head(honest), verifier=SIGNER.verifier).root
    )


def test_it_cosigns_only_what_the_log_has_signed(witness: Witness) -> None:
    root = bytes(32)
    by_another = sign_checkpoint(Checkpoint(ORIGIN, 1, root), OTHER_KEY)
    assert refusal(witness, AddCheckpoint(0, (), by_another)) == (403, None)
    unknown = sign_checkpoint(Checkpoint(OTHER_LOG.name, 1, root), OTHER_LOG)
    assert refusal(witness, AddCheckpoint(0, (), unknown)) == (404, None)
    assert refusal(witness, AddCheckpoint(0, (), b"rubbish")) == (400, None)
    assert refusal(witness, AddCheckpoint(0, (bytes(32),), head(log_of(2)))) == (422, None)
    assert witness.last(ORIGIN).size == 0


def test_a_request_is_read_as_it_is_written() -> None:
    request = asked(log_of(300), 5, 300)
    assert AddCheckpoint.from_bytes(request.to_bytes()) == request
    assert request.to_bytes().startswith(b"old 5\n")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"old 1", b"old 01\n\nx", b"old -1\n\nx", b"new 1\n\nx", b"old 1\nAAAA\n\nx"),
        b"\xff\n\n",
        b"old 1\n" + (b"A" * 43 + b"=\n") * 64 + b"\nx",
    ],
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(EvidenceRefused):
        AddCheckpoint.from_bytes(body)


@given(st.binary(max_size=400))
def test_rubbish_is_refused(body: bytes) -> None:
    try:
        AddCheckpoint.from_bytes(b"old 1\n" + body)
    except EvidenceRefused:
        return
    assert b"\n\n" in b"old 1\n" + body
