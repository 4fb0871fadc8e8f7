"""What every log store must do. An adapter's tests derive from `LogStoreSuite` and give a store.

    class TestPostgresLog(LogStoreSuite):
        @pytest.fixture
        def harness(self, ...) -> StoreHarness: ...

The fixture gives a fresh, empty store for each test, and a way to commit events to its outbox.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audit.checkpoint import Checkpoint
from audit.export import export_tiles
from audit.merkle import leaf_hash, verify_inclusion
from audit.replay import replay
from audit.sequencer import prove_inclusion
from audit.store import FullTile, LogStore, Pending, level_hashes
from audit.tiles import FolderSource, StoreSource
from tests.audit.careless import sequence
from tests.audit.samples import SIGNER, event


@dataclass(frozen=True)
class StoreHarness:
    """An empty store, and what a business transaction does to it."""

    store: LogStore
    enqueue: Callable[[bytes], Any]

    def happen(self, start: int, stop: int) -> None:
        for number in range(start, stop):
            self.enqueue(event(number).to_bytes())

    def sequence(self, limit: int = 1000) -> Checkpoint:
        checkpoint = sequence(self.store, signer=SIGNER, limit=limit)
        assert checkpoint is not None
        return checkpoint


class LogStoreSuite:
    """The tests; each takes the fixture `harness`."""

    def test_an_empty_store_holds_nothing(self, harness: StoreHarness) -> None:
        store = harness.store
        assert store.head() is None
        assert list(store.pending(10)) == []
        assert list(store.leaf_hashes(0, 10)) == []
        assert list(store.entries(0, 10)) == []
        assert store.tile(0, 0) is None

    def test_pending_gives_what_was_committed_up_to_the_limit(self, harness: StoreHarness) -> None:
        harness.happen(0, 3)
        pending = harness.store.pending(10)
        assert sorted(row.entry for row in pending) == [event(n).to_bytes() for n in range(3)]
        assert len({row.outbox_id for row in pending}) == 3
        assert len(harness.store.pending(2)) == 2

    def test_appended_leaves_can_be_read_and_leave_the_outbox(self, harness: StoreHarness) -> None:
        harness.happen(0, 5)
        harness.sequence()
        store = harness.store
        entries = list(store.entries(0, 9))
        assert sorted(entries) == sorted(event(n).to_bytes() for n in range(5))
        assert list(store.leaf_hashes(0, 9)) == [leaf_hash(entry) for entry in entries]
        assert list(store.leaf_hashes(2, 4)) == [leaf_hash(entry) for entry in entries[2:4]]
        assert list(store.entries(5, 6)) == []
        assert list(store.pending(10)) == []

    def test_only_the_rows_that_were_read_are_removed(self, harness: StoreHarness) -> None:
        harness.happen(0, 5)
        harness.sequence(limit=2)
        assert len(harness.store.pending(10)) == 3
        harness.happen(5, 6)
        assert harness.sequence().size == 6
        assert list(harness.store.pending(10)) == []

    def test_the_head_is_the_newest_checkpoint(self, harness: StoreHarness) -> None:
        for size in (2, 9, 10, 11):  # 9 and 10 differ in the order of numbers and of text
            before = harness.store.head()
            start = 0 if before is None else _size(before)
            harness.happen(start, size)
            checkpoint = harness.sequence()
            head = harness.store.head()
            assert head is not None
            assert Checkpoint.verify(head, verifier=SIGNER.verifier) == checkpoint
            assert checkpoint.size == size

    def test_full_tiles_and_their_roots_are_kept(self, harness: StoreHarness) -> None:
        harness.happen(0, 520)
        harness.sequence()
        store = harness.store
        tile = store.tile(0, 1)
        assert tile is not None
        assert tile.hashes == b"".join(store.leaf_hashes(256, 512))
        assert (tile.level, tile.number) == (0, 1)
        assert store.tile(0, 2) is None
        assert store.tile(1, 0) is None
        assert level_hashes(store, 1, 0, 2)[1] == tile.root

    def test_proofs_come_out_of_it(self, harness: StoreHarness) -> None:
        harness.happen(0, 300)
        harness.sequence()
        harness.happen(300, 310)
        checkpoint = harness.sequence()
        note = harness.store.head()
        assert note is not None
        for index in (0, 255, 256, 309):
            verify_inclusion(
                prove_inclusion(harness.store, index, note),
                index=index,
                size=310,
                leaf=harness.store.leaf_hashes(index, index + 1)[0],
                root=checkpoint.root,
            )

    def test_the_whole_of_it_verifies(self, harness: StoreHarness, tmp_path: Path) -> None:
        harness.happen(0, 270)
        checkpoint = harness.sequence()
        assert replay(StoreSource(harness.store), verifier=SIGNER.verifier).checkpoint == checkpoint
        export_tiles(StoreSource(harness.store), tmp_path)
        assert replay(FolderSource(tmp_path), verifier=SIGNER.verifier).checkpoint == checkpoint

    def test_a_taken_index_changes_nothing(self, harness: StoreHarness) -> None:
        """The second of two sequencers must fail as a whole, or the log forks."""
        harness.happen(0, 3)
        harness.sequence()
        harness.happen(3, 4)
        rows = harness.store.pending(10)
        self._append_fails(harness.store, 2, rows)
        assert len(harness.store.entries(0, 9)) == 3
        assert list(harness.store.pending(10)) == list(rows)
        assert harness.store.tile(0, 0) is None
        assert harness.sequence().size == 4

    def test_an_event_that_is_in_the_log_is_not_taken_again(self, harness: StoreHarness) -> None:
        harness.happen(0, 3)
        harness.sequence()
        rows = [Pending(999, event(1).to_bytes())]
        self._append_fails(harness.store, 3, rows)
        assert len(harness.store.entries(0, 9)) == 3

    @staticmethod
    def _append_fails(store: LogStore, first_index: int, rows: Any) -> None:
        hashes = [leaf_hash(row.entry) for row in rows]
        tile = FullTile(0, 0, bytes(8192), bytes(32))
        with pytest.raises(Exception):  # noqa: B017, PT011 - each database has errors of its own
            store.append(
                first_index=first_index,
                pending=[Pending(row.outbox_id, row.entry) for row in rows],
                leaf_hashes=hashes,
                tiles=[tile],
                checkpoint=b"not to be kept",
            )


def _size(note: bytes) -> int:
    return Checkpoint.verify(note, verifier=SIGNER.verifier).size
