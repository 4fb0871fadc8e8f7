"""Kits that convict: from each tampering that is signed, and never against an honest log.

Each is checked twice: by our code, and by the shell script within, which has only openssl.
"""

import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.errors import AuditError, Fault, LogTampered
from audit.evidence import Kit, altered_entry, check_kit, fork, no_entry, repeated, rewritten
from audit.export import export_tiles
from audit.gather import gather
from audit.keyring import LogKeys
from audit.merkle import leaf_hash
from audit.proof import TlogProof
from audit.replay import replay
from audit.tiles import FolderSource, StoreSource, pack_bundle, unpack_bundle
from audit.tree import TileTree
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import ORIGIN, OTHER_KEY, OTHER_LOG, SIGNER, event, log_of
from tests.audit.test_replay import rewritten as signed_again

KEYS = LogKeys((SIGNER.verifier,))
GOOD = log_of(300, 600)
OLD, HEAD = GOOD.checkpoints


def entries(*numbers: range) -> list[bytes]:
    return [event(number).to_bytes() for numbers_ in numbers for number in numbers_]


def other_past() -> MemoryStore:
    return signed_again(entries(range(200), range(700, 1_200)))


def found_in(store: MemoryStore, *known: bytes) -> tuple[LogTampered, StoreSource]:
    source = StoreSource(store)
    since = [KEYS.checkpoint(note) for note in known]
    with pytest.raises(LogTampered) as caught:
        replay(source, verifier=KEYS, since=since)
    return caught.value, source


def kit_of(store: MemoryStore, *known: bytes) -> Kit:
    found, source = found_in(store, *known)
    gathered = gather(found, source, keys=KEYS, known=known)
    assert gathered is not None
    return gathered[0]


def by_shell(folder: Path, *keys: str) -> "subprocess.CompletedProcess[str]":
    assert shutil.which("openssl"), "openssl belongs to every system that has ca-certificates"
    command = ["sh", str(folder / "check.sh"), *(keys or (SIGNER.vkey,))]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def forked() -> Kit:
    return kit_of(signed_again(entries(range(599), range(700, 701))), HEAD)


def history_rewritten() -> Kit:
    return kit_of(other_past(), OLD)


def event_repeated() -> Kit:
    return kit_of(signed_again([*entries(range(500)), event(7, outcome="failed").to_bytes()]))


def nonsense_signed() -> Kit:
    return kit_of(signed_again([*entries(range(300)), b'{"name":"A Child"}']))


def entry_edited_where_it_is_served() -> Kit:
    store = log_of(600)
    store.leaves[300] = (event(300, outcome="failed").to_bytes(), store.leaves[300][1])
    return kit_of(store)


MADE: dict[str, Callable[[], Kit]] = {
    "fork": forked,
    "rewritten": history_rewritten,
    "repeated-event": event_repeated,
    "no-entry": nonsense_signed,
    "altered-entry": entry_edited_where_it_is_served,
}


@pytest.mark.parametrize("claim", MADE)
def test_a_kit_convicts_before_us_and_before_a_stranger(claim: str, tmp_path: Path) -> None:
    kit = MADE[claim]()
    assert kit.claim == claim
    kit.write(tmp_path / "kit", "What happened, in a sentence.")
    assert check_kit(Kit.read(tmp_path / "kit"), KEYS).claim == claim
    done = by_shell(tmp_path / "kit")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"PROVEN: {claim}"), done.stderr
    assert f"Claim: {claim}" in (tmp_path / "kit" / "README.txt").read_text()
    # A log of the same name with another key is not convicted.
    for key in (OTHER_KEY, OTHER_LOG):
        with pytest.raises(AuditError):
            check_kit(kit, LogKeys((key.verifier,)))
        assert by_shell(tmp_path / "kit", key.vkey).returncode != 0


