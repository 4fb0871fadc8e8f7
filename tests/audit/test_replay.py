"""Checking a whole log, and each way of having changed it afterwards."""

from pathlib import Path

import pytest

from audit.actions import Action
from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.edge import RightEdge
from audit.errors import AuditError, LogTampered, NoteUntrusted, TileMissing, TileRefused
from audit.export import export_tiles
from audit.merkle import leaf_hash
from audit.replay import replay
from audit.store import FullTile
from audit.tiles import FolderSource, StoreSource, pack_bundle, unpack_bundle
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import ORIGIN, OTHER_KEY, SIGNER, event, fill, log_of


def checkpoints(store: MemoryStore) -> list[Checkpoint]:
    return [Checkpoint.verify(note, verifier=SIGNER.verifier) for note in store.checkpoints]


def rewritten(entries: list[bytes]) -> MemoryStore:
    """What the holder of the key can make: another log, whole and correctly signed."""
    store, edge = MemoryStore(), RightEdge()
    hashes = [leaf_hash(entry) for entry in entries]
    store.leaves = list(zip(entries, hashes, strict=True))
    store.tiles = {(tile.level, tile.number): tile for tile in edge.extend(hashes)}
    store.checkpoints = [sign_checkpoint(Checkpoint(ORIGIN, edge.size, edge.root()), SIGNER)]
    return store


def tampered(store: MemoryStore, words: str, *, since: Checkpoint | None = None) -> None:
    with pytest.raises(LogTampered, match=words):
        replay(StoreSource(store), verifier=SIGNER.verifier, since=[since] if since else [])


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
def test_a_whole_log_verifies(size: int) -> None:
    store = log_of(size)
    result = replay(StoreSource(store), verifier=SIGNER.verifier)
    assert result.checkpoint == checkpoints(store)[-1]
    assert result.entries == size
    assert result.actions == {Action.SUBMISSION_RECEIVED: size}


def test_an_empty_log_verifies() -> None:
    assert replay(StoreSource(rewritten([])), verifier=SIGNER.verifier).actions == {}


def test_actions_are_counted() -> None:
    store = MemoryStore()
    for number, action in enumerate([Action.LOG_STARTED, Action.KEY_CREATED, Action.KEY_CREATED]):
        store.enqueue(event(number, action=action).to_bytes())
    fill(store, 3, 5)
    assert replay(StoreSource(store), verifier=SIGNER.verifier).actions == {
        Action.LOG_STARTED: 1,
        Action.KEY_CREATED: 2,
        Action.SUBMISSION_RECEIVED: 2,
    }


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    replay(
        StoreSource(log_of(600)),
        verifier=SIGNER.verifier,
        on_progress=lambda done, all_: told.append((done, all_)),
    )
    assert told == [(256, 600), (512, 600), (600, 600)]


@pytest.mark.parametrize("sizes", [(1, 600), (256, 600), (300, 600), (599, 600), (600,)])
def test_a_log_extends_what_was_seen_before(sizes: tuple[int, ...]) -> None:
    store = log_of(*sizes)
    for since in (*([seen] for seen in checkpoints(store)), checkpoints(store)):
        assert replay(StoreSource(store), verifier=SIGNER.verifier, since=since).entries == 600


def test_an_edited_entry_is_named() -> None:
    store = log_of(600)
    store.leaves[300] = (event(9_999).to_bytes(), store.leaves[300][1])
    tampered(store, "entry 300 ")


def test_an_entry_edited_with_its_hash_is_found() -> None:
    store = log_of(600)
    edited = event(9_999).to_bytes()
    store.leaves[300] = (edited, leaf_hash(edited))
    tampered(store, "entry 300 ")  # the full tile still has the old hash
    store.leaves[590] = (event(9_998).to_bytes(), leaf_hash(event(9_998).to_bytes()))
    store.leaves[300] = (event(300).to_bytes(), leaf_hash(event(300).to_bytes()))
    tampered(store, "another root")  # on the right edge only the signature tells


def test_a_tile_edited_with_everything_below_it_is_found() -> None:
    store = log_of(600)
    edited = event(9_999).to_bytes()
    store.leaves[300] = (edited, leaf_hash(edited))
    store.tiles |= rewritten([entry for entry, _ in store.leaves]).tiles
    tampered(store, "another root")


def test_a_false_hash_tile_is_found_though_every_entry_is_right() -> None:
    store = log_of(600)
    good = store.tiles[0, 1]
    store.tiles[0, 1] = FullTile(0, 1, good.hashes[:-32] + bytes(32), good.root)
    tampered(store, "entry 511 ")
    store.tiles[0, 1] = FullTile(0, 1, good.hashes, bytes(32))
    tampered(store, "level 1 hash 1 ")


def test_a_deleted_entry_is_found() -> None:
    store = log_of(600)
    del store.leaves[300]
    with pytest.raises((LogTampered, TileRefused)):
        replay(StoreSource(store), verifier=SIGNER.verifier)
    store.leaves.append((event(600).to_bytes(), leaf_hash(event(600).to_bytes())))
    tampered(store, "entry 300 ")


def test_swapped_entries_are_found() -> None:
    store = log_of(600)
    store.leaves[300], store.leaves[301] = store.leaves[301], store.leaves[300]
    tampered(store, "entry 300 ")


