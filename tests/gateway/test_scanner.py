"""Attachments and a real clamd, configured as shipped, with one signature: that of the EICAR file.

Malware goes back, what cannot be looked through goes back, and nothing is taken unscanned.
"""

import socket
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from gateway.errors import ServiceFailed
from gateway.records import State
from gateway.scanner import Scanner
from gateway.settings import Process, Settings
from gateway.wiring.worker import WorkerServices, worker_services
from tests.crypto.peers.programs import require
from tests.gateway.stand import POLICE, Sender, Stand
from tests.validators.stories import write_narratives

SHIPPED = Path(__file__).parents[2] / "deploy" / "clamav" / "clamd.conf"
# In two parts, so that no scanner takes this file for the test file.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd:
    """A clamd of this test's own, which can go away and come back."""

    def __init__(self, program: str, folder: Path) -> None:
        self.socket = folder / "clamd.ctl"
        self.scratch = folder / "scan"
        self._command = [program, "--foreground", f"--config-file={_configured(folder)}"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, "clamd does not start"
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self) -> None:
        """Go away."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as line:
            try:
                line.connect(str(self.socket))
                line.sendall(b"zPING\0")
                return line.recv(16) == b"PONG\0"
            except OSError:
                return False


def _configured(folder: Path) -> Path:
    """The shipped configuration, with places where a test may write."""
    (folder / "scan").mkdir()
    (folder / "signatures").mkdir()
    (folder / "signatures" / "eicar.ndb").write_text(f"Eicar-Test:0:0:{EICAR.hex()}\n")
    text = SHIPPED.read_text()
    for shipped, ours in {
        "LocalSocket /run/clamav/clamd.ctl": f"LocalSocket {folder / 'clamd.ctl'}",
        "DatabaseDirectory /var/lib/clamav": f"DatabaseDirectory {folder / 'signatures'}",
        "TemporaryDirectory /run/clamav-scan": f"TemporaryDirectory {folder / 'scan'}",
        "User clamav\n": "",
        "LogSyslog yes\n": "",
    }.items():
        assert text.count(shipped) == 1
        text = text.replace(shipped, ours)
    path = folder / "clamd.conf"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clamd]:
    daemon = Clamd(require("clamd", "clamav-daemon"), tmp_path_factory.mktemp("clamd"))
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.fixture
def worker(environ: dict[str, str], stand: Stand, clamd: Clamd) -> Iterator[WorkerServices]:
    """A worker of the stand that has its attachments scanned."""
    named = environ | {"MALWARE_SCANNER_SOCKET": str(clamd.socket)}
    services = worker_services(Settings.load(named, Process.WORKER))
    yield services
    services.database.dispose()


def zipped(data: bytes) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", data)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (b"", False),
        (b"A note.", False),
        (bytes(20_000_000), False),
        (EICAR, True),
        (EICAR + b"\n", True),
        (zipped(EICAR), True),
        (zipped(zipped(EICAR)), True),
    ],
    ids=["nothing", "text", "20 MB", "EICAR", "a line", "in a document", "two deep"],
)
def test_known_malware_is_found(clamd: Clamd, document: bytes, found: bool) -> None:
    assert Scanner(clamd.socket).finds_malware(document) is found
    assert list(clamd.scratch.iterdir()) == []


def test_what_cannot_be_looked_through_is_not_clean(clamd: Clamd) -> None:
    with pytest.raises(ServiceFailed):
        Scanner(clamd.socket).finds_malware(bytes(23 << 20))
    for unpacked in (230_000_000, 1_000_000_000):
        assert Scanner(clamd.socket).finds_malware(zipped(bytes(unpacked)))


@pytest.mark.parametrize(
    "reply", [b"", b"stream: OK", b"stream: OK\0more", b"stream: lost count ERROR\0", b"x" * 9000]
)
def test_only_a_verdict_is_a_verdict(tmp_path: Path, reply: bytes) -> None:
    """A scanner that ends in the middle has found nothing, and has not said so."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        answering = threading.Thread(target=_answer, args=(listening, reply))
        answering.start()
        with pytest.raises(ServiceFailed) as caught:
            Scanner(tmp_path / "s", patience=5).finds_malware(b"A note.")
        answering.join()
    assert caught.value.code == "scanner-unavailable"


def _answer(listening: socket.socket, reply: bytes) -> None:
    line, _ = listening.accept()
    with line:
        line.recv(1 << 16)
        line.sendall(reply)


def with_documents(sender: Sender, folder: Path, documents: dict[str, bytes]) -> bytes:
    """A message with narratives, each with one of these documents."""
    write_narratives(folder, documents)
    return sender.encrypt(sender.package(folder).data)


def test_malware_goes_back_and_the_rest_goes_on(
    stand: Stand, worker: WorkerServices, tmp_path: Path
) -> None:
    sender = stand.sender(POLICE)
    documents = {"good.txt": b"A note.", "bad.txt": EICAR}
    submission = stand.send(sender, with_documents(sender, tmp_path, documents))
    worker.processor.process(submission)
    assert stand.state(submission) is State.STORED
    [told] = [f for f in stand.report(sender, submission)["findings"] if f["rule"] == "CT-100"]
    assert (told["row"], told["column"]) == (3, "attachment_name")
    assert told["message"] == "attachment_name: malware was found in the file."
    kept = stand.unsealed(submission)
    assert [name for name in kept if name.startswith("attachments/")] == ["attachments/good.txt"]
    assert len(kept["NARR.jsonl"].splitlines()) == 1


def test_nothing_is_taken_while_the_scanner_is_away(
    stand: Stand, worker: WorkerServices, clamd: Clamd, tmp_path: Path
) -> None:
    sender = stand.sender(POLICE)
    submission = stand.send(sender, with_documents(sender, tmp_path, {"a.txt": b"A note."}))
    clamd.stop()
    try:
        with pytest.raises(ServiceFailed):
            worker.processor.process(submission)
        assert stand.state(submission) is State.RECEIVED
    finally:
        clamd.start()
    worker.processor.process(submission)
    assert stand.state(submission) is State.STORED
