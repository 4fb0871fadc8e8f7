"""Clients that agencies have, each with a whole message: what arrives is what was sent."""

import shutil
import subprocess
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import paramiko
import pytest

from gateway.records import State
from tests.crypto.peers.programs import require
from tests.gateway.sftp.conftest import Person
from tests.gateway.sftp.fuse import mounted
from tests.gateway.stand import Stand

Send = Callable[[Person, Path], None]


def arrived(stand: Stand, person: Person, file: Path) -> UUID:
    """The one submission that has the file's octets."""
    listed = stand.get("/v1/submissions?limit=200", person.sender).get_json()["submissions"]
    digest = sha256(file.read_bytes()).hexdigest()
    [found] = [each for each in listed if each["sha256"] == digest]
    assert found["channel"] == "sftp"
    return UUID(found["id"])


def run(command: list[object]) -> None:
    done = subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def sftp_put(person: Person, file: Path) -> None:
    done = person.sftp(f"put {file} /inbox/{file.name}")
    assert done.returncode == 0, done.stderr


def sftp_put_keeping_times(person: Person, file: Path) -> None:
    done = person.sftp("cd inbox", f"put -p -f {file}", f"ls -l {file.name}")
    assert done.returncode == 0, done.stderr
    assert str(file.stat().st_size) in done.stdout


def sftp_put_and_rename(person: Person, file: Path) -> None:
    done = person.sftp(f"put {file} inbox/.part", "rename inbox/.part inbox/return.pgp")
    assert done.returncode == 0, done.stderr


def sftp_reput(person: Person, file: Path) -> None:
    """The first half on one day, the rest on another."""
    half = _half(person, file)
    name = f"/inbox/{file.name}"
    assert person.sftp(f"put {half} {name}").returncode == 0
    done = person.sftp(f"ls -l {name}", f"reput {file} {name}")
    assert done.returncode == 0, done.stderr
    assert str(half.stat().st_size) in done.stdout


def sftp_put_from_the_middle(person: Person, file: Path) -> None:
    """As `sftp -a` does: the client goes on where the file ends."""
    half = _half(person, file)
    assert person.sftp(f"put {half} /inbox/x.pgp").returncode == 0
    done = person.sftp(f"put -a {file} /inbox/x.pgp")
    assert done.returncode == 0, done.stderr


def _half(person: Person, file: Path) -> Path:
    half = person.folder / "half.pgp"
    half.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return half


def scp(person: Person, file: Path) -> None:
    run(["scp", *person.options, "-P", person.door.port, file, "ctds@127.0.0.1:inbox/"])


def scp_as_it_was(person: Person, file: Path) -> None:
    target = f"ctds@127.0.0.1:/inbox/{file.name}"
    run(["scp", "-O", "-p", *person.options, "-P", person.door.port, file, target])


def curl(person: Person, file: Path, *further: str) -> None:
    host_key = person.door.host_key.with_suffix(".pub").read_text().split()[1]
    known = f"sha256://{_sha256_of(host_key)}"
    url = f"sftp://ctds@127.0.0.1:{person.door.port}/inbox/{file.name}"
    keys = ["--key", person.key, "--pubkey", f"{person.key}.pub", "--user", "ctds:"]
    known = known.removeprefix("sha256://")
    run(["curl", "-sS", "--hostpubsha256", known, *keys, *further, "-T", file, url])


def curl_continued(person: Person, file: Path) -> None:
    assert person.sftp(f"put {_half(person, file)} /inbox/{file.name}").returncode == 0
    curl(person, file, "-C", "-")


def _sha256_of(public: str) -> str:
    from base64 import b64decode, b64encode  # noqa: PLC0415

    return b64encode(sha256(b64decode(public)).digest()).decode()


def lftp(person: Person, file: Path, *settings: str, put: str = "put") -> None:
    connect = " ".join(["ssh", "-a", "-x", *person.options])
    script = [
        f'set sftp:connect-program "{connect}"',
        *("set net:max-retries 1", "set net:timeout 20", "set cmd:fail-exit yes", *settings),
        f"open -u ctds, sftp://127.0.0.1:{person.door.port}",
        f"{put} -O /inbox {file}",
    ]
    run([require("lftp", "lftp"), "--norc", "-c", "; ".join(script)])


def lftp_with_a_temporary_name(person: Person, file: Path) -> None:
    lftp(person, file, "set xfer:use-temp-file yes", "set xfer:temp-file-name .in.*")


def lftp_continued(person: Person, file: Path) -> None:
    assert person.sftp(f"put {_half(person, file)} /inbox/{file.name}").returncode == 0
    lftp(person, file, put="put -c")


def rclone(person: Person, file: Path) -> None:
    options = [
        *("--config", "/dev/null", "--sftp-host", "127.0.0.1", "--sftp-user", "ctds"),
        *("--sftp-port", person.door.port, "--sftp-key-file", person.key),
        *("--sftp-known-hosts-file", person.door.known_hosts, "--retries", "1"),
        *("--sftp-shell-type", "none", "--sftp-set-modtime=false"),
    ]
    run([require("rclone", "rclone"), "copy", *options, file, ":sftp:/inbox"])


