"""The signer: no fork, whatever the store holds and whoever asks, and not after a crash either."""

import copy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint
from audit.edge import RightEdge
from audit.errors import EntryRefused, LogDoesNotFit
from audit.keys import Signer
from audit.merkle import EMPTY_ROOT, leaf_hash, subtree_root
from audit.sequencer import sequence_once
from audit.signing import MOST_LEAVES, Batch, Owed, SignedEdge
from audit.tiles import StoreSource
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import ORIGIN, OTHER_KEY, OTHER_LOG, SIGNER, event, log_of


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "signed"


def leaves(start: int, stop: int) -> tuple[bytes, ...]:
    return tuple(leaf_hash(event(number).to_bytes()) for number in range(start, stop))


def happen(store: MemoryStore, memory: Path, start: int, stop: int) -> Checkpoint:
    """Events, sequenced with a signer that was started anew."""
    for number in range(start, stop):
        store.enqueue(event(number).to_bytes())
    checkpoint = sequence_once(store, signer=SignedEdge([SIGNER], memory))
    assert checkpoint is not None
    return checkpoint


class Killed(Exception):
    """The process ends here."""


class LostStore(MemoryStore):
    """Is killed before it stores anything."""

    def append(self, **_: object) -> None:
        raise Killed


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 600), min_size=1, max_size=5))
def test_what_is_signed_is_the_tree_of_all_leaves(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    memory, size = tmp_path_factory.mktemp("signer") / "signed", 0
    for more in sizes:
        edge = SignedEdge([SIGNER], memory)
        assert edge.last.size == size
        note = edge.sign(Batch(size, leaves(size, size + more)))
        size += more
        root = subtree_root(list(leaves(0, size)))
        assert Checkpoint.verify(note, verifier=SIGNER.verifier) == Checkpoint(ORIGIN, size, root)
        assert SignedEdge([SIGNER], memory).last == Checkpoint(ORIGIN, size, root)


def test_before_the_first_there_is_the_empty_tree(memory: Path) -> None:
    assert SignedEdge([SIGNER], memory).last == Checkpoint(ORIGIN, 0, EMPTY_ROOT)


def test_what_is_signed_is_on_the_disk_before_it_is_seen(memory: Path) -> None:
    """A disk that does not take it means that nothing was signed."""
    edge = SignedEdge([SIGNER], memory / "missing" / "signed")
    with pytest.raises(FileNotFoundError):
        edge.sign(Batch(0, leaves(0, 3)))
    assert edge.last.size == 0


def test_no_second_tree_is_signed_of_any_size(memory: Path) -> None:
    edge = SignedEdge([SIGNER], memory)
    edge.sign(Batch(0, leaves(0, 3)))
    edge.sign(Batch(3, leaves(3, 9)))
    for other in (Batch(0, leaves(20, 30)), Batch(2, leaves(2, 12)), Batch(0, leaves(0, 3))):
        with pytest.raises(LogDoesNotFit, match="backup"):
            edge.sign(other)
    for other in (Batch(3, leaves(20, 26)), Batch(3, leaves(3, 8)), Batch(3, leaves(3, 10))):
        with pytest.raises(Owed) as owed:
            edge.sign(other)
        assert owed.value.batch == Batch(3, leaves(3, 9))
    with pytest.raises(LogDoesNotFit, match="another signer"):
        edge.sign(Batch(10, leaves(10, 11)))
    assert edge.last.size == SignedEdge([SIGNER], memory).last.size == 9


def test_the_last_signature_is_given_again(memory: Path) -> None:
    batch = Batch(0, leaves(0, 3))
    note = SignedEdge([SIGNER], memory).sign(batch)
    assert SignedEdge([SIGNER], memory).sign(batch) == note


@pytest.mark.parametrize(
    "odd", [(), (b"",), (bytes(31),), (bytes(33),), (bytes(32),) * (MOST_LEAVES + 1)]
)
def test_what_is_no_batch_is_not_signed(memory: Path, odd: tuple[bytes, ...]) -> None:
    with pytest.raises(LogDoesNotFit):
        SignedEdge([SIGNER], memory).sign(Batch(0, odd))
    assert not memory.exists()


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b'{"origin": 1}', b"\xff"])
def test_a_damaged_memory_is_not_taken_for_an_empty_one(memory: Path, damage: bytes) -> None:
    memory.write_bytes(damage)
    with pytest.raises(LogDoesNotFit, match="damaged"):
        SignedEdge([SIGNER], memory)


def test_a_hash_that_was_cut_is_damage(memory: Path) -> None:
    SignedEdge([SIGNER], memory).sign(Batch(0, leaves(0, 3)))
    memory.write_text(memory.read_text().replace('", "', '"], ["', 1))
    with pytest.raises(LogDoesNotFit, match="damaged"):
        SignedEdge([SIGNER], memory)


def test_a_memory_of_another_log_is_refused(memory: Path) -> None:
    SignedEdge([OTHER_LOG], memory).sign(Batch(0, leaves(0, 3)))
    with pytest.raises(LogDoesNotFit, match="another log"):
        SignedEdge([SIGNER], memory)


