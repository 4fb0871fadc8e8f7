"""`gateway receipt` and `gateway audit` on logs in folders: no network, no trust."""

from hashlib import sha256
from pathlib import Path

import pytest

from audit.export import export_tiles
from audit.receipt import make_receipt
from audit.sequencer import prove_inclusion
from audit.tiles import StoreSource
from gateway.cli import failures
from tests.audit.careless import sequence
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import OTHER_KEY, SIGNER, event, log_of
from tests.gateway.cli.shell import Shell

NO_KEY = "log.other+00000000+AAAA"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of 300 entries in a folder."""
    export_tiles(StoreSource(log_of(300)), tmp_path / "log")
    return tmp_path / "log"


def _verify(log: Path, *options: object) -> tuple[object, ...]:
    return ("audit", "verify", "--folder", log, "--log-key", SIGNER.vkey, *options)


def test_a_whole_log_is_verified_offline(shell: Shell, log: Path) -> None:
    told = shell.well(*_verify(log, "--json")).json()
    assert (told["verified"], told["entries"], told["log"]) == (True, 300, SIGNER.verifier.name)
    assert sum(told["actions"].values()) == 300


def test_the_key_may_be_in_a_file(shell: Shell, log: Path, tmp_path: Path) -> None:
    key = tmp_path / "log.vkey"
    key.write_text(f"{SIGNER.vkey}\n")
    shell.well("audit", "verify", "--folder", log, "--log-key", key)


def test_one_changed_entry_is_noticed(shell: Shell, log: Path) -> None:
    (bundle,) = (log / "tile" / "entries").rglob("44")
    digit = bundle.read_bytes()
    bundle.write_bytes(digit.replace(b"success", b"refused", 1))
    done = shell.fails(failures.UNTRUSTED, *_verify(log))
    assert "[log-tampered]" in done.err
    assert done.out == ""


def test_a_missing_tile_is_noticed(shell: Shell, log: Path) -> None:
    next((log / "tile" / "0").rglob("000")).unlink()
    shell.fails(failures.UNTRUSTED, *_verify(log))


def test_a_log_that_lost_entries_since_last_time_is_noticed(
    shell: Shell, log: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "checkpoint"
    shell.well(*_verify(log, "--keep", kept))
    export_tiles(StoreSource(log_of(200)), tmp_path / "shorter")
    done = shell.fails(failures.UNTRUSTED, *_verify(tmp_path / "shorter", "--since", kept))
    assert "shorter" in done.err


def test_a_log_that_grew_extends_last_times_checkpoint(
    shell: Shell, log: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "checkpoint"
    shell.well(*_verify(log, "--keep", kept))
    export_tiles(StoreSource(log_of(310)), tmp_path / "later")
    told = shell.well(*_verify(tmp_path / "later", "--since", kept, "--json")).json()
    assert (told["entries"], told["extends"]) == (310, 300)


def test_a_checkpoint_is_not_kept_where_verification_failed(
    shell: Shell, log: Path, tmp_path: Path
) -> None:
    next((log / "tile" / "0").rglob("000")).unlink()
    kept = tmp_path / "checkpoint"
    shell.fails(failures.UNTRUSTED, *_verify(log, "--keep", kept))
    assert not kept.exists()


def test_a_key_that_is_none_is_refused(shell: Shell, log: Path) -> None:
    done = shell.fails(failures.FAILED, "audit", "verify", "--folder", log, "--log-key", NO_KEY)
    assert "[key-refused]" in done.err
    assert "log.vkey" in done.err


def test_a_key_file_that_is_not_there_is_named(shell: Shell, log: Path, tmp_path: Path) -> None:
    missing = tmp_path / "log.vkey"
    done = shell.fails(failures.USAGE, "audit", "verify", "--folder", log, "--log-key", missing)
    assert f"{missing} is neither a file" in done.err.replace("\n", " ")


@pytest.mark.parametrize("text", ["", "not a receipt\n", "c2sp.org/tlog-proof@v1\n"])
def test_what_is_no_receipt_is_not_trusted(shell: Shell, tmp_path: Path, text: str) -> None:
    file = tmp_path / "r.tlog-proof"
    file.write_text(text)
    shell.fails(failures.UNTRUSTED, "receipt", "verify", file, "--log-key", SIGNER.vkey)


def _receipt(folder: Path, message: bytes) -> tuple[Path, Path]:
    """A message in a file, and the receipt of its entry, which is the second of three."""
    store = MemoryStore()
    digest = sha256(message).hexdigest()
    for number in range(3):
        store.enqueue(event(number, object_sha256=digest, agency_counter=number).to_bytes())
    sequence(store, signer=SIGNER)
    head = store.checkpoints[-1]
    text = make_receipt(store.leaves[1][0], 1, prove_inclusion(store, 1, head), head).to_text()
    sent, receipt = folder / "package.pgp", folder / "package.tlog-proof"
    sent.write_bytes(message)
    receipt.write_text(text)
    return sent, receipt


def test_a_receipt_is_verified_with_and_without_its_message(shell: Shell, tmp_path: Path) -> None:
    sent, receipt = _receipt(tmp_path, b"the message")
    command = ("receipt", "verify", receipt, "--log-key", SIGNER.vkey, "--json")
    told = shell.well(*command).json()
    assert (told["entry"], told["agency"]) == ("1 of 3", "POL-E23000001")
    assert told["agency_counter"] == 1
    assert "not compared" in told["message"]
    assert shell.well(*command, "--message", sent).json()["message"] == "the same bytes"


def test_a_message_with_the_end_of_an_archive_in_it_is_a_message(
    shell: Shell, tmp_path: Path
) -> None:
    """Four octets of ciphertext may be anything; how a message begins may not."""
    sent, receipt = _receipt(tmp_path, b"\x85" + b"x" * 40 + b"PK\5\6" + bytes(60))
    command = ("receipt", "verify", receipt, "--log-key", SIGNER.vkey, "--json")
    assert shell.well(*command, "--message", sent).json()["message"] == "the same bytes"


def test_a_receipt_is_not_for_another_message(shell: Shell, tmp_path: Path) -> None:
    sent, receipt = _receipt(tmp_path, b"the message")
    sent.write_bytes(b"another message")
    command = ("receipt", "verify", receipt, "--log-key", SIGNER.vkey, "--message", sent)
    assert "[receipt-refused]" in shell.fails(failures.UNTRUSTED, *command).err


def test_a_receipt_signed_by_another_log_is_not_trusted(shell: Shell, tmp_path: Path) -> None:
    _, receipt = _receipt(tmp_path, b"the message")
    shell.fails(failures.UNTRUSTED, "receipt", "verify", receipt, "--log-key", OTHER_KEY.vkey)


@pytest.mark.parametrize("junk", [b"\xff\xfe\x00binary", b"\xc3\x28"])
def test_binary_junk_in_place_of_a_receipt_leaves_no_trace_on_the_screen(
    shell: Shell, tmp_path: Path, junk: bytes
) -> None:
    file = tmp_path / "r.tlog-proof"
    file.write_bytes(junk)
    shell.fails(failures.UNTRUSTED, "receipt", "verify", file, "--log-key", SIGNER.vkey)
