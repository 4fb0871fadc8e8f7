"""A mirror holds what it was given, takes what extends it, and may die between any two steps."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.errors import AuditError, Fault, LogDoesNotFit, LogTampered, NoteUntrusted
from audit.export import log_paths
from audit.keyring import LogKeys
from audit.merkle import leaf_hash
from audit.mirror import Mirror
from audit.replay import replay
from audit.tilepath import checkpoint_path
from audit.tiles import FolderSource
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import OTHER_KEY, OTHER_LOG, SIGNER, event, fill, log_of

KEYS = LogKeys((SIGNER.verifier,))


class Published:
    """A log of which everything that was signed is published."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store

    def published(self) -> bytes | None:
        return self.store.head()

    def entries(self, start: int, stop: int) -> Sequence[bytes]:
        return self.store.entries(start, stop)


class Died(Exception):
    """What `kill -9` looks like from here."""


class FolderShelf(FolderSource):
    """`audit.mirror.Shelf` in a folder; it may die before a write, or after it."""

    def __init__(self, folder: Path, *, lives: float = float("inf")) -> None:
        super().__init__(folder)
        self.folder = folder
        self.lives = lives
        self.written: list[str] = []

    def read(self, path: str) -> bytes:
        if path.startswith("checkpoint") and (self.folder / path).exists():
            return (self.folder / path).read_bytes()
        return super().read(path)

    def add(self, path: str, data: bytes) -> bytes:
        if (self.folder / path).exists():
            return self.read(path)
        self.replace(path, data)
        return data

    def replace(self, path: str, data: bytes) -> None:
        self._live()
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(data)
        self.written.append(path)
        self._live()

    def newest(self, since: int) -> int | None:
        sizes = [int(file.name) for file in (self.folder / "checkpoints").glob("*")]
        return max((size for size in sizes if size >= since), default=None)

    def _live(self) -> None:
        if self.lives < 1:
            raise Died
        self.lives -= 1


def mirror_of(store: MemoryStore, shelf: FolderShelf) -> Mirror:
    return Mirror(Published(store), shelf, KEYS)


def verified(folder: Path) -> int:
    """How many entries lie there; every checkpoint that was mirrored is held to as well."""
    kept = sorted((folder / "checkpoints").iterdir())
    since = [KEYS.checkpoint(file.read_bytes()) for file in kept]
    assert [checkpoint_path(each.size) for each in since] == [f"checkpoints/{f.name}" for f in kept]
    return replay(FolderSource(folder), verifier=KEYS, since=since).entries


def files(folder: Path) -> dict[str, bytes]:
    found = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


