"""A new release in the middle of an upload: processes are told to end and come back."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from tests.gateway.processes import free_port
from tests.gateway.sftp.conftest import SftpProcess, person_at
from tests.gateway.sftp.test_attacks import session
from tests.gateway.sftp.test_clients import arrived
from tests.gateway.stand import POLICE, Stand


@contextmanager
def web_process(environ: Mapping[str, str], port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """`gateway web`, until it ends."""
    command = [sys.executable, "-m", "gateway", "web", "--bind", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, env={**os.environ, **environ}) as process:
        deadline = time.monotonic() + 60
        while not _answers(port):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield process
        if process.poll() is None:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.RequestException:
        return False


def test_an_upload_that_has_begun_is_finished_by_the_process_that_ends(stand: Stand) -> None:
    sender, port = stand.sender(POLICE), free_port()
    message = sender.message(1)
    head = (
        "POST /v1/submissions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: Bearer {sender.token}\r\nContent-Type: application/pgp-encrypted\r\n"
        f"Content-Length: {len(message)}\r\n\r\n"
    )
    with (
        web_process(stand.environ, port) as process,
        socket.create_connection(("127.0.0.1", port), timeout=30) as line,
    ):
        line.sendall(head.encode() + message[:100])
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        time.sleep(1)
        line.sendall(message[100:])
        answer = b""
        while block := line.recv(65536):
            answer += block
        assert answer.startswith(b"HTTP/1.1 201")
        assert process.wait(timeout=40) == 0
    assert stand.post(sender, message).get_json()["repeated"] is True


@pytest.fixture
def door(environ: dict[str, str], stand: Stand, tmp_path: Path) -> Iterator[SftpProcess]:
    """An SFTP process that is replaced."""
    running = SftpProcess(environ, tmp_path)
    running.start()
    yield running
    running.stop()


def test_a_file_over_sftp_goes_on_in_the_process_that_comes(
    stand: Stand, door: SftpProcess, tmp_path: Path
) -> None:
    guest = person_at(stand, door, tmp_path, POLICE)
    message = guest.message()
    data, half = message.read_bytes(), message.stat().st_size // 2
    with suppress(OSError, EOFError), session(guest) as sftp:
        file = sftp.open("/inbox/return.pgp", "wb")
        file.write(data[:half])
        assert file.stat().st_size == half
        door.stop()
    door.start()
    with session(guest) as sftp:
        assert sftp.stat("/inbox/return.pgp").st_size == half
        with sftp.open("/inbox/return.pgp", "ab") as file:
            file.write(data[half:])
    arrived(stand, guest, message)