def test_two_keys_sign_while_one_hands_over_to_the_other(memory: Path) -> None:
    note = SignedEdge([SIGNER, OTHER_KEY], memory).sign(Batch(0, leaves(0, 3)))
    for key in (SIGNER, OTHER_KEY):
        assert Checkpoint.verify(note, verifier=key.verifier).size == 3
    alone = SignedEdge([OTHER_KEY], memory).sign(Batch(3, leaves(3, 4)))
    assert Checkpoint.verify(alone, verifier=OTHER_KEY.verifier).size == 4


def test_a_restored_backup_is_not_signed_on(memory: Path) -> None:
    store = MemoryStore()
    happen(store, memory, 0, 5)
    backup = copy.deepcopy(store)
    happen(store, memory, 5, 9)
    happen(store, memory, 9, 12)
    with pytest.raises(LogDoesNotFit, match="backup"):
        happen(backup, memory, 20, 21)


def test_a_backup_of_just_before_the_last_signature_is_not_signed_on(memory: Path) -> None:
    store = MemoryStore()
    happen(store, memory, 0, 5)
    backup = copy.deepcopy(store)
    happen(store, memory, 5, 9)
    with pytest.raises(LogDoesNotFit, match="backup"):
        happen(backup, memory, 20, 21)


def test_an_emptied_store_is_not_signed_on(memory: Path) -> None:
    happen(MemoryStore(), memory, 0, 5)
    with pytest.raises(LogDoesNotFit, match="backup"):
        happen(MemoryStore(), memory, 10, 19)


def test_a_backup_that_outgrew_what_was_signed_is_not_signed_on(memory: Path) -> None:
    store = MemoryStore()
    happen(store, memory, 0, 5)
    happen(store, memory, 5, 9)
    with pytest.raises(LogDoesNotFit, match="another signer"):
        happen(log_of(5, 15), memory, 30, 31)


def test_a_store_that_was_rewritten_at_the_same_size_gets_no_signature_that_fits(
    memory: Path,
) -> None:
    """Whoever has the key beside the signer: the tree that it signs is not the one that stands."""
    store = MemoryStore()
    happen(store, memory, 0, 5)
    forged = MemoryStore()
    for number in range(40, 45):
        forged.enqueue(event(number).to_bytes())
    sequence_once(forged, signer=SignedEdge([SIGNER], memory.with_name("stolen")))
    with pytest.raises(LogDoesNotFit, match="another tree"):
        happen(forged, memory, 50, 51)


def test_what_was_signed_before_a_crash_comes_first(memory: Path) -> None:
    """A row that committed late, with a lower number, would otherwise be put before it."""
    store = MemoryStore()
    happen(store, memory, 0, 5)
    lost = LostStore()
    lost.__dict__ |= copy.deepcopy(store.__dict__)
    for number in (5, 6, 7):
        lost.enqueue(event(number).to_bytes())
    with pytest.raises(Killed):
        sequence_once(lost, signer=SignedEdge([SIGNER], memory))
    store.outbox = {90: event(9).to_bytes(), **lost.outbox, 91: event(8).to_bytes()}
    first = sequence_once(store, signer=SignedEdge([SIGNER], memory))
    assert first is not None
    assert first.size == 8
    assert [entry for entry, _ in store.leaves[5:]] == [event(n).to_bytes() for n in (5, 6, 7)]
    second = sequence_once(store, signer=SignedEdge([SIGNER], memory))
    assert second is not None
    assert second.size == 10


def test_what_was_signed_and_is_gone_stops_the_log(memory: Path) -> None:
    lost = LostStore()
    lost.enqueue(event(1).to_bytes())
    with pytest.raises(Killed):
        sequence_once(lost, signer=SignedEdge([SIGNER], memory))
    with pytest.raises(LogDoesNotFit, match="not in the outbox"):
        happen(MemoryStore(), memory, 2, 3)


def test_nothing_is_signed_that_the_store_would_refuse(memory: Path) -> None:
    store = MemoryStore()
    happen(store, memory, 0, 5)
    with pytest.raises(EntryRefused, match="in the log already"):
        happen(store, memory, 4, 6)
    assert SignedEdge([SIGNER], memory).last.size == 5


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_a_log_is_adopted_at_its_right_edge(memory: Path, size: int) -> None:
    store = log_of(size)
    edge = RightEdge.published(StoreSource(store), size)
    assert edge.root() == RightEdge.load(store, size).root()
    SignedEdge([SIGNER], memory).adopt(edge)
    assert happen(store, memory, size, size + 3).size == size + 3


def test_a_memory_is_never_replaced_by_another(memory: Path) -> None:
    happen(MemoryStore(), memory, 0, 5)
    with pytest.raises(LogDoesNotFit, match="remembers"):
        SignedEdge([SIGNER], memory).adopt(RightEdge())


def test_a_key_never_shows(memory: Path) -> None:
    secret = Signer.generate(ORIGIN)
    happen(MemoryStore(), memory, 0, 5)
    assert secret.skey() not in repr(SignedEdge([secret], memory))
    assert SIGNER.skey().split("+")[-1] not in memory.read_text()