@pytest.mark.parametrize("claim", MADE)
def test_no_file_of_a_kit_can_be_altered_or_missing(claim: str, tmp_path: Path) -> None:
    made = MADE[claim]()
    for number, name in enumerate(made.files):
        data = made.files[name]
        middle = len(data) // 2
        altered = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        kit = replace(made, files={**made.files, name: altered})
        if (claim, name) == ("altered-entry", "served.entry"):
            # Anything that was not signed is altered, too: who served it is for witnesses to say.
            assert check_kit(kit, KEYS).claim == claim
            continue
        with pytest.raises(AuditError):
            check_kit(kit, KEYS)
        folder = tmp_path / str(number)
        kit.write(folder, "")
        assert by_shell(folder).returncode != 0, name
        (folder / name).unlink()
        with pytest.raises(AuditError, match="no file"):
            Kit.read(folder)


def proof(index: int, store: MemoryStore = GOOD) -> TlogProof:
    head = store.checkpoints[-1]
    size = KEYS.checkpoint(head).size
    path = TileTree(size, StoreSource(store)).inclusion(index)
    return TlogProof(index, tuple(path), head, store.leaves[index][0])


def root(size: int) -> bytes:
    return TileTree(size, StoreSource(GOOD)).root()


def consistency(old: int, new: int = 600) -> list[bytes]:
    return TileTree(new, StoreSource(GOOD)).consistency(old)


def signed(size: int, digest: bytes) -> bytes:
    return sign_checkpoint(Checkpoint(ORIGIN, size, digest), OTHER_KEY)


def shown_as(note: bytes) -> bytes:
    """A checkpoint of another key under the name and id of the log's."""
    text, _, line = note.decode().partition("\n\n")
    raw = SIGNER.verifier.key_id + bytes(64)
    return f"{text}\n\n{line.rsplit(' ', 1)[0]} {b64encode(raw).decode()}\n".encode()


FABRICATED: dict[str, Kit] = {
    "a checkpoint against itself": fork(HEAD, HEAD),
    "two sizes are no fork": fork(OLD, HEAD),
    "a fork by another key": fork(HEAD, signed(600, bytes(32))),
    "a fork with a signature made up": fork(HEAD, shown_as(signed(600, bytes(32)))),
    "an honest extension": rewritten(OLD, HEAD, root(300), consistency(300)),
    "a beginning made up": rewritten(OLD, HEAD, bytes(32), consistency(300)),
    "a beginning of another size": rewritten(OLD, HEAD, root(301), consistency(301)),
    "a proof cut short": rewritten(OLD, HEAD, root(300), consistency(300)[:-1]),
    "a proof made longer": rewritten(OLD, HEAD, root(300), [*consistency(300), bytes(32)]),
    "old and new exchanged": rewritten(HEAD, OLD, root(300), consistency(300)),
    "one and the same entry": repeated(proof(7), proof(7)),
    "two events": repeated(proof(7), proof(8)),
    "an entry at a false index": repeated(proof(7), replace(proof(7), index=8)),
    "an entry beyond the tree": repeated(proof(7), replace(proof(7), index=607)),
    "an entry that is one": no_entry(proof(7)),
    "nonsense that was not signed": no_entry(replace(proof(7), extra=b"{}")),
    "what was signed was served": altered_entry(
        replace(proof(7), extra=None), leaf_hash(GOOD.leaves[7][0]), GOOD.leaves[7][0]
    ),
    "a leaf made up": altered_entry(replace(proof(7), extra=None), bytes(32), GOOD.leaves[7][0]),
}


@pytest.mark.parametrize("story", FABRICATED)
def test_an_honest_log_cannot_be_accused(story: str, tmp_path: Path) -> None:
    kit = FABRICATED[story]
    with pytest.raises(AuditError):
        check_kit(kit, KEYS)
    kit.write(tmp_path / "kit", "")
    if kit.claim == "no-entry" and story == "an entry that is one":
        return  # The shell cannot read entries: it proves what was signed, and says what is left.
    assert by_shell(tmp_path / "kit").returncode != 0


