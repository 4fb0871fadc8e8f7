"""The gateway's log before real witnesses: published is what enough of them have cosigned."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from audit.checkpoint import Checkpoint, claimed_checkpoint, sign_checkpoint
from audit.errors import NoteUntrusted
from audit.policy import Policy
from audit.receipt import Receipt, verify_receipt
from gateway.cli import failures
from gateway.errors import ServiceFailed
from gateway.sequencer import publish_newest
from gateway.witnesses import Panel
from tests.gateway.cli.shell import Shell
from tests.gateway.processes import free_port
from tests.gateway.stand import POLICE, Stand


class WitnessProcess:
    """`gateway witness serve`, as somebody else runs it."""

    def __init__(self, folder: Path, log_key: Path, *, name: str) -> None:
        self.folder = folder / name
        self.name = name
        self.port = free_port()
        self._log_key = log_key
        _gateway("witness", "key", f"{name}.example", "--out", str(self.folder))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def statement(self) -> str:
        """Its line in a policy."""
        vkey = (self.folder / "witness.vkey").read_text().strip()
        return f"witness {self.name} {vkey} {self.url}\n"

    def start(self) -> None:
        """Start, and wait until it answers."""
        key, state = self.folder / "witness.skey", self.folder / "state"
        told = ["--key", key, "--log-key", self._log_key, "--state", state, "--port", self.port]
        command = [sys.executable, "-m", "gateway", "witness", "serve", *map(str, told)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while True:
            try:
                requests.get(self.url, timeout=2)
                return
            except requests.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def stop(self, number: int = signal.SIGKILL) -> None:
        """End it, the hard way."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None


