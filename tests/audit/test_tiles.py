"""Paths, bundles and sources: one spelling for each tile, and nothing outside the log."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import EntryRefused, LogDoesNotFit, TileMissing, TileRefused
from audit.export import log_paths
from audit.store import TileRoots, level_hashes
from audit.tilepath import TilePath, checkpoint_path
from audit.tiles import FolderSource, pack_bundle, read_entries, render_tile, unpack_bundle
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import event, log_of


def test_the_examples_of_the_specification() -> None:
    assert str(TilePath(0, 1_234_067)) == "tile/0/x001/x234/067"
    paths = [str(path) for path in log_paths(70_000) if path.level is not None]
    assert len(paths) == 273 + 1 + 1 + 1 + 1
    for path in ("tile/0/x001/000", "tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"):
        assert (path in paths) == (path != "tile/0/x001/000")
    assert "tile/1/000" in paths
    assert [str(path) for path in log_paths(256)] == [
        "tile/entries/000",
        "tile/0/000",
        "tile/1/000.p/1",
    ]


@given(st.none() | st.integers(0, 7), st.integers(0, 10**17), st.integers(1, 256))
def test_a_path_comes_back_from_its_text(level: int | None, number: int, width: int) -> None:
    path = TilePath(level, number, width)
    assert TilePath.parse(str(path)) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/0",
        "tile/0/1",
        "tile/0/0000",
        "tile/0/001/",
        "/tile/0/001",
        "tile/00/001",
        "tile/8/001",
        "tile/64/001",
        "tile/-1/001",
        "tile/0/x000/001",
        "tile/0/001/001",
        "tile/0/x001/x001",
        "tile/0/001.p/0",
        "tile/0/001.p/00",
        "tile/0/001.p/01",
        "tile/0/001.p/256",
        "tile/0/001.p/999",
        "tile/0/001.p/",
        "tile/0/001.p",
        "tile/0/\u0661\u0661\u0661",
        "tile/0/001\n",
        "tile/entries/../0/001",
        "tile/../../etc/passwd",
        "../checkpoint",
        "checkpoint/",
        "tile/0/..%2f001",
        "tile/data/001",
        "tile/0/" + "x001/" * 6 + "001",
    ],
)
def test_any_other_path_is_nothing(path: str, tmp_path: Path) -> None:
    store = log_of(3)
    for read in (TilePath.parse, FolderSource(tmp_path).read, lambda p: render_tile(store, p)):
        with pytest.raises(TileMissing):
            read(path)


@given(st.lists(st.binary(max_size=4096), max_size=20))
def test_a_bundle_comes_back_from_its_bytes(entries: list[bytes]) -> None:
    assert unpack_bundle(pack_bundle(entries)) == entries


@pytest.mark.parametrize(
    "data",
    [b"\x00", b"\x00\x02x", b"\xff\xff", b"\x10\x01" + bytes(4097), bytes(2) * 257],
)
def test_a_bundle_of_impossible_shape_is_refused(data: bytes) -> None:
    with pytest.raises(TileRefused):
        unpack_bundle(data)


def test_a_bundle_with_too_few_entries_is_refused(tmp_path: Path) -> None:
    bundle = TilePath(None, 0, 3)
    (tmp_path / str(bundle)).parent.mkdir(parents=True)
    (tmp_path / str(bundle)).write_bytes(pack_bundle([b"a", b"b"]))
    with pytest.raises(TileRefused):
        read_entries(FolderSource(tmp_path), bundle)


def test_an_oversized_entry_is_not_published() -> None:
    with pytest.raises(EntryRefused):
        pack_bundle([bytes(4097)])


def test_a_store_renders_every_tile_of_its_size() -> None:
    store = log_of(600)
    for path in log_paths(600):
        assert render_tile(store, str(path))
    assert render_tile(store, "checkpoint") == store.head()
    assert render_tile(store, "tile/0/002.p/88") == b"".join(store.leaf_hashes(512, 600))
    assert render_tile(store, "tile/1/000.p/2") == store.tiles[0, 0].root + store.tiles[0, 1].root
    assert unpack_bundle(render_tile(store, "tile/entries/002.p/88"))[0] == event(512).to_bytes()


def test_a_partial_tile_of_an_older_size_is_still_answered() -> None:
    store = log_of(600)
    assert render_tile(store, "tile/0/000.p/5") == b"".join(store.leaf_hashes(0, 5))


@pytest.mark.parametrize(
    "path", ["tile/0/002", "tile/0/002.p/89", "tile/0/003.p/1", "tile/1/000.p/3", "tile/2/000.p/1"]
)
def test_nothing_beyond_the_checkpoint_is_shown(path: str) -> None:
    with pytest.raises(TileMissing):
        render_tile(log_of(600), path)


def test_leaves_that_no_checkpoint_covers_are_not_shown() -> None:
    store = log_of(5, 9)
    store.checkpoints.pop()
    with pytest.raises(TileMissing):
        render_tile(store, "tile/0/000.p/9")


def test_an_empty_log_shows_nothing() -> None:
    for path in ("checkpoint", "tile/0/000.p/1"):
        with pytest.raises(TileMissing):
            render_tile(MemoryStore(), path)


def test_a_store_that_lost_a_tile_says_so() -> None:
    store = log_of(600)
    del store.tiles[0, 1]
    for path in ("tile/0/001", "tile/1/000.p/2"):
        with pytest.raises(LogDoesNotFit):
            render_tile(store, path)


def test_a_store_may_read_roots_in_one_go() -> None:
    class Quick(MemoryStore):
        def tile_roots(self, level: int, start: int, stop: int) -> Sequence[bytes]:
            return [self.tiles[level, number].root for number in range(start, stop)]

    slow, quick = log_of(600), Quick()
    quick.tiles = slow.tiles
    assert isinstance(quick, TileRoots)
    assert not isinstance(slow, TileRoots)
    assert level_hashes(quick, 1, 0, 2) == level_hashes(slow, 1, 0, 2)


def test_a_folder_does_not_follow_into_pipes_and_devices(tmp_path: Path) -> None:
    (tmp_path / "tile" / "0").mkdir(parents=True)
    os.mkfifo(tmp_path / "tile" / "0" / "000")
    (tmp_path / "checkpoint").symlink_to("/dev/zero")
    for path in ("tile/0/000", "checkpoint", "tile/0"):
        with pytest.raises(TileMissing):
            FolderSource(tmp_path).read(path)


def test_a_file_larger_than_it_can_be_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "checkpoint").open("wb") as stream:
        stream.truncate(10**12)
    with pytest.raises(TileRefused):
        FolderSource(tmp_path).read("checkpoint")


def test_in_the_copy_of_a_mirror_the_last_checkpoint_by_name_counts(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    for name in ("checkpoint", checkpoint_path(9), checkpoint_path(10), "checkpoints/zzz"):
        (tmp_path / name).write_text(name)
    assert FolderSource(tmp_path).read("checkpoint") == checkpoint_path(10).encode()
    with pytest.raises(TileMissing):
        FolderSource(tmp_path).read(checkpoint_path(9))
