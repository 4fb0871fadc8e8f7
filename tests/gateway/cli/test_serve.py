"""`gateway serve`: everything from nothing, on one machine, and nothing left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests
from asyncssh import read_private_key

from crypto import load_certificate
from tests.docs.pages import ROOT
from tests.gateway.cli.shell import Shell

pytestmark = pytest.mark.journey
CHILDREN = {"signer", "web", "sftp", "sequencer", "mirror", "worker-1"}


@dataclass
class Serving:
    """A `gateway serve` that runs."""

    process: "subprocess.Popen[str]"
    folder: Path
    url: str
    said: Path

    def pid(self, name: str) -> int:
        """The process id that a pid file names."""
        return int((self.folder / f"{name}.pid").read_text())

    def is_ready(self) -> bool:
        """Whether database and object store answer through the web process."""
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except requests.RequestException:
            return False

    def family(self) -> list[psutil.Process]:
        """Everything that it started."""
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One for the module; it is stopped by the last test, or here."""
    base = tmp_path_factory.mktemp("serve")
    folder, said = base / "gateway", base / "said"
    command = [sys.executable, "-m", "gateway", "serve", "--folder", str(folder), "--port", "0"]
    with said.open("w") as talk:
        process = subprocess.Popen(command, stdout=talk, stderr=talk, text=True)
    try:
        _until(lambda: "ready at" in said.read_text() or process.poll() is not None)
        assert process.poll() is None, said.read_text()
        url = said.read_text().partition("ready at ")[2].split()[0]
        yield Serving(process, folder, url, said)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)


def _until(done: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


def test_it_is_ready_when_it_says_so(serving: Serving) -> None:
    assert serving.is_ready()


def test_it_says_the_fingerprint_that_agencies_are_told(serving: Serving) -> None:
    certificate = requests.get(f"{serving.url}/v1/certificate", timeout=5).content
    fingerprint = load_certificate(certificate).fingerprint
    assert f"which agencies are told, is {fingerprint}\n" in serving.said.read_text()


def test_it_says_the_host_key_that_agencies_pin(serving: Serving) -> None:
    key = read_private_key(serving.folder / "keys" / "ssh-host-key")
    said = serving.said.read_text()
    shown = re.search(
        r"^SFTP answers at sftp://127\.0\.0\.1:\d+, with the host key (.+)$", said, re.M
    )
    assert shown
    assert shown[1] == key.get_fingerprint("sha256")


def test_secrets_are_their_owners_alone_and_the_vaults_key_lies_apart(serving: Serving) -> None:
    keys, staff = serving.folder / "keys", serving.folder / "staff"
    secrets = [
        *(keys / name for name in ("gateway-key.asc", "log.skey", "pseudonym.key")),
        keys / "linkage.pepper",
        staff / "vault-key.asc",
        serving.folder / "gateway.env",
    ]
    assert [path for path in secrets if path.stat().st_mode & 0o077] == []
    # PostgreSQL's account may pass through the folder (an ACL, shown as the group's), not look.
    assert serving.folder.stat().st_mode & 0o067 == 0
    assert "vault-key" not in (serving.folder / "gateway.env").read_text()


def test_administrators_use_the_settings_that_it_wrote(serving: Serving, shell: Shell) -> None:
    env = serving.folder / "gateway.env"
    listed = shell.well("--env-file", env, "agency", "list", "--json").json()
    assert listed == {"agencies": []}
    token = shell.well("--env-file", env, "token", "issue", "auditor", "--role", "auditor")
    key = serving.folder / "keys" / "log.vkey"
    verified = shell.well(
        *("audit", "verify", "--url", serving.url, "--log-key", key),
        GATEWAY_TOKEN=token.out.strip(),
    )
    assert "token.issued" in verified.out


def test_no_secret_is_said(serving: Serving) -> None:
    said = serving.said.read_text()
    settings = dict(
        line.split("=", 1) for line in (serving.folder / "gateway.env").read_text().splitlines()
    )
    assert settings["S3_SECRET_ACCESS_KEY"] not in said
    assert settings["DATABASE_URL"] not in said


def test_every_process_has_a_pid_file(serving: Serving) -> None:
    assert serving.pid("serve") == serving.process.pid
    family = {process.pid for process in serving.family()}
    assert {serving.pid(name) for name in CHILDREN} <= family


@pytest.mark.parametrize("name", sorted(CHILDREN))
def test_a_process_that_dies_is_started_again(serving: Serving, name: str) -> None:
    before = serving.pid(name)
    os.killpg(before, signal.SIGKILL)
    _until(lambda: serving.pid(name) != before and serving.is_ready())
    assert psutil.pid_exists(serving.pid(name))


def test_nothing_is_left_when_it_is_stopped(serving: Serving) -> None:
    family = serving.family()
    assert len(family) > len(CHILDREN)
    serving.process.send_signal(signal.SIGINT)
    assert serving.process.wait(timeout=60) == 0
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
    assert list(serving.folder.glob("*.pid")) == []
    assert "Traceback" not in serving.said.read_text()


def test_it_starts_again_as_it_was_and_what_kill_9_leaves_is_stopped(serving: Serving) -> None:
    if serving.process.poll() is None:
        serving.process.terminate()
        serving.process.wait(timeout=60)
    keys = {path: path.read_bytes() for path in (serving.folder / "keys").iterdir()}
    said = serving.said.with_name("said-again")
    command = [sys.executable, "-m", "gateway", "serve", "--folder", str(serving.folder)]
    with said.open("w") as talk:
        again = subprocess.Popen([*command, "--port", "0"], stdout=talk, stderr=talk)
    family: list[psutil.Process] = []
    try:
        _until(lambda: "ready at" in said.read_text() or again.poll() is not None)
        assert again.poll() is None, said.read_text()
        assert {path: path.read_bytes() for path in keys} == keys
        family = psutil.Process(again.pid).children(recursive=True)
    finally:
        again.kill()
        again.wait(timeout=60)
        # What `make clean` runs.
        subprocess.run([ROOT / ".ci/stop", serving.folder], check=True, capture_output=True)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert [process.cmdline() for process in alive] == []