def _gateway(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "gateway", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def witnesses(
    stand: Stand, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sequence[WitnessProcess]]:
    """Three of them."""
    folder = tmp_path_factory.mktemp("witnesses")
    log_key = stand.keys.folder / "log.vkey"
    running = [WitnessProcess(folder, log_key, name=f"w{number}") for number in range(3)]
    for each in running:
        each.start()
    yield running
    for each in running:
        each.stop()


@pytest.fixture
def policy(witnesses: Sequence[WitnessProcess]) -> Policy:
    """Two of three."""
    lines = "".join(each.statement for each in witnesses)
    return Policy.from_text(f"{lines}group g 2 w0 w1 w2\nquorum g\n")


@contextmanager
def away(*which: WitnessProcess) -> Iterator[None]:
    """Some of them are not there."""
    for each in which:
        each.stop()
    try:
        yield
    finally:
        for each in which:
            each.start()


def published(stand: Stand) -> bytes:
    answer = stand.client.get("/v1/log/checkpoint")
    assert answer.status_code == 200
    return bytes(answer.data)


def test_what_is_published_has_been_seen_by_enough(
    stand: Stand, witnesses: Sequence[WitnessProcess], policy: Policy
) -> None:
    log, panel = stand.sequencer.log, Panel(policy)
    sender = stand.sender(POLICE)
    for gone in ((), (witnesses[0],), ()):
        sent = stand.send(sender, sender.message(1))
        with away(*gone):
            stand.settle()
            publish_newest(log, panel)
        note = published(stand)
        assert len(policy.require(note)) == 3 - len(gone)
        assert Checkpoint.verify(note, verifier=stand.keys.log.verifier).size > 0
        receipt = stand.get(f"/v1/submissions/{sent}/receipt", sender).get_data(as_text=True)
        verify_receipt(receipt, verifier=stand.keys.log.verifier)
        assert policy.require(Receipt.from_text(receipt).checkpoint)


def test_with_too_few_nothing_new_is_published_and_nothing_is_lost(
    stand: Stand, witnesses: Sequence[WitnessProcess], policy: Policy
) -> None:
    log, panel = stand.sequencer.log, Panel(policy)
    stand.sequence()
    publish_newest(log, panel)
    before = published(stand)
    sender = stand.sender(POLICE)
    sent = stand.send(sender, sender.message(1))
    with away(*witnesses[:2]):
        stand.settle()
        with pytest.raises(ServiceFailed, match="Too few"):
            panel.cosigned(log.head() or b"", lambda *_: [])
        publish_newest(log, panel)
        assert published(stand) == before
        waits = stand.get(f"/v1/submissions/{sent}/receipt", sender)
        assert (waits.status_code, waits.get_json()["code"]) == (503, "receipt-not-ready")
    publish_newest(log, panel)
    assert claimed_checkpoint(published(stand)).size > claimed_checkpoint(before).size
    assert stand.get(f"/v1/submissions/{sent}/receipt", sender).status_code == 200


def test_a_log_that_forks_is_not_witnessed(
    stand: Stand, witnesses: Sequence[WitnessProcess], policy: Policy
) -> None:
    """Its operator has the key and signs another history of the same length, and a longer one."""
    log, panel = stand.sequencer.log, Panel(policy)
    stand.sequence()
    publish_newest(log, panel)
    size = claimed_checkpoint(log.head() or b"").size
    for forked in (size, size + 1):
        note = sign_checkpoint(Checkpoint(stand.keys.log.name, forked, bytes(32)), stand.keys.log)
        with pytest.raises(ServiceFailed) as caught:
            panel.cosigned(note, lambda old, new: [bytes(32)] * (new > old))
        assert "w0" in caught.value.detail
        with pytest.raises(NoteUntrusted):
            policy.require(note)


def test_witnesses_say_only_what_the_specification_says(
    witnesses: Sequence[WitnessProcess],
) -> None:
    url = f"{witnesses[0].url}/add-checkpoint"
    for body, status in ((b"rubbish", 400), (b"old 0\n\nrubbish\n", 400), (b"", 400)):
        assert requests.post(url, data=body, timeout=10).status_code == status
    assert requests.post(f"{witnesses[0].url}/other", data=b"", timeout=10).status_code == 404
    assert requests.get(url, timeout=10).status_code == 501
    line = http.client.HTTPConnection("127.0.0.1", witnesses[0].port, timeout=10)
    line.putrequest("POST", "/add-checkpoint")
    line.putheader("Content-Length", str(1 << 40))
    line.endheaders()
    assert line.getresponse().status == 413
    line.close()


def test_many_who_say_nothing_do_not_hold_a_witness_for_ever(
    stand: Stand, witnesses: Sequence[WitnessProcess], policy: Policy
) -> None:
    lines = [socket.create_connection(("127.0.0.1", witnesses[2].port)) for _ in range(40)]
    try:
        stand.sender(POLICE)
        stand.sequence()
        publish_newest(stand.sequencer.log, Panel(policy))
        assert len(policy.require(published(stand))) >= 2
    finally:
        for line in lines:
            line.close()


def test_auditors_ask_for_witnesses_at_the_command_line(
    stand: Stand,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    witnesses: Sequence[WitnessProcess],
    policy: Policy,
    tmp_path: Path,
) -> None:
    sender = stand.sender(POLICE)
    sent = stand.send(sender, sender.message(1))
    stand.settle()
    publish_newest(stand.sequencer.log, Panel(policy))
    receipt = tmp_path / "r.tlog-proof"
    receipt.write_bytes(stand.get(f"/v1/submissions/{sent}/receipt", sender).data)
    lines = "".join(each.statement for each in witnesses)
    good, strict = tmp_path / "policy", tmp_path / "strict"
    good.write_text(f"{lines}group g 2 w0 w1 w2\nquorum g\n")
    stranger = tmp_path / "stranger"
    _gateway("witness", "key", "stranger.example", "--out", str(stranger))
    vkey = (stranger / "witness.vkey").read_text().strip()
    strict.write_text(f"witness s {vkey}\nquorum s\n")
    shell = Shell(monkeypatch, capsys)
    command = ("receipt", "verify", receipt, "--log-key", stand.keys.folder / "log.vkey")
    assert "w0 at 20" in shell.well(*command, "--witnesses", good).out
    assert (
        "too few witnesses" in shell.fails(failures.UNTRUSTED, *command, "--witnesses", strict).err
    )
    assert "not asked" in shell.well(*command).out


def test_the_sequencer_publishes_by_itself(
    stand: Stand,
    environ: dict[str, str],
    witnesses: Sequence[WitnessProcess],
    tmp_path: Path,
) -> None:
    lines = "".join(each.statement for each in witnesses)
    file = tmp_path / "policy"
    file.write_text(f"{lines}group g all w0 w1 w2\nquorum g\n")
    command = [sys.executable, "-m", "gateway", "sequencer"]
    changed = {**os.environ, **environ, "WITNESS_POLICY_FILE": str(file)}
    with subprocess.Popen(command, env=changed, stderr=subprocess.DEVNULL) as sequencer:
        try:
            stand.sender(POLICE)
            deadline = time.monotonic() + 30
            while claimed_checkpoint(published(stand)).size < _size(stand):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            sequencer.terminate()
    assert len(Policy.from_text(file.read_text()).require(published(stand))) == 3


def _size(stand: Stand) -> int:
    """How many entries there will be once nothing waits."""
    stand.sequence()
    return claimed_checkpoint(stand.sequencer.log.head() or b"").size
