"""Sequencing: what it appends, and what it refuses to sign."""

import pytest

from audit.checkpoint import Checkpoint
from audit.errors import (
    CheckpointRefused,
    EntryRefused,
    LogDoesNotFit,
    NoteUntrusted,
    OutOfRange,
    SignatureRefused,
)
from audit.merkle import leaf_hash, subtree_root, verify_consistency, verify_inclusion
from audit.note import Signer
from audit.sequencer import prove_consistency, prove_inclusion
from audit.store import FullTile
from tests.audit.careless import sequence
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import OTHER_KEY, OTHER_LOG, SIGNER, event, log_of


def head_of(store: MemoryStore) -> Checkpoint:
    note = store.head()
    assert note is not None
    return Checkpoint.verify(note, verifier=SIGNER.verifier)


def waiting(store: MemoryStore, number: int = 9_999) -> MemoryStore:
    store.enqueue(event(number).to_bytes())
    return store


def refuses_to_sign(store: MemoryStore, error: type[Exception]) -> None:
    before = (list(store.leaves), list(store.checkpoints), dict(store.outbox))
    with pytest.raises(error):
        sequence(store, signer=SIGNER)
    assert (store.leaves, store.checkpoints, store.outbox) == before


def test_nothing_pending_signs_nothing() -> None:
    assert sequence(MemoryStore(), signer=SIGNER) is None
    store = log_of(3)
    assert sequence(store, signer=SIGNER) is None
    assert len(store.checkpoints) == 1


def test_each_event_becomes_one_leaf_in_order() -> None:
    store = log_of(3, 300)
    assert [entry for entry, _ in store.leaves] == [event(n).to_bytes() for n in range(300)]
    assert not store.outbox
    head = head_of(store)
    assert head.size == 300
    assert head.root == subtree_root([leaf_hash(event(n).to_bytes()) for n in range(300)])


def test_a_limit_leaves_the_rest_for_the_next_round() -> None:
    store = MemoryStore()
    for number in range(5):
        waiting(store, number)
    first = sequence(store, signer=SIGNER, limit=2)
    assert first is not None
    assert (first.size, len(store.outbox)) == (2, 3)


@pytest.mark.parametrize("sizes", [(1, 2), (255, 256, 257), (3, 700, 1500), (256, 512)])
def test_the_root_does_not_depend_on_how_the_log_grew(sizes: tuple[int, ...]) -> None:
    grown, at_once = log_of(*sizes), log_of(sizes[-1])
    assert head_of(grown) == head_of(at_once)
    assert grown.tiles == at_once.tiles


