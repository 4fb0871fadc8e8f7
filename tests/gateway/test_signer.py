"""The signer as a process: what it answers, to whom, and after it was killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint
from audit.errors import LogDoesNotFit
from audit.keyring import LogKeys
from audit.merkle import leaf_hash
from audit.sequencer import sequence_once
from audit.signing import Batch, Owed
from gateway.cli import failures
from gateway.errors import ServiceFailed
from gateway.signer import MOST_OCTETS, RemoteSigner
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import SIGNER, event, log_of
from tests.gateway.cli.shell import Shell
from tests.gateway.cli.test_auditing import exported

KEYS = LogKeys((SIGNER.verifier,))


class SignerProcess:
    """`gateway signer serve`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "socket"
        self.key, self.memory = folder / "log.skey", folder / "memory"
        self.key.write_text(SIGNER.skey())
        self.key.chmod(0o600)
        self.remote = RemoteSigner(self.socket, KEYS)

    def start(self) -> None:
        command = [sys.executable, "-m", "gateway", "signer", "serve"]
        environ = {
            "PATH": os.environ["PATH"],
            "LOG_KEY_FILE": str(self.key),
            "LOG_MEMORY_FILE": str(self.memory),
            "SIGNER_SOCKET": str(self.socket),
        }
        self.process = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.said = self.process.stderr.readline()

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        status = self.process.wait(10)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return status

    def ask(self, question: bytes) -> dict[str, str]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(self.socket))
            connection.sendall(question)
            connection.shutdown(socket.SHUT_WR)
            answer: dict[str, str] = json.loads(connection.recv(1 << 16))
            return answer


@pytest.fixture
def process(tmp_path: Path) -> Iterator[SignerProcess]:
    one = SignerProcess(tmp_path)
    one.start()
    yield one
    one.end()


def leaves(start: int, stop: int) -> tuple[bytes, ...]:
    return tuple(leaf_hash(event(number).to_bytes()) for number in range(start, stop))


def test_it_signs_what_a_sequencer_adds(process: SignerProcess) -> None:
    store = MemoryStore()
    for number in range(700):
        store.enqueue(event(number).to_bytes())
    done = (
        sequence_once(store, signer=process.remote, limit=400),
        sequence_once(store, signer=process.remote),
    )
    assert [each and each.size for each in done] == [400, 700]
    expected = Checkpoint.verify(log_of(700).checkpoints[-1], verifier=SIGNER.verifier)
    assert done[1] == expected


def test_killed_it_knows_what_it_signed(process: SignerProcess) -> None:
    note = process.remote.sign(Batch(0, leaves(0, 5)))
    process.end(signal.SIGKILL)
    with pytest.raises(ServiceFailed, match="does not answer"):
        process.remote.sign(Batch(0, leaves(0, 5)))
    process.start()
    assert "from 5 entries on" in process.said
    assert process.remote.sign(Batch(0, leaves(0, 5))) == note
    with pytest.raises(Owed) as owed:
        process.remote.sign(Batch(0, leaves(7, 9)))
    assert owed.value.batch == Batch(0, leaves(0, 5))
    process.remote.sign(Batch(5, leaves(5, 6)))
    with pytest.raises(LogDoesNotFit, match="a backup was restored"):
        process.remote.sign(Batch(0, leaves(0, 5)))


@pytest.mark.parametrize(
    "question",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"base": 0}',
        b'{"base": "0", "leaves": []}',
        b'{"base": true, "leaves": []}',
        b'{"base": -1, "leaves": []}',
        b'{"base": 0, "leaves": []}',
        b'{"base": 0, "leaves": ["AAAA"]}',
        b'{"base": 0, "leaves": [null]}',
        b'{"base": 0, "leaves": "AAAA"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_question_is_refused_and_signs_nothing(
    process: SignerProcess, question: bytes
) -> None:
    assert process.ask(question).keys() == {"refused"}
    assert not process.memory.exists()
    process.remote.sign(Batch(0, leaves(0, 1)))


def test_a_question_without_end_ends(process: SignerProcess) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(process.socket))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            connection.sendall(bytes(MOST_OCTETS * 8))
    process.remote.sign(Batch(0, leaves(0, 1)))


def test_who_says_nothing_holds_the_others_for_some_seconds_at_most(
    process: SignerProcess,
) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(process.socket))
        began = time.monotonic()
        try:
            process.remote.sign(Batch(0, leaves(0, 1)))
        except ServiceFailed:
            process.remote.sign(Batch(0, leaves(0, 1)))
        assert time.monotonic() - began < 25


def test_it_ends_when_it_is_told_to(tmp_path: Path) -> None:
    one = SignerProcess(tmp_path)
    one.start()
    assert one.end() == 0


def test_two_do_not_sign_at_once(process: SignerProcess) -> None:
    second = SignerProcess(process.folder)
    second.start()
    assert "Another signer is at work" in second.said
    assert second.process.wait(10) == failures.FAILED
    assert second.process.stderr is not None
    second.process.stderr.close()
    process.remote.sign(Batch(0, leaves(0, 1)))


def test_a_second_start_takes_the_place_of_a_dead_socket(process: SignerProcess) -> None:
    process.end(signal.SIGKILL)
    assert process.socket.exists()
    process.start()
    process.remote.sign(Batch(0, leaves(0, 1)))


def test_an_older_log_is_adopted_once_all_of_it_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell, one = Shell(monkeypatch, capsys), SignerProcess(tmp_path)
    store = log_of(300)
    folder = exported(store, tmp_path / "log")
    adopt = ("signer", "adopt", "--key", one.key, "--memory", one.memory, "--folder", folder)
    assert "from 300 entries" in shell.well(*adopt).err
    one.start()
    store.enqueue(event(300).to_bytes())
    assert sequence_once(store, signer=one.remote) is not None
    one.end()
    assert "remembers what was signed" in shell.fails(failures.FAILED, *adopt).err


def test_a_log_that_does_not_verify_is_not_adopted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell, one = Shell(monkeypatch, capsys), SignerProcess(tmp_path)
    folder = exported(log_of(300), tmp_path / "log")
    bundle = folder / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes().replace(b"success", b"failure", 1))
    shell.fails(
        failures.UNTRUSTED,
        *("signer", "adopt", "--key", one.key, "--memory", one.memory, "--folder", folder),
    )
    assert not one.memory.exists()