def test_a_log_cut_short_and_signed_again_is_found_by_who_saw_more() -> None:
    since = checkpoints(log_of(600))[-1]
    short = log_of(500)
    assert replay(StoreSource(short), verifier=SIGNER.verifier).entries == 500
    tampered(short, "shorter", since=since)


def test_a_log_cut_short_and_grown_again_is_found() -> None:
    since = checkpoints(log_of(600))[-1]
    entries = [event(number).to_bytes() for number in [*range(500), *range(700, 900)]]
    tampered(rewritten(entries), "first 600 entries", since=since)
    tampered(rewritten(entries[:600]), "forked", since=since)


def test_a_checkpoint_of_another_log_does_not_count_as_seen() -> None:
    tampered(log_of(9), "another log", since=Checkpoint("other.example", 5, bytes(32)))


def test_the_holder_of_the_key_cannot_put_in_what_is_no_entry() -> None:
    tampered(rewritten([event(0).to_bytes(), b'{"name":"A Child"}']), "entry 1: ")


def test_one_event_counts_once() -> None:
    entries = [event(0).to_bytes(), event(1).to_bytes(), event(0, outcome="failed").to_bytes()]
    tampered(rewritten(entries), "entry 2 repeats")


def test_a_log_of_another_key_is_refused() -> None:
    with pytest.raises(NoteUntrusted):
        replay(StoreSource(log_of(5, signer=OTHER_KEY)), verifier=SIGNER.verifier)


def test_an_exported_log_verifies_after_each_export(tmp_path: Path) -> None:
    store = MemoryStore()
    for start, stop in ((0, 3), (3, 256), (256, 300), (300, 1_000)):
        fill(store, start, stop)
        assert export_tiles(StoreSource(store), tmp_path).size == stop
        assert replay(FolderSource(tmp_path), verifier=SIGNER.verifier).entries == stop
    assert not list(tmp_path.rglob("*.new"))


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"])
def test_every_exported_tile_counts(path: str, tmp_path: Path) -> None:
    export_tiles(StoreSource(log_of(300)), tmp_path)
    data = (tmp_path / path).read_bytes()
    (tmp_path / path).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(LogTampered):
        replay(FolderSource(tmp_path), verifier=SIGNER.verifier)
    (tmp_path / path).write_bytes(data[:-1])
    with pytest.raises(TileRefused):
        replay(FolderSource(tmp_path), verifier=SIGNER.verifier)
    (tmp_path / path).unlink()
    with pytest.raises(LogTampered, match="missing"):
        replay(FolderSource(tmp_path), verifier=SIGNER.verifier)


def test_every_exported_entry_counts(tmp_path: Path) -> None:
    export_tiles(StoreSource(log_of(300)), tmp_path)
    bundle = tmp_path / "tile/entries/001.p/44"
    entries = unpack_bundle(bundle.read_bytes())
    for changed in (entries[:-1], [*entries[:-1], b""], [*entries[1:], entries[0]]):
        bundle.write_bytes(pack_bundle(changed))
        with pytest.raises(AuditError):
            replay(FolderSource(tmp_path), verifier=SIGNER.verifier)
    bundle.unlink()
    with pytest.raises(TileMissing):
        replay(FolderSource(tmp_path), verifier=SIGNER.verifier)


@pytest.mark.parametrize("sizes", [(1, 2), (255, 256), (256, 257), (300, 600), (511, 513), (600,)])
def test_what_came_since_is_read_alone(sizes: tuple[int, ...]) -> None:
    store = log_of(*sizes)
    first, *_ = checkpoints(store)
    taken: list[bytes] = []
    result = replay(
        StoreSource(store), verifier=SIGNER.verifier, after=first, on_entries=taken.extend
    )
    new = sizes[-1] - sizes[0]
    assert (result.entries, sum(result.actions.values())) == (sizes[-1], new)
    assert taken == [entry for entry, _ in store.leaves[first.size :]]


def test_what_came_since_must_extend_what_was_read() -> None:
    entries = [event(number).to_bytes() for number in [*range(200), *range(700, 1_200)]]
    for seen, words in ((300, "first 300 entries"), (900, "shorter"), (700, "forked")):
        with pytest.raises(LogTampered, match=words) as caught:
            replay(
                StoreSource(rewritten(entries)),
                verifier=SIGNER.verifier,
                after=checkpoints(log_of(seen))[-1],
            )
        assert caught.value.good_size == 0


def test_an_edit_of_what_is_new_is_found_by_who_reads_on() -> None:
    for index in (300, 511, 512, 599):
        store = log_of(300, 600)
        store.leaves[index] = (event(9_999).to_bytes(), store.leaves[index][1])
        with pytest.raises(LogTampered, match=f"entry {index} ") as caught:
            replay(StoreSource(store), verifier=SIGNER.verifier, after=checkpoints(store)[0])
        assert caught.value.good_size == 300


def test_an_event_repeated_across_the_border_is_found_by_who_reads_on() -> None:
    entries = [event(number).to_bytes() for number in range(300)]
    store = rewritten([*entries, event(290, outcome="failed").to_bytes()])
    with pytest.raises(LogTampered, match="entry 300 repeats the event of entry 290"):
        replay(StoreSource(store), verifier=SIGNER.verifier, after=checkpoints(log_of(300))[-1])