def test_a_full_tile_is_written_once_with_its_root() -> None:
    store = log_of(256)
    leaves = [digest for _, digest in store.leaves]
    assert store.tiles == {(0, 0): FullTile(0, 0, b"".join(leaves), subtree_root(leaves))}


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600])
def test_every_leaf_can_be_proven(size: int) -> None:
    store = log_of(size)
    note, head = store.checkpoints[-1], head_of(store)
    for index in range(0, size, max(1, size // 40)):
        proof = prove_inclusion(store, index, note)
        leaf = store.leaves[index][1]
        verify_inclusion(proof, index=index, size=size, leaf=leaf, root=head.root)


def test_a_leaf_can_be_proven_under_an_older_checkpoint() -> None:
    store = log_of(200, 700)
    old = Checkpoint.verify(store.checkpoints[0], verifier=SIGNER.verifier)
    proof = prove_inclusion(store, 7, store.checkpoints[0])
    verify_inclusion(proof, index=7, size=200, leaf=store.leaves[7][1], root=old.root)


def test_a_later_checkpoint_provably_extends_an_earlier_one() -> None:
    sizes = (1, 5, 256, 300, 512, 777)
    store = log_of(*sizes)
    points = [Checkpoint.verify(note, verifier=SIGNER.verifier) for note in store.checkpoints]
    for old in points:
        for new in points[points.index(old) :]:
            proof = prove_consistency(store, old.size, new.size)
            verify_consistency(
                proof,
                old_size=old.size,
                new_size=new.size,
                old_root=old.root,
                new_root=new.root,
            )


def test_proofs_of_what_is_not_there_are_out_of_range() -> None:
    store = log_of(5)
    for index in (-1, 5):
        with pytest.raises(OutOfRange):
            prove_inclusion(store, index, store.checkpoints[-1])
    for old, new in ((0, 5), (5, 6), (4, 3), (-1, 5), (1, -1)):
        with pytest.raises(OutOfRange):
            prove_consistency(store, old, new)
    with pytest.raises(OutOfRange):
        prove_inclusion(store, 5, log_of(6).checkpoints[-1])


def test_an_edited_leaf_on_the_right_edge_stops_the_log() -> None:
    store = waiting(log_of(300))
    store.leaves[290] = (store.leaves[290][0], leaf_hash(b"another"))
    refuses_to_sign(store, LogDoesNotFit)


def test_an_edited_tile_stops_the_log() -> None:
    store = waiting(log_of(300))
    store.tiles[0, 0] = FullTile(0, 0, store.tiles[0, 0].hashes, leaf_hash(b"another"))
    refuses_to_sign(store, LogDoesNotFit)


def test_a_lost_tile_stops_the_log() -> None:
    store = waiting(log_of(300))
    del store.tiles[0, 0]
    refuses_to_sign(store, LogDoesNotFit)


def test_a_deleted_leaf_stops_the_log() -> None:
    store = waiting(log_of(10))
    del store.leaves[4]
    refuses_to_sign(store, LogDoesNotFit)


def test_swapped_leaves_stop_the_log() -> None:
    store = waiting(log_of(10))
    store.leaves[4], store.leaves[5] = store.leaves[5], store.leaves[4]
    refuses_to_sign(store, LogDoesNotFit)


def test_a_row_of_fewer_hashes_with_the_same_root_stops_the_log() -> None:
    store = waiting(log_of(4))
    hashes = [digest for _, digest in store.leaves]
    store.leaves = [(b"", subtree_root(hashes[:2])), (b"", subtree_root(hashes[2:]))]
    refuses_to_sign(store, LogDoesNotFit)


def test_a_checkpoint_taken_away_stops_the_log() -> None:
    store = waiting(log_of(5, 10))
    store.checkpoints.pop()
    refuses_to_sign(store, LogDoesNotFit)
    store.checkpoints.clear()
    refuses_to_sign(store, LogDoesNotFit)


def test_a_head_signed_by_another_key_stops_the_log() -> None:
    refuses_to_sign(waiting(log_of(5, signer=OTHER_KEY)), NoteUntrusted)
    refuses_to_sign(waiting(log_of(5, signer=OTHER_LOG)), NoteUntrusted)


def test_a_head_of_another_log_under_our_key_stops_the_log() -> None:
    store = waiting(log_of(5))
    text = store.checkpoints[-1].decode().split("\n\n")[0].replace("log.", "old.") + "\n"
    store.checkpoints[-1] = f"{text}\n{SIGNER.sign(text)}".encode()
    refuses_to_sign(store, CheckpointRefused)


def test_what_is_no_entry_is_never_signed() -> None:
    store = log_of(2)
    store.enqueue(b'{"name":"A Child"}')
    refuses_to_sign(store, EntryRefused)


def test_one_event_twice_in_the_outbox_is_never_signed() -> None:
    refuses_to_sign(waiting(waiting(log_of(2))), EntryRefused)
    store = waiting(log_of(2))
    store.enqueue(event(9_999, outcome="failed").to_bytes())
    refuses_to_sign(store, EntryRefused)


def test_hashes_whose_border_was_moved_stop_the_log() -> None:
    # The node above two siblings is the same wherever their 64 bytes are divided.
    store = waiting(log_of(2))
    joined = store.leaves[0][1] + store.leaves[1][1]
    store.leaves = [(store.leaves[0][0], joined[:31]), (store.leaves[1][0], joined[31:])]
    refuses_to_sign(store, LogDoesNotFit)


def test_a_signer_that_signs_something_else_is_caught() -> None:
    class Faulty(Signer):
        def sign(self, text: bytes | str) -> str:
            return super().sign("another text\n" if text else text)

    store = waiting(MemoryStore())
    with pytest.raises(SignatureRefused):
        sequence(store, signer=Faulty(SIGNER.name, bytes(32)))
    assert not store.leaves