def psftp(person: Person, file: Path) -> None:
    ppk = person.folder / "key.ppk"
    run([require("puttygen", "putty-tools"), person.key, "-o", ppk, "-O", "private"])
    public = person.door.host_key.with_suffix(".pub")
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", public], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    batch = person.folder / "batch"
    batch.write_text(f"put {file} /inbox/{file.name}\n")
    line = ["-batch", "-hostkey", shown, "-P", person.door.port, "-i", ppk, "-b", batch]
    run([require("psftp", "putty-tools"), *line, "ctds@127.0.0.1"])


def with_paramiko(person: Person, file: Path) -> None:
    client = paramiko.SSHClient()
    client.load_host_keys(str(person.door.known_hosts))
    client.connect(
        "127.0.0.1",
        person.door.port,
        "ctds",
        key_filename=str(person.key),
        allow_agent=False,
        look_for_keys=False,
    )
    with client, client.open_sftp() as sftp:
        sftp.put(str(file), f"/inbox/{file.name}", confirm=True)


def sshfs(person: Person, file: Path, *options: str) -> None:
    """A copy into a folder. It ends before its close is answered: a promise tells that it was."""
    with mounted(person) as folder:
        before = len(list((folder / "outbox").iterdir()))
        run(["cp", *options, file, folder / "inbox"])
        deadline = time.monotonic() + 30
        while len(list((folder / "outbox").iterdir())) == before:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def sshfs_keeping_times(person: Person, file: Path) -> None:
    sshfs(person, file, "--preserve=timestamps")


def sshfs_and_rename(person: Person, file: Path) -> None:
    """Of a renaming sshfs does hear the answer, and so does whoever asked."""
    with mounted(person) as folder:
        run(["cp", file, folder / "inbox" / ".part"])
        run(["mv", folder / "inbox" / ".part", folder / "inbox" / file.name])


CLIENTS: list[Send] = [
    sftp_put,
    sftp_put_keeping_times,
    sftp_put_and_rename,
    sftp_reput,
    sftp_put_from_the_middle,
    scp,
    scp_as_it_was,
    curl,
    curl_continued,
    lftp,
    lftp_continued,
    lftp_with_a_temporary_name,
    rclone,
    psftp,
    with_paramiko,
    sshfs,
    sshfs_keeping_times,
    sshfs_and_rename,
]


@pytest.mark.parametrize("send", CLIENTS, ids=lambda send: send.__name__)
def test_what_a_client_sends_arrives(stand: Stand, person: Person, send: Send) -> None:
    file = person.message()
    send(person, file)
    submission = arrived(stand, person, file)
    stand.settle()
    assert stand.state(submission) is State.STORED
    assert stand.about(submission)[:1] == ["submission.received"]


@pytest.mark.parametrize("send", CLIENTS, ids=lambda send: send.__name__)
def test_a_large_file_arrives(stand: Stand, person: Person, send: Send, tmp_path: Path) -> None:
    """Twenty MiB of a message that no key opens: more than one window and one part."""
    file = tmp_path / "large.pgp"
    gpg = shutil.which("gpg")
    assert gpg is not None
    source = tmp_path / "large"
    source.write_bytes(bytes(range(256)) * (80 << 10))
    with_password = ["--pinentry-mode", "loopback", "--passphrase", "x", "--symmetric"]
    plain = ["--batch", "--quiet", "--homedir", _home(tmp_path), "--compress-algo", "none"]
    run([gpg, *plain, *with_password, "-o", file, source])
    send(person, file)
    arrived(stand, person, file)


TELLING: list[Send] = [scp_as_it_was, lftp, rclone]


@pytest.mark.parametrize("send", TELLING, ids=lambda send: send.__name__)
def test_a_client_shows_why_a_file_was_refused(person: Person, send: Send, tmp_path: Path) -> None:
    file = tmp_path / "return.zip"
    file.write_bytes(b"PK\x03\x04" + bytes(1000))
    with pytest.raises(AssertionError, match="not-openpgp"):
        send(person, file)


def test_a_rename_over_sshfs_tells_that_the_file_is_cut_short(stand: Stand, person: Person) -> None:
    """Which the copy before it could not."""
    file = person.message()
    before = len(stand.get("/v1/submissions?limit=200", person.sender).get_json()["submissions"])
    with mounted(person) as folder:
        run(["cp", _half(person, file), folder / "inbox" / ".part"])
        moving = ["mv", str(folder / "inbox" / ".part"), str(folder / "inbox" / "return.pgp")]
        assert subprocess.run(moving, capture_output=True, check=False, timeout=60).returncode != 0
        (folder / "inbox" / "return.pgp").unlink()
    listed = stand.get("/v1/submissions?limit=200", person.sender).get_json()["submissions"]
    assert len(listed) == before


def _home(folder: Path) -> Path:
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    return home
