"""Reading ahead and keeping: the same answers, in whatever order they arrive."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audit.ahead import AheadSource, KeptSource, replay_order
from audit.errors import LogTampered, TileMissing
from audit.replay import replay
from audit.tilepath import TilePath
from audit.tiles import StoreSource
from tests.audit.samples import SIGNER, log_of


class Counted:
    """A source that says what it was asked for."""

    def __init__(self, size: int) -> None:
        self.inner = StoreSource(log_of(size))
        self.asked: list[str] = []

    def read(self, path: str) -> bytes:
        self.asked.append(path)
        return self.inner.read(path)


@pytest.mark.parametrize("size", [1, 256, 600, 1_000])
def test_the_order_is_that_of_a_replay(size: int) -> None:
    source = Counted(size)
    replay(source, verifier=SIGNER.verifier)
    foreseen = [str(path) for path in replay_order(size)]
    read = [path for path in source.asked[1:] if path in foreseen]
    assert read == foreseen
    assert len(source.asked) - 1 - len(foreseen) <= 2  # partial tiles


def test_the_order_has_tiles_of_every_level() -> None:
    paths = [str(path) for path in replay_order(65_536)]
    assert paths[-3:] == ["tile/entries/255", "tile/0/255", "tile/1/000"]
    assert [str(path) for path in replay_order(600, after=512)] == ["tile/entries/002.p/88"]


@pytest.mark.parametrize("depth", [1, 4, 100])
def test_reading_ahead_asks_once_and_answers_the_same(depth: int) -> None:
    source = Counted(1_000)
    with ThreadPoolExecutor(4) as pool:
        ahead = AheadSource(source, pool, replay_order(1_000), depth=depth)
        assert replay(ahead, verifier=SIGNER.verifier).entries == 1_000
    assert len(source.asked) == len(set(source.asked))


def test_an_error_ahead_is_met_where_it_is_read() -> None:
    source = StoreSource(log_of(300))
    with ThreadPoolExecutor(2) as pool:
        ahead = AheadSource(source, pool, [TilePath(None, 0), TilePath(None, 7)], depth=2)
        assert ahead.read("tile/entries/000") == source.read("tile/entries/000")
        with pytest.raises(TileMissing):
            ahead.read("tile/entries/007")


def test_full_tiles_are_kept_and_asked_for_once(tmp_path: Path) -> None:
    first, second = Counted(600), Counted(1_000)
    replay(KeptSource(first, tmp_path), verifier=SIGNER.verifier)
    replay(KeptSource(second, tmp_path), verifier=SIGNER.verifier)
    assert not [path for path in second.asked if path in ("tile/0/000", "tile/entries/001")]
    assert "tile/entries/002" in second.asked
    assert not list(tmp_path.rglob("*.p"))


def test_what_was_kept_is_checked_like_all_else(tmp_path: Path) -> None:
    replay(KeptSource(Counted(600), tmp_path), verifier=SIGNER.verifier)
    kept = tmp_path / "tile/entries/000"
    kept.write_bytes(kept.read_bytes().replace(b"success", b"refused", 1))
    with pytest.raises(LogTampered):
        replay(KeptSource(Counted(600), tmp_path), verifier=SIGNER.verifier)
