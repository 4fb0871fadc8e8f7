"""The exported log before people who know nothing of us: Go's own packages for transparency logs.

`peers/replay.go` uses golang.org/x/mod/sumdb/note and .../tlog as Debian packages them
(golang-golang-x-mod-dev). It must accept what is honest, and refuse every forgery.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.export import export_tiles
from audit.tiles import StoreSource, pack_bundle, unpack_bundle
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import ORIGIN, OTHER_KEY, OTHER_LOG, SIGNER, event, fill, log_of
from tests.audit.test_replay import rewritten

SOURCE = Path(__file__).parent / "peers" / "replay.go"
GOCODE = Path("/usr/share/gocode")
SUMDB = GOCODE / "src/golang.org/x/mod/sumdb"
MISSING = "needs Go and its sumdb packages: apt-get install golang-go golang-golang-x-mod-dev"
SIZE = 70_000


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built offline: GOPATH mode finds the packages where Debian puts them."""
    if shutil.which("go") is None or not SUMDB.is_dir():
        assert os.environ.get("CI") != "true", MISSING
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("go")
    offline = {"GO111MODULE": "off", "GOPATH": str(GOCODE), "GOPROXY": "off", "GOFLAGS": ""}
    cache = {"GOCACHE": str(folder / "cache"), "CGO_ENABLED": "0", "PATH": os.environ["PATH"]}
    command = ["go", "build", "-o", str(folder / "replay"), str(SOURCE)]
    subprocess.run(command, check=True, env=offline | cache, capture_output=True)
    return folder / "replay"


def run(program: Path, log: Path, *earlier: Path, key: str = SIGNER.vkey) -> tuple[int, str]:
    command = [str(program), str(log), key, *map(str, earlier)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def exported(store: MemoryStore, folder: Path) -> Path:
    export_tiles(StoreSource(store), folder)
    return folder


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600])
def test_go_accepts_an_honest_log(replay: Path, tmp_path: Path, size: int) -> None:
    log = exported(log_of(size), tmp_path)
    status, said = run(replay, log)
    assert (status, said.split()[0]) == (0, str(size)), said


def test_go_accepts_a_log_of_three_levels_and_all_that_it_once_was(
    replay: Path, tmp_path: Path
) -> None:
    store = log_of(1, 255, 256, 300, 65_535, SIZE)
    earlier = []
    for number, note in enumerate(store.checkpoints):
        earlier.append(tmp_path / f"checkpoint-{number}")
        earlier[-1].write_bytes(note)
    status, said = run(replay, exported(store, tmp_path / "log"), *earlier)
    assert status == 0, said


def edit_entry(log: Path) -> None:
    bundle = log / "tile/entries/001"
    bundle.write_bytes(
        bundle.read_bytes().replace(b'"outcome":"success"', b'"outcome":"refused"', 1)
    )


def edit_last_entry(log: Path) -> None:
    bundle = log / "tile/entries/002.p/88"
    entries = unpack_bundle(bundle.read_bytes())
    bundle.write_bytes(pack_bundle([*entries[:-1], event(9_999).to_bytes()]))


def edit_tile(log: Path) -> None:
    tile = log / "tile/0/001"
    data = tile.read_bytes()
    tile.write_bytes(data[:64] + bytes(32) + data[96:])


def edit_upper_tile(log: Path) -> None:
    tile = log / "tile/1/000.p/2"
    tile.write_bytes(tile.read_bytes()[:32] + bytes(32))


def delete_entry(log: Path) -> None:
    bundle = log / "tile/entries/000"
    bundle.write_bytes(pack_bundle(unpack_bundle(bundle.read_bytes())[1:]))


def reorder(log: Path) -> None:
    bundle = log / "tile/entries/000"
    first, second, *rest = unpack_bundle(bundle.read_bytes())
    bundle.write_bytes(pack_bundle([second, first, *rest]))


def add_a_byte(log: Path) -> None:
    bundle = log / "tile/entries/002.p/88"
    bundle.write_bytes(bundle.read_bytes() + b"\0")


def cut_a_tile(log: Path) -> None:
    tile = log / "tile/0/000"
    tile.write_bytes(tile.read_bytes()[:-1])


def lose_a_bundle(log: Path) -> None:
    (log / "tile/entries/001").unlink()


def wrong_root(log: Path) -> None:
    (log / "checkpoint").write_bytes(sign_checkpoint(Checkpoint(ORIGIN, 600, bytes(32)), SIGNER))


def wrong_size(log: Path) -> None:
    head = Checkpoint.verify((log / "checkpoint").read_bytes(), verifier=SIGNER.verifier)
    (log / "checkpoint").write_bytes(sign_checkpoint(Checkpoint(ORIGIN, 599, head.root), SIGNER))


def wrong_key(log: Path) -> None:
    head = Checkpoint.verify((log / "checkpoint").read_bytes(), verifier=SIGNER.verifier)
    (log / "checkpoint").write_bytes(sign_checkpoint(head, OTHER_KEY))


def wrong_signature(log: Path) -> None:
    data = (log / "checkpoint").read_bytes()
    (log / "checkpoint").write_bytes(data.replace(b"\n600\n", b"\n601\n"))


@pytest.mark.parametrize(
    "forge",
    [
        edit_entry,
        edit_last_entry,
        edit_tile,
        edit_upper_tile,
        delete_entry,
        reorder,
        add_a_byte,
        cut_a_tile,
        lose_a_bundle,
        wrong_root,
        wrong_size,
        wrong_key,
        wrong_signature,
    ],
)
def test_go_refuses_a_forged_log(
    replay: Path, tmp_path: Path, forge: Callable[[Path], None]
) -> None:
    log = exported(log_of(600), tmp_path)
    assert run(replay, log)[0] == 0
    forge(log)
    status, said = run(replay, log)
    assert status == 1, said


def test_go_refuses_another_key_and_another_log(replay: Path, tmp_path: Path) -> None:
    log = exported(log_of(5), tmp_path)
    for key in (OTHER_KEY.vkey, OTHER_LOG.vkey, SIGNER.vkey[:-4] + "AAA="):
        assert run(replay, log, key=key)[0] == 1


def test_go_refuses_a_rewritten_and_a_shortened_past(replay: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(log_of(600).checkpoints[-1])
    entries = [event(number).to_bytes() for number in [*range(500), *range(700, 900)]]
    for name, store in {"rewritten": rewritten(entries), "short": log_of(500)}.items():
        log = exported(store, tmp_path / name)
        assert run(replay, log)[0] == 0
        status, said = run(replay, log, kept)
        assert status == 1, said


def test_go_follows_a_log_as_it_grows(replay: Path, tmp_path: Path) -> None:
    store = log_of(300)
    (tmp_path / "kept").write_bytes(store.checkpoints[-1])
    exported(store, tmp_path / "log")
    fill(store, 300, 900)
    assert run(replay, exported(store, tmp_path / "log"), tmp_path / "kept")[0] == 0