@pytest.mark.parametrize("sizes", [(1,), (255, 256, 257), (256, 512, 513), (3, 700, 66_000)])
def test_what_is_mirrored_verifies_at_every_size(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    store, done = MemoryStore(), 0
    shelf = FolderShelf(tmp_path)
    mirror = mirror_of(store, shelf)
    assert mirror.catch_up() is None
    for size in sizes:
        fill(store, done, size)
        head = mirror.catch_up()
        assert head is not None
        assert head.size == verified(tmp_path) == size
        assert mirror.catch_up() is None
        assert {str(path) for path in log_paths(size)} <= files(tmp_path).keys()
        done = size
    assert len(shelf.written) == len(set(shelf.written)) + len(sizes) - 1  # `checkpoint` alone


def test_another_process_goes_on_from_the_files_alone(tmp_path: Path) -> None:
    store = log_of(300)
    mirror_of(store, FolderShelf(tmp_path)).catch_up()
    fill(store, 300, 301)
    shelf = FolderShelf(tmp_path)
    mirror_of(store, shelf).catch_up()
    assert verified(tmp_path) == 301
    assert not [path for path in shelf.written if path.endswith("000")]  # no full tile again


def test_a_round_makes_a_bounded_number_of_files(tmp_path: Path) -> None:
    """Locked files are for ever: a partial tile that did not grow is not written again."""
    store, shelf, rounds = MemoryStore(), FolderShelf(tmp_path), 100
    mirror = mirror_of(store, shelf)
    for number in range(1, rounds + 1):
        fill(store, 7 * (number - 1), 7 * number)
        before = len(shelf.written)
        mirror.catch_up()
        filled = 7 * number // 256 - 7 * (number - 1) // 256
        assert len(shelf.written) - before <= 4 + 3 * filled
    assert mirror.catch_up() is None


@pytest.mark.parametrize("first", [0, 200, 256])
def test_it_may_die_between_any_two_steps(tmp_path: Path, first: int) -> None:
    store = log_of(first) if first else MemoryStore()
    lives = 0
    while True:
        folder = tmp_path / str(lives)
        folder.mkdir()
        mirror_of(store, FolderShelf(folder)).catch_up()
        grown = MemoryStore()
        for start, stop in ((0, first), (first, 600)):
            fill(grown, start, stop)
        try:
            mirror_of(grown, FolderShelf(folder, lives=lives)).catch_up()
        except Died:
            assert (folder / "checkpoint").exists() is (first > 0) or verified(folder) == 600
            if (folder / "checkpoint").exists():
                assert verified(folder) in (first, 600)
        else:
            break
        mirror_of(grown, FolderShelf(folder)).catch_up()
        assert verified(folder) == 600
        assert (folder / "checkpoint").read_bytes() == grown.head()
        lives += 1
    assert lives > 10


def edited(store: MemoryStore, index: int) -> None:
    """Another entry in its place, with its own hash."""
    entry = event(index, outcome="refused").to_bytes()
    store.leaves[index] = (entry, leaf_hash(entry))


def forked(size: int) -> MemoryStore:
    """Another log under the same key."""
    other = MemoryStore()
    other.enqueue(event(9_999).to_bytes())
    fill(other, 0, size - 1)
    return other


def signed(*, size: int, by: object = SIGNER, root: bytes = bytes(32)) -> bytes:
    return sign_checkpoint(Checkpoint(by.name, size, root), by)  # type: ignore[attr-defined]


def _edit_new(store: MemoryStore) -> None:
    edited(store, 350)


def _edit_mirrored_in_the_open_bundle(store: MemoryStore) -> None:
    edited(store, 290)


def _lose_a_row(store: MemoryStore) -> None:
    del store.leaves[350]


def _fork(store: MemoryStore) -> None:
    other = forked(400)
    store.leaves, store.checkpoints = other.leaves, other.checkpoints


def _sign_another_root(store: MemoryStore) -> None:
    store.checkpoints = [signed(size=400)]


def _sign_with_another_key(store: MemoryStore) -> None:
    store.checkpoints = [signed(size=400, by=OTHER_KEY)]


def _be_another_log(store: MemoryStore) -> None:
    store.checkpoints = [signed(size=400, by=OTHER_LOG)]


def _roll_back(store: MemoryStore) -> None:
    other = log_of(200)
    store.leaves, store.checkpoints = other.leaves, other.checkpoints


def _be_emptied(store: MemoryStore) -> None:
    store.leaves, store.checkpoints = [], []


def _fork_at_the_same_size(store: MemoryStore) -> None:
    other = forked(300)
    store.leaves, store.checkpoints = other.leaves, other.checkpoints


@pytest.mark.parametrize(
    ("attack", "refusal"),
    [
        (_edit_new, LogDoesNotFit),
        (_edit_mirrored_in_the_open_bundle, LogDoesNotFit),
        (_lose_a_row, LogDoesNotFit),
        (_fork, LogDoesNotFit),
        (_sign_another_root, LogDoesNotFit),
        (_sign_with_another_key, NoteUntrusted),
        (_be_another_log, NoteUntrusted),
        (_roll_back, LogTampered),
        (_be_emptied, LogTampered),
        (_fork_at_the_same_size, LogTampered),
    ],
)
@pytest.mark.parametrize("remembers", ["the same process", "another process"])
def test_what_does_not_extend_it_is_refused_and_leaves_no_file(
    tmp_path: Path, attack: Callable[[MemoryStore], None], refusal: type, remembers: str
) -> None:
    store = log_of(300)
    mirror = mirror_of(store, FolderShelf(tmp_path))
    mirror.catch_up()
    before = files(tmp_path)
    fill(store, 300, 400)
    attack(store)
    if remembers == "another process":
        mirror = mirror_of(store, FolderShelf(tmp_path))
    for _ in range(2):
        with pytest.raises(refusal):
            mirror.catch_up()
        assert files(tmp_path) == before
    # The true log is taken up again, by the same process.
    good = Mirror(Published(_grown(400)), FolderShelf(tmp_path), KEYS)
    good.catch_up()
    assert verified(tmp_path) == 400


def _grown(size: int) -> MemoryStore:
    store = log_of(300)
    fill(store, 300, size)
    return store


def test_a_rollback_is_told_as_one(tmp_path: Path) -> None:
    mirror_of(log_of(300), FolderShelf(tmp_path)).catch_up()
    with pytest.raises(LogTampered) as found:
        mirror_of(log_of(200), FolderShelf(tmp_path)).catch_up()
    assert found.value.fault is Fault.SHORTER


class Changing(Published):
    """A log of which one entry is another at the second reading."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self._changes = self._again()

    def entries(self, start: int, stop: int) -> Sequence[bytes]:
        next(self._changes)
        return super().entries(start, stop)

    def _again(self) -> Iterator[None]:
        yield from [None] * 2  # the two bundles of the first reading
        edited(self.store, 5)
        while True:
            yield


def test_what_changes_while_it_is_copied_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(LogDoesNotFit, match="changed"):
        Mirror(Changing(log_of(300)), FolderShelf(tmp_path), KEYS).catch_up()
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    "path", ["tile/entries/001.p/144", "tile/0/001.p/144", "tile/entries/001.p/44", "tile/0/001"]
)
def test_a_file_that_is_another_is_never_written_over(tmp_path: Path, path: str) -> None:
    store = log_of(300)
    mirror_of(store, FolderShelf(tmp_path)).catch_up()
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_bytes(b"\x00\x01x")
    fill(store, 300, 400)
    if path.endswith("144"):
        with pytest.raises(LogDoesNotFit, match="another"):
            mirror_of(store, FolderShelf(tmp_path)).catch_up()
    else:
        # What this round does not write is not looked at: auditors do.
        mirror_of(store, FolderShelf(tmp_path)).catch_up()
    assert (tmp_path / path).read_bytes() == b"\x00\x01x"


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/1/000.p/1"])
def test_a_damaged_edge_is_not_built_upon(tmp_path: Path, path: str) -> None:
    store = log_of(300)
    mirror_of(store, FolderShelf(tmp_path)).catch_up()
    data = (tmp_path / path).read_bytes()
    (tmp_path / path).write_bytes(bytes([data[0] ^ 1]) + data[1:])
    fill(store, 300, 400)
    with pytest.raises(LogDoesNotFit, match="own tiles"):
        mirror_of(store, FolderShelf(tmp_path)).catch_up()


@pytest.mark.parametrize("note", [b"rubbish", None, signed(size=100), signed(size=9, by=OTHER_KEY)])
def test_the_checkpoint_by_that_name_is_no_more_than_a_hint(
    tmp_path: Path, note: bytes | None
) -> None:
    """Whoever may put files may replace it; what the mirror knows stands beside it."""
    mirror_of(log_of(300), FolderShelf(tmp_path)).catch_up()
    (tmp_path / "checkpoint").unlink()
    if note is not None:
        (tmp_path / "checkpoint").write_bytes(note)
    with pytest.raises(LogTampered):
        mirror_of(log_of(200), FolderShelf(tmp_path)).catch_up()
    mirror_of(_grown(301), FolderShelf(tmp_path)).catch_up()
    assert verified(tmp_path) == 301


def test_a_checkpoint_that_somebody_else_put_there_stops_it(tmp_path: Path) -> None:
    store = log_of(300)
    mirror = mirror_of(store, FolderShelf(tmp_path))
    mirror.catch_up()
    (tmp_path / checkpoint_path(10**9)).write_bytes(signed(size=10**9, by=OTHER_KEY))
    with pytest.raises(AuditError):
        mirror.catch_up()


def test_a_true_checkpoint_under_another_size_stops_it(tmp_path: Path) -> None:
    store = log_of(200)
    mirror_of(store, FolderShelf(tmp_path)).catch_up()
    fill(store, 200, 300)
    mirror_of(store, FolderShelf(tmp_path)).catch_up()
    (tmp_path / checkpoint_path(300)).write_bytes(store.checkpoints[0])
    with pytest.raises(LogDoesNotFit):
        mirror_of(store, FolderShelf(tmp_path)).catch_up()


def test_what_was_mirrored_last_and_is_not_shown_is_missed(tmp_path: Path) -> None:
    store = log_of(200)
    mirror = mirror_of(store, FolderShelf(tmp_path))
    mirror.catch_up()
    (tmp_path / checkpoint_path(200)).unlink()
    with pytest.raises(LogDoesNotFit, match="no longer shows"):
        mirror.catch_up()


def test_two_that_take_turns_write_one_mirror(tmp_path: Path) -> None:
    store = log_of(10)
    mirrors = [mirror_of(store, FolderShelf(tmp_path)) for _ in range(2)]
    for size in range(11, 30):
        mirrors[size % 2].catch_up()
        fill(store, size - 1, size)
    assert mirrors[0].catch_up() is not None
    assert mirrors[1].catch_up() is None
    assert verified(tmp_path) == 29


def test_one_that_another_has_overtaken_refuses_a_fork_at_an_unused_size(tmp_path: Path) -> None:
    """Its memory ends at 300, and a fork of 350 would fit between."""
    slow = mirror_of(log_of(300), FolderShelf(tmp_path))
    slow.catch_up()
    mirror_of(_grown(400), FolderShelf(tmp_path)).catch_up()
    fork = log_of(300)
    for number in range(50):
        fork.enqueue(event(5_000 + number).to_bytes())
    fill(fork, 300, 300)
    slow._log = Published(fork)
    with pytest.raises(LogTampered):
        slow.catch_up()
    assert verified(tmp_path) == 400
