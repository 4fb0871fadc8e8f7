"""Exports: continued where they stopped, and never over another past."""

from pathlib import Path

import pytest

from audit.errors import LogDoesNotFit, TileMissing
from audit.export import export_tiles, log_paths
from audit.tiles import StoreSource
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import OTHER_LOG, event, fill, log_of


def test_the_folder_holds_what_the_specification_names(tmp_path: Path) -> None:
    export_tiles(StoreSource(log_of(300)), tmp_path)
    found = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert found == {"checkpoint"} | {str(path) for path in log_paths(300)}


def test_a_log_without_a_checkpoint_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(TileMissing):
        export_tiles(StoreSource(MemoryStore()), tmp_path)


def test_full_tiles_are_written_once(tmp_path: Path) -> None:
    store = log_of(300)
    export_tiles(StoreSource(store), tmp_path)
    written = (tmp_path / "tile/0/000").stat().st_mtime_ns
    fill(store, 300, 600)
    export_tiles(StoreSource(store), tmp_path)
    assert (tmp_path / "tile/0/000").stat().st_mtime_ns == written


def test_another_past_is_not_written_over(tmp_path: Path) -> None:
    export_tiles(StoreSource(log_of(300)), tmp_path)
    before = (tmp_path / "checkpoint").read_bytes()
    other = MemoryStore()
    for number in range(400):
        other.enqueue(event(number + 1_000).to_bytes())
    fill(other, 0, 1)
    for store in (other, log_of(200), log_of(300, signer=OTHER_LOG)):
        with pytest.raises(LogDoesNotFit):
            export_tiles(StoreSource(store), tmp_path)
    assert (tmp_path / "checkpoint").read_bytes() == before
