"""deploy/systemd: systemd itself reads the units and judges them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gateway.cli import cli
from tests.deploy.environment import FOLDER as ENVIRONMENT
from tests.deploy.units import FOLDER, NAMES, environment, settings

MOST_EXPOSED = 1.5  # of 10; systemd calls everything below 2.5 safe
REQUIRED = {
    "User",
    "Restart=always",
    "MemorySwapMax=0",
    "LimitCORE=0",
    "NoNewPrivileges=true",
    "ProtectSystem=strict",
    "PrivateTmp=true",
    "MemoryDenyWriteExecute=true",
    "CapabilityBoundingSet=",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units, with a program that is there in place of the one that is not."""
    folder = tmp_path_factory.mktemp("units")
    for name in NAMES:
        text = (FOLDER / name).read_text()
        (folder / name).write_text(text.replace("/opt/gateway/bin/gateway", sys.executable))
    return folder


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Ask systemd; it is not everywhere, and there is nothing of its own to install for a test."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not here (not a systemd machine)")
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("name", NAMES)
def test_systemd_understands_every_line(installed: Path, name: str) -> None:
    done = analyze("verify", "--man=no", str(installed / name))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_systemd_finds_little_exposed(installed: Path, name: str) -> None:
    done = analyze(
        "security",
        "--offline=true",
        "--no-pager",
        f"--threshold={MOST_EXPOSED * 10:.0f}",
        str(installed / name),
    )
    assert done.returncode == 0, done.stdout[-500:]


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_keeps_plaintext_in_memory_and_gives_up_every_right(name: str) -> None:
    said = set(settings(name)) | {line.partition("=")[0] for line in settings(name)}
    assert said >= REQUIRED


@pytest.mark.parametrize("name", NAMES)
def test_the_signer_has_no_network_and_the_others_no_odd_one(name: str) -> None:
    said = settings(name)
    if "signer" in name:
        assert {"PrivateNetwork=true", "RestrictAddressFamilies=AF_UNIX"} <= set(said)
    else:
        assert "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6" in said


def test_no_two_processes_share_a_user_or_an_environment() -> None:
    for key in ("User", "EnvironmentFile"):
        values = [line for name in NAMES for line in settings(name) if line.startswith(f"{key}=")]
        assert len(set(values)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_reads_an_environment_that_has_an_example(name: str) -> None:
    (line,) = [line for line in settings(name) if line.startswith("EnvironmentFile=")]
    assert (ENVIRONMENT / f"{Path(line).name}.example").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_every_user_is_made(name: str) -> None:
    (user,) = [line[5:] for line in settings(name) if line.startswith("User=")]
    assert re.search(rf"^u {user} ", (FOLDER / "sysusers.conf").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_starts_a_command_that_exists(name: str) -> None:
    (line,) = [line for line in settings(name) if line.startswith("ExecStart=")]
    program, *words = line.removeprefix("ExecStart=").split()
    assert program == "/opt/gateway/bin/gateway"
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None
    known = {option for each in command.params for option in each.opts}
    assert {word for word in words if word.startswith("--")} <= known


DENIED = """
import ctypes
import sys
if ctypes.CDLL(None).prctl({PR_SET_MDWE}, {REFUSE_EXEC_GAIN}, 0, 0, 0):
    sys.exit("unsupported")
from datetime import UTC, datetime, timedelta
from io import BytesIO
import gateway.cli.{process}
from crypto import Keyring, generate_key, open_message, seal, sign_and_encrypt
now = datetime.now(UTC)
keyring = Keyring.load([generate_key("A <a@a.test>", now=now - timedelta(1), valid_for=None)])
message, sealed = BytesIO(), BytesIO()
parties = list(keyring.certificates)
sign_and_encrypt(BytesIO(b"x"), message, signer=keyring, recipients=parties, now=now)
message.seek(0)
opened = open_message(message, keyring=keyring, senders=parties, now=now)
seal(opened.plaintext, sealed, recipients=parties, context="x", now=now)
print(sealed.tell() > 0)
"""


SIGNING = """
import ctypes
import sys
from pathlib import Path
from tempfile import mkdtemp
if ctypes.CDLL(None).prctl({PR_SET_MDWE}, {REFUSE_EXEC_GAIN}, 0, 0, 0):
    sys.exit("unsupported")
from audit.signing import Batch, SignedEdge
from gateway.cli.signer import Signer, SignerServer
edge = SignedEdge([Signer.generate("log.test")], Path(mkdtemp()) / "memory")
signed = edge.sign(Batch(0, (bytes(32),)))
print(bool(signed) and not {{"polars", "sqlalchemy", "boto3", "flask"}} & sys.modules.keys())
"""


@pytest.mark.parametrize("name", NAMES)
def test_nothing_needs_memory_that_is_writable_and_executable(name: str) -> None:
    """What MemoryDenyWriteExecute asks, by the kernel's own switch for it (Linux 6.3, prctl 65)."""
    asked = SIGNING if "signer" in name else DENIED
    process = re.split("[@.]", name.removeprefix("gateway-"))[0]
    code = asked.format(PR_SET_MDWE=65, REFUSE_EXEC_GAIN=1, process=process)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment(name)},
    )
    if "unsupported" in done.stderr:
        pytest.skip("this kernel cannot deny such memory to one process (it is older than 6.3)")
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