def test_a_shell_takes_no_orders_from_a_kit(tmp_path: Path) -> None:
    forked().write(tmp_path / "kit", "")
    mark = tmp_path / "mark"
    (tmp_path / "kit" / "one.checkpoint").write_bytes(
        f"$(touch {mark})\n600\n`touch {mark}`\n\n\u2014 x'; touch {mark}; ' AAAA\n".encode()
    )
    assert by_shell(tmp_path / "kit").returncode != 0
    assert by_shell(tmp_path / "kit", f"a'; touch {mark}; '+1+1").returncode != 0
    assert not mark.exists()


@pytest.mark.parametrize("claim", ["", "murder\n", "fork\nrewritten\n", "\xff"])
def test_an_unknown_claim_is_refused(claim: str, tmp_path: Path) -> None:
    forked().write(tmp_path / "kit", "")
    (tmp_path / "kit" / "claim").write_bytes(claim.encode("latin-1"))
    with pytest.raises(AuditError, match="claim"):
        Kit.read(tmp_path / "kit")


def test_a_kit_is_not_written_over_another(tmp_path: Path) -> None:
    forked().write(tmp_path / "kit", "")
    with pytest.raises(FileExistsError):
        forked().write(tmp_path / "kit", "")


def test_a_file_that_never_ends_is_not_read(tmp_path: Path) -> None:
    forked().write(tmp_path / "kit", "")
    (tmp_path / "kit" / "claim").unlink()
    (tmp_path / "kit" / "claim").symlink_to("/dev/zero")
    with pytest.raises(AuditError):
        Kit.read(tmp_path / "kit")


def test_what_is_not_signed_makes_no_kit(tmp_path: Path) -> None:
    """A damaged folder is its server's fault: there is a finding, and nobody is accused."""
    export_tiles(StoreSource(GOOD), tmp_path)
    (tmp_path / "tile/1/000.p/2").write_bytes(bytes(64))
    source = FolderSource(tmp_path)
    with pytest.raises(LogTampered) as caught:
        replay(source, verifier=KEYS)
    assert caught.value.fault is Fault.TILE
    assert gather(caught.value, source, keys=KEYS) is None


def test_a_shorter_log_is_no_proof_until_it_grows() -> None:
    found, source = found_in(log_of(500), HEAD)
    assert found.fault is Fault.SHORTER
    assert gather(found, source, keys=KEYS, known=[HEAD]) is None
    assert kit_of(signed_again(entries(range(500), range(700, 900))), HEAD).claim == "rewritten"


def test_a_tamperer_says_since_when(tmp_path: Path) -> None:
    """Checkpoints that are still extended say up to where the log is good."""
    kept = log_of(100, 150, 300, 600).checkpoints
    found, source = found_in(other_past(), *kept)
    assert (found.fault, found.good_size, found.index) == (Fault.REWRITTEN, 150, 300)
    gathered = gather(found, source, keys=KEYS, known=kept)
    assert gathered is not None
    assert [checkpoint.size for checkpoint in gathered[1].checkpoints] == [300, 700]


def test_an_entry_edited_in_a_folder_is_shown_beside_what_was_signed(tmp_path: Path) -> None:
    export_tiles(StoreSource(GOOD), tmp_path / "log")
    bundle = tmp_path / "log/tile/entries/001"
    parts = unpack_bundle(bundle.read_bytes())
    parts[5] = event(261, outcome="failed").to_bytes()
    bundle.write_bytes(pack_bundle(parts))
    source = FolderSource(tmp_path / "log")
    with pytest.raises(LogTampered, match="entry 261 ") as caught:
        replay(source, verifier=KEYS)
    gathered = gather(caught.value, source, keys=KEYS)
    assert gathered is not None
    assert gathered[0].files["served.entry"] == parts[5]
    assert gathered[1].sentence == "What was served as entry 261 is not what the log signed."
