"""The SFTP process as an operator runs it, and people at agencies with keys of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from secrets import token_bytes, token_hex

import paramiko
import pytest
from paramiko.sftp import CMD_CLOSE

from gateway.flow.sshkeys import PublicKey
from tests.deploy.units import of_process
from tests.gateway.processes import free_port
from tests.gateway.stand import ADMINISTRATOR, POLICE, Sender, Stand

REPORT = 24 << 20


def make_ssh_key(path: Path, *options: str) -> Path:
    """A new key pair, made by OpenSSH."""
    command = ["ssh-keygen", "-q", "-N", "", "-C", "zoe@agency", "-f", str(path)]
    subprocess.run([*command, *(options or ("-t", "ed25519"))], check=True)
    return path


def put_and_hear(sftp: paramiko.SFTPClient, path: str, data: bytes) -> None:
    """Send a file and hear how its close ended, which paramiko's own files do not tell."""
    file = sftp.open(path, "wb")
    file.write(data)
    sftp._request(CMD_CLOSE, file.handle)


class SftpProcess:
    """`gateway sftp`, which can be killed and started again on the same port."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self.port = free_port()
        self.spool = folder / "spool"
        self.spool.mkdir(mode=0o700)
        self.host_key = make_ssh_key(folder / "host_key")
        self.known_hosts = folder / "known_hosts"
        public = self.host_key.with_suffix(".pub").read_text()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}")
        self._log = folder / "sftp.log"
        self._environ = {
            **os.environ,
            **of_process("sftp"),
            **environ,
            "SFTP_HOST_KEY_FILE": str(self.host_key),
            "SFTP_SPOOL_FOLDER": str(self.spool),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **changed: str) -> None:
        """Start, and wait until it answers."""
        command = [sys.executable, "-m", "gateway", "sftp", "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**self._environ, **changed}, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, or kill it."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=40)
            self._process = None

    def log(self) -> str:
        """What it said."""
        return self._log.read_text()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process is not None
        return self._process.pid

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
                return line.recv(4) == b"SSH-"
        except OSError:
            return False


@dataclass(frozen=True)
class Person:
    """Somebody at an agency, with an SSH key that is enrolled."""

    door: SftpProcess
    key: Path
    sender: Sender
    folder: Path
    extra: tuple[str, ...] = ()

    @property
    def options(self) -> list[str]:
        """What every client of OpenSSH is told."""
        return [
            *("-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"),
            *("-o", f"UserKnownHostsFile={self.door.known_hosts}", "-i", str(self.key)),
            *self.extra,
        ]

    def sftp(self, *lines: str) -> "subprocess.CompletedProcess[str]":
        """OpenSSH's sftp with a batch of commands."""
        command = ["sftp", *self.options, "-b", "-", "-P", str(self.door.port), "ctds@127.0.0.1"]
        batch = "".join(f"{line}\n" for line in lines)
        return subprocess.run(
            command, input=batch, capture_output=True, text=True, timeout=120, check=False
        )

    def message(self, count: int = 1) -> Path:
        """A good package of invented children, encrypted, in a file."""
        path = self.folder / f"return-{token_hex(4)}.pgp"
        path.write_bytes(self.sender.message(count))
        return path


@pytest.fixture(scope="module")
def door(
    stand: Stand, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SftpProcess]:
    """The SFTP process of the stand."""
    running = SftpProcess(environ, tmp_path_factory.mktemp("sftp"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_door(
    stand: Stand, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SftpProcess]:
    """An SFTP process of the stand for one test, which may kill it."""
    running = SftpProcess(environ, tmp_path_factory.mktemp("own"))
    running.start()
    yield running
    running.stop()


def person_at(
    stand: Stand, door: SftpProcess, folder: Path, agency_id: str, *options: str
) -> Person:
    """Enrol an agency, and a key of somebody there."""
    sender = stand.sender(agency_id)
    key = make_ssh_key(folder / f"key-{token_hex(4)}", *options)
    stand.admin.ssh_keys.enrol(
        PublicKey.parse(key.with_suffix(".pub").read_text()),
        agency_id=agency_id,
        subject=f"upload-{token_hex(4)}",
        valid_for=timedelta(days=1),
        by=ADMINISTRATOR,
    )
    return Person(door, key, sender, folder)


@pytest.fixture
def person(stand: Stand, door: SftpProcess, tmp_path: Path) -> Person:
    """Somebody at the police."""
    return person_at(stand, door, tmp_path, POLICE)


@pytest.fixture(scope="session")
def content() -> bytes:
    """Ciphertext of a report that is large."""
    return token_bytes(REPORT)
