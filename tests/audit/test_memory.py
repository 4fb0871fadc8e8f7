"""The memory outside the store: a restored backup must not become a fork."""

import copy
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint
from audit.errors import CheckpointRefused, LogDoesNotFit
from audit.memory import FileMemory
from audit.sequencer import sequence_once
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import OTHER_LOG, SIGNER, event


@pytest.fixture
def memory(tmp_path: Path) -> FileMemory:
    return FileMemory(tmp_path / "last-signed")


def happen(store: MemoryStore, memory: FileMemory, start: int, stop: int) -> Checkpoint:
    for number in range(start, stop):
        store.enqueue(event(number).to_bytes())
    checkpoint = sequence_once(store, signer=SIGNER, memory=memory)
    assert checkpoint is not None
    return checkpoint


def test_what_was_signed_is_remembered(memory: FileMemory) -> None:
    store = MemoryStore()
    assert memory.recall() is None
    for start, stop in ((0, 3), (3, 300), (300, 301)):
        checkpoint = happen(store, memory, start, stop)
        assert memory.recall() == checkpoint


def test_a_restored_backup_is_not_signed_on(memory: FileMemory) -> None:
    store = MemoryStore()
    happen(store, memory, 0, 5)
    backup = copy.deepcopy(store)
    happen(store, memory, 5, 9)
    with pytest.raises(LogDoesNotFit, match="backup"):
        happen(backup, memory, 20, 21)


def test_an_emptied_store_is_not_signed_on(memory: FileMemory) -> None:
    happen(MemoryStore(), memory, 0, 5)
    with pytest.raises(LogDoesNotFit, match="backup"):
        happen(MemoryStore(), memory, 0, 9)


def test_a_restored_backup_that_outgrew_the_memory_is_not_signed_on(memory: FileMemory) -> None:
    store = MemoryStore()
    happen(store, memory, 0, 5)
    backup = copy.deepcopy(store)
    happen(store, memory, 5, 9)
    for number in range(20, 30):
        backup.enqueue(event(number).to_bytes())
    sequence_once(backup, signer=SIGNER)  # somebody ran a sequencer without its memory
    with pytest.raises(LogDoesNotFit, match="rewritten"):
        happen(backup, memory, 30, 31)


def test_a_crash_between_publishing_and_remembering_heals(memory: FileMemory) -> None:
    store = MemoryStore()
    happen(store, memory, 0, 5)
    store.enqueue(event(5).to_bytes())
    sequence_once(store, signer=SIGNER)  # published; killed before it was remembered
    assert happen(store, memory, 6, 8) == memory.recall()


def test_a_memory_of_another_log_is_refused(memory: FileMemory) -> None:
    memory.keep(Checkpoint(OTHER_LOG.name, 5, bytes(32)))
    with pytest.raises(LogDoesNotFit, match="another log"):
        happen(MemoryStore(), memory, 0, 1)


def test_a_damaged_memory_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "last-signed"
    path.write_text("")
    with pytest.raises(CheckpointRefused):
        FileMemory(path).recall()
