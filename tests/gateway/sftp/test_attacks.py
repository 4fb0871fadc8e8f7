"""What nobody may do over SFTP, and what a broken or hostile client costs: nothing."""

import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from time import sleep
from urllib.parse import urlsplit
from uuid import UUID

import paramiko
import pytest
from asyncssh import SFTPServer
from paramiko.sftp import CMD_CLOSE, CMD_WRITE, int64

from gateway.errors import Conflict, RequestRefused
from gateway.flow.pressure import HELD_SECONDS
from gateway.flow.sshkeys import PublicKey
from gateway.sftp.tree import Tree
from gateway.spool import Names, Spool
from tests.gateway.breaking import breaking
from tests.gateway.sftp.conftest import (
    Person,
    SftpProcess,
    make_ssh_key,
    person_at,
    put_and_hear,
)
from tests.gateway.sftp.test_clients import arrived, sftp_put
from tests.gateway.stand import ADMINISTRATOR, OTHER_POLICE, POLICE, Stand


@contextmanager
def session(person: Person) -> Iterator[paramiko.SFTPClient]:
    """An SFTP session that sends just what it is told."""
    # paramiko's own connecting would leave the socket open where nobody listens.
    line = socket.create_connection(("127.0.0.1", person.door.port), timeout=30)
    transport = paramiko.Transport(line)
    with line, closing(transport):
        transport.connect(username="x", pkey=_key(person))
        opened = paramiko.SFTPClient.from_transport(transport)
        assert opened is not None
        with opened:
            yield opened


def _key(person: Person) -> paramiko.PKey:
    return paramiko.Ed25519Key.from_private_key_file(str(person.key))


def refused(person: Person, *options: str) -> str:
    """What OpenSSH's client says of a connection that must not come about."""
    command = ["ssh", *person.options, *options, "-p", str(person.door.port), "ctds@127.0.0.1"]
    done = subprocess.run(
        [*command, "true"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    return done.stderr


# Who may come in.


def test_nobody_comes_in_without_an_enrolled_key(person: Person, tmp_path: Path) -> None:
    unknown = make_ssh_key(tmp_path / "unknown")
    for options in (
        ("-o", "PubkeyAuthentication=no"),
        ("-o", "PreferredAuthentications=password", "-o", "PubkeyAuthentication=no"),
        ("-o", "PreferredAuthentications=keyboard-interactive"),
        ("-o", "PreferredAuthentications=none"),
    ):
        assert "Permission denied (publickey)" in refused(person, *options)
    stranger = Person(person.door, unknown, person.sender, person.folder)
    assert "Permission denied (publickey)" in refused(stranger)


@pytest.mark.parametrize(
    "options",
    [("-t", "ecdsa", "-b", "256"), ("-t", "ecdsa", "-b", "521"), ("-t", "rsa", "-b", "3072")],
)
def test_other_good_keys_come_in(
    stand: Stand, door: SftpProcess, tmp_path: Path, options: tuple[str, ...]
) -> None:
    guest = person_at(stand, door, tmp_path, POLICE, *options)
    assert guest.sftp("ls /").returncode == 0


@pytest.mark.parametrize("options", [("-t", "rsa", "-b", "2048"), ("-t", "dsa")])
def test_weak_keys_are_not_enrolled(tmp_path: Path, options: tuple[str, ...]) -> None:
    key = make_ssh_key(tmp_path / "weak", *options)
    with pytest.raises(RequestRefused) as caught:
        PublicKey.parse(key.with_suffix(".pub").read_text())
    assert caught.value.code in {"ssh-key-weak", "ssh-key-unreadable"}


@pytest.mark.parametrize(
    "text", ["", "ssh-ed25519", "ssh-ed25519 AAAA x", "a\nb", "\0", "x" * 99999]
)
def test_what_is_no_key_is_told_so(text: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        PublicKey.parse(text)
    assert caught.value.code == "ssh-key-unreadable"


def test_a_key_is_kept_without_the_name_beside_it(tmp_path: Path) -> None:
    public = make_ssh_key(tmp_path / "key").with_suffix(".pub").read_text()
    assert "zoe@agency" in public
    key = PublicKey.parse(public)
    assert "zoe" not in key.line
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "key.pub"], capture_output=True, text=True, check=True
    )
    assert key.fingerprint == shown.stdout.split()[1]


def test_a_key_belongs_to_one_agency_and_never_comes_back(
    stand: Stand, door: SftpProcess, tmp_path: Path
) -> None:
    guest = person_at(stand, door, tmp_path, POLICE)
    key = PublicKey.parse(guest.key.with_suffix(".pub").read_text())
    stand.sender(OTHER_POLICE)

    def enrol(agency_id: str) -> None:
        day = timedelta(days=1)
        stand.admin.ssh_keys.enrol(
            key, agency_id=agency_id, subject="x", valid_for=day, by=ADMINISTRATOR
        )

    with pytest.raises(Conflict):
        enrol(OTHER_POLICE)
    stand.admin.ssh_keys.revoke(key.fingerprint, by=ADMINISTRATOR)
    with pytest.raises(Conflict):
        enrol(POLICE)
    assert "Permission denied" in guest.sftp("ls").stderr
    refusals = [each for each in stand.entries() if each.error_code == "ssh-key-revoked"]
    assert refusals
    assert refusals[-1].auth_method == "ssh-key"


def test_a_key_that_is_revoked_ends_the_session_that_is_open(
    stand: Stand, door: SftpProcess, tmp_path: Path
) -> None:
    guest = person_at(stand, door, tmp_path, POLICE)
    fingerprint = PublicKey.parse(guest.key.with_suffix(".pub").read_text()).fingerprint
    with session(guest) as sftp:
        assert "inbox" in sftp.listdir("/")
        stand.admin.ssh_keys.revoke(fingerprint, by=ADMINISTRATOR)
        with pytest.raises((OSError, EOFError, paramiko.SSHException)):
            sftp.open("/inbox/x.pgp", "wb")
        with pytest.raises((OSError, EOFError, paramiko.SSHException)):
            sftp.listdir("/outbox")


def test_a_key_that_is_revoked_neither_sees_nor_moves_what_was_put_there(
    stand: Stand, door: SftpProcess, tmp_path: Path
) -> None:
    guest = person_at(stand, door, tmp_path, POLICE)
    fingerprint = PublicKey.parse(guest.key.with_suffix(".pub").read_text()).fingerprint
    message, sent, begun = guest.message(), "/inbox/sent.pgp", "/inbox/begun.pgp"
    steps: list[Callable[[paramiko.SFTPClient], object]] = [
        lambda sftp: sftp.listdir("/inbox"),
        lambda sftp: sftp.stat(begun),
        lambda sftp: sftp.remove(begun),
        lambda sftp: sftp.rename(sent, "/inbox/again.pgp"),
        lambda sftp: sftp.remove(sent),
    ]
    with ExitStack() as stack:
        sessions = [stack.enter_context(session(guest)) for _ in steps]
        sessions[0].put(str(message), sent)
        with sessions[0].open(begun, "wb") as file:
            file.write(message.read_bytes()[:-1])
        assert {"sent.pgp", "begun.pgp"} <= set(sessions[0].listdir("/inbox"))
        stand.admin.ssh_keys.revoke(fingerprint, by=ADMINISTRATOR)
        for step, sftp in zip(steps, sessions, strict=True):
            with pytest.raises((OSError, EOFError, paramiko.SSHException)):
                step(sftp)


def test_there_is_nothing_but_files(person: Person) -> None:
    assert refused(person)  # exec
    transport = paramiko.Transport(("127.0.0.1", person.door.port))
    with closing(transport):
        transport.connect(username="x", pkey=_key(person))
        for ask in (
            lambda channel: channel.invoke_shell(),
            lambda channel: channel.exec_command("id"),
            lambda channel: channel.exec_command("rsync --server . /inbox"),
            lambda channel: channel.get_pty(),
            lambda channel: channel.invoke_subsystem("netconf"),
        ):
            channel = transport.open_session(timeout=10)
            with pytest.raises(paramiko.SSHException):
                ask(channel)
        near, far = ("127.0.0.1", 1), ("127.0.0.1", 22)
        with pytest.raises(paramiko.SSHException):
            transport.open_channel("direct-tcpip", far, near, timeout=10)
        with pytest.raises(paramiko.SSHException):
            transport.request_port_forward("127.0.0.1", 0)


@pytest.mark.parametrize(
    "old",
    [
        "KexAlgorithms=diffie-hellman-group14-sha1",
        "Ciphers=aes128-cbc",
        "Ciphers=aes256-ctr -o MACs=hmac-sha1",
        "HostKeyAlgorithms=ssh-rsa",
    ],
)
def test_old_algorithms_alone_do_not_do(person: Person, old: str) -> None:
    assert "no matching" in refused(person, "-o", *old.split(" "))


def test_ssh_audit_finds_nothing_weak(door: SftpProcess) -> None:
    command = [sys.executable, "-m", "ssh_audit.ssh_audit", "--json", "-p", str(door.port)]
    done = subprocess.run(
        [*command, "--skip-rate-test", "127.0.0.1"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = json.loads(done.stdout)
    failed = [
        (kind, each["algorithm"], each["notes"]["fail"])
        for kind in ("kex", "key", "enc", "mac")
        for each in told[kind]
        if each.get("notes", {}).get("fail")
    ]
    # The NIST curves are what police clients may be limited to; ssh-audit distrusts their origin.
    assert [each for each in failed if "nistp" not in each[1]] == []
    assert told["cves"] == []


# What the tree is.


def test_no_operation_is_left_to_the_library() -> None:
    """Its own would touch this machine's file system."""
    theirs = {
        name
        for name, _ in inspect.getmembers(SFTPServer, inspect.isfunction)
        if not name.startswith("_")
    }
    harmless = {"convert_attrs", "format_longname", "format_user", "format_group"}
    inherited = {name for name in theirs - harmless if name not in vars(Tree)}
    assert inherited == set()


@pytest.mark.parametrize(
    "path",
    [
        *("../../etc/passwd", "/etc/passwd", "/inbox/../../etc/passwd", "/inbox/../outbox/x"),
        *("/standard/../../../etc/passwd", "/standard/1.0/../../../../etc/passwd", "~", "~root"),
        *(
            "/inbox/" + "x" * 4096,
            "/inbox/a\nb",
            "/inbox/a\0b",
            "/inbox/a/b/c",
            "/proc/self/environ",
        ),
        *("//etc/passwd", "/inbox/\x1b[2J", "/inbox/..", "/inbox/.", "/inbox/\u202efdp.exe"),
    ],
)
def test_no_path_leads_elsewhere(person: Person, path: str) -> None:
    before = _files(person)
    with session(person) as sftp:
        for attempt in (
            lambda: sftp.open(path, "rb"),
            lambda: sftp.open(path, "wb"),
            lambda: sftp.remove(path),
            lambda: sftp.rename("/inbox/x", path),
            lambda: sftp.symlink("/etc/passwd", path),
            lambda: sftp.readlink(path),
            lambda: sftp.mkdir(path),
            lambda: sftp.rmdir(path),
        ):
            with pytest.raises(OSError, match=r".*"):
                attempt()
    assert _files(person) == before


def test_what_can_be_read_and_what_can_be_written(person: Person) -> None:
    with session(person) as sftp:
        assert sorted(sftp.listdir("/")) == ["help.txt", "inbox", "outbox", "sandbox", "standard"]
        assert b"inbox" in sftp.open("/help.txt", "rb").read()
        assert sftp.open("/standard/gateway-certificate.asc", "rb").read(5) == b"-----"
        assert b"CTDS" in sftp.open("/standard/1.0/STANDARD.md", "rb").read()
        for path in ("/help.txt", "/outbox/x", "/standard/x", "/standard/1.0/STANDARD.md", "/x"):
            with pytest.raises(OSError, match="inbox"):
                sftp.open(path, "wb")
        with sftp.open("/inbox/mine.pgp", "wb") as file:
            file.write(b"\x85" + bytes(100))
            with pytest.raises(OSError, match="read back"):
                sftp.open("/inbox/mine.pgp", "rb")
        sftp.remove("/inbox/mine.pgp")


def test_the_other_agencys_files_are_not_there(
    stand: Stand, door: SftpProcess, tmp_path: Path
) -> None:
    mine = person_at(stand, door, tmp_path, POLICE)
    other = person_at(stand, door, tmp_path, OTHER_POLICE)
    file = mine.message()
    sftp_put(mine, file)
    submission = arrived(stand, mine, file)
    stand.settle()
    half = tmp_path / "half.pgp"
    half.write_bytes(file.read_bytes()[:-100])
    sftp_put(mine, half)
    with session(mine) as sftp:
        papers = [each for each in sftp.listdir("/outbox") if str(submission) in each]
        assert len(papers) == 4
        assert "half.pgp" in sftp.listdir("/inbox")
    with session(other) as sftp:
        assert [each for each in sftp.listdir("/outbox") if str(submission) in each] == []
        assert "half.pgp" not in sftp.listdir("/inbox")
        for paper in papers:
            with pytest.raises(OSError, match="no such file"):
                sftp.open(f"/outbox/{paper}", "rb")
        with pytest.raises(OSError, match="no such file"):
            sftp.rename("/inbox/half.pgp", "/inbox/whole.pgp")


def test_receipt_and_report_are_those_of_the_other_door(stand: Stand, person: Person) -> None:
    file = person.message(2)
    with session(person) as sftp:
        sftp.put(str(file), "/inbox/return.pgp")
        submission = arrived(stand, person, file)
        [promise] = [name for name in sftp.listdir("/outbox") if str(submission) in name]
        promised = sftp.open(f"/outbox/{promise}", "rb").read()
        stand.settle()
        ours = [name for name in sftp.listdir("/outbox") if str(submission) in name]
        papers = {name.partition(".")[2]: name for name in ours}
        report = sftp.open(f"/outbox/{papers['report.txt']}", "rb").read()
        assert sftp.stat(f"/outbox/{papers['report.txt']}").st_size == len(report)
        receipt = sftp.open(f"/outbox/{papers['receipt.tlog-proof']}", "rb").read()
    text = {**person.sender.headers, "Accept": "text/plain"}
    path = f"/v1/submissions/{submission}"
    assert stand.client.get(f"{path}/report", headers=text).data == report
    assert receipt.startswith(b"c2sp.org/tlog-proof@v1\n")
    assert promise.endswith(".promise")
    assert stand.get(f"{path}/promise", person.sender).data == promised
    assert stand.about(submission).count("report.read") == 2
    assert stand.about(submission).count("receipt.read") == 3


def test_what_became_of_each_is_a_list_whose_reading_leaves_no_entry(
    stand: Stand, door: SftpProcess, tmp_path: Path
) -> None:
    mine = person_at(stand, door, tmp_path, POLICE)
    other = person_at(stand, door, tmp_path, OTHER_POLICE)
    file = mine.message()
    sftp_put(mine, file)
    submission = arrived(stand, mine, file)
    before = stand.about(submission)
    with session(mine) as sftp:
        assert _told(sftp, submission)["state"] == "received"
        stand.settle()
        told = _told(sftp, submission)
        assert (told["state"], told["verdict"]) == ("stored", "accepted")
        shown = stand.get(f"/v1/submissions/{submission}", mine.sender).get_json()
        assert told == {name: value for name, value in shown.items() if name != "notice"}
    assert not {"report.read", "receipt.read"} & set(stand.about(submission)[len(before) :])
    with session(other) as sftp:
        sftp_put(other, other.message())
        theirs = sftp.open("/outbox/status.json", "rb").read()
        assert str(submission).encode() not in theirs


def _told(sftp: paramiko.SFTPClient, submission: UUID) -> dict[str, object]:
    listed = json.loads(sftp.open("/outbox/status.json", "rb").read())["submissions"]
    [found] = [each for each in listed if each["id"] == str(submission)]
    return dict(found)


def test_a_report_for_programs_is_the_other_doors_report_and_its_reading_an_entry(
    stand: Stand, person: Person
) -> None:
    file = person.message(2)
    sftp_put(person, file)
    submission = arrived(stand, person, file)
    stand.settle()
    with session(person) as sftp:
        names = sftp.listdir("/outbox")
        [name] = [each for each in names if each.endswith(f"{submission}.report.json")]
        told = json.loads(sftp.open(f"/outbox/{name}", "rb").read())
    assert stand.about(submission).count("report.read") == 1
    assert told == stand.report(person.sender, submission)


def test_the_sandbox_counts_nothing(stand: Stand, person: Person) -> None:
    file = person.message()
    before = stand.get("/v1/submissions", person.sender).get_json()
    with session(person) as sftp:
        sftp.put(str(file), "/sandbox/try.pgp")
    assert stand.get("/v1/submissions", person.sender).get_json() == before
    listed = stand.get("/v1/dry-runs", person.sender).get_json()["dry_runs"]
    assert listed[0]["size"] == file.stat().st_size
    stand.settle()
    with session(person) as sftp:
        names = [each for each in sftp.listdir("/outbox") if listed[0]["id"] in each]
        [name] = [each for each in names if each.endswith(".txt")]
        told = sftp.open(f"/outbox/{name}", "rb").read()
    assert told.startswith(b"ACCEPTED. 3 rows would be accepted.")


# What is written.


@pytest.mark.parametrize(
    "content",
    [b"record_id,sex\n1,F\n", b"PK\x03\x04" + bytes(100), b"\0" * 100, b"-----BEGIN PGP PUBLIC"],
)
def test_what_is_not_encrypted_never_touches_the_disk(person: Person, content: bytes) -> None:
    with session(person) as sftp:
        file = sftp.open("/inbox/plain.csv", "wb")
        with pytest.raises(OSError, match="not-openpgp"):
            sftp._request(CMD_WRITE, file.handle, int64(0), content)
        for path in person.door.spool.rglob("*"):
            # An earlier session's file may go away while this looks at it.
            with suppress(FileNotFoundError, IsADirectoryError):
                assert content[:16] not in path.read_bytes()


def test_names_are_nowhere_on_the_disk_and_in_no_log(person: Person) -> None:
    name = "Zebediah Quillfeather.pgp"
    message = person.message().read_bytes()
    with session(person) as sftp:
        with sftp.open(f"/inbox/{name}", "wb") as file:
            file.write(message[:-50])
        assert name in sftp.listdir("/inbox")
        assert sftp.stat(f"/inbox/{name}").st_size == len(message) - 50
        names = " ".join(str(each) for each in person.door.spool.rglob("*"))
        with sftp.open(f"/inbox/{name}", "ab") as file:
            file.write(message[-50:])
    scp = ["scp", "-O", *person.options, "-P", str(person.door.port)]
    path = person.folder / name
    path.write_bytes(person.sender.message(1))
    subprocess.run([*scp, str(path), "ctds@127.0.0.1:/inbox/"], check=True, capture_output=True)
    for text in (names, person.door.log()):
        assert "Zebediah" not in text
        assert "WmViZWRpYWg" not in text  # base64


def test_an_upload_that_breaks_off_is_no_submission(stand: Stand, person: Person) -> None:
    """Cut at many places; then continued, it is one."""
    message, path = person.message(), "/inbox/cut.pgp"
    data = message.read_bytes()
    before = _count(stand, person)
    for at in (1, 20, len(data) // 3, len(data) // 2, len(data) - 1):
        transport = paramiko.Transport(("127.0.0.1", person.door.port))
        transport.connect(username="x", pkey=_key(person))
        sftp = paramiko.SFTPClient.from_transport(transport)
        assert sftp is not None
        file = sftp.open(path, "wb")
        file.write(data[:at])
        transport.sock.shutdown(socket.SHUT_RDWR)
        transport.close()
        _await(lambda at=at: _size(person, path) == at)
        assert _count(stand, person) == before
    with session(person) as sftp, sftp.open(path, "ab") as file:
        file.write(data[_size(person, path) :])
    arrived(stand, person, message)


def test_what_has_gaps_is_never_taken_for_whole(stand: Stand, person: Person) -> None:
    """First the beginning and the end, as from a client that writes in many places at once."""
    message = person.message()
    data, before = message.read_bytes(), _count(stand, person)
    middle = len(data) // 2
    with session(person) as sftp:
        with sftp.open("/inbox/gap.pgp", "wb") as file:
            file.write(data[:100])
            file.seek(middle)
            file.write(data[middle:])
        assert sftp.stat("/inbox/gap.pgp").st_size == 100
        assert _count(stand, person) == before
        with pytest.raises(OSError, match="cut short"):
            sftp.rename("/inbox/gap.pgp", "/inbox/done.pgp")
        with sftp.open("/inbox/done.pgp", "r+") as file:
            file.seek(middle)
            file.write(data[middle:])
            file.seek(100)
            file.write(data[100:middle])
    arrived(stand, person, message)


def test_absurd_offsets_and_sizes_are_refused(person: Person) -> None:
    with session(person) as sftp:
        file = sftp.open("/inbox/far.pgp", "wb")
        file.write(b"\x85" + bytes(100))
        for offset in (32 << 20, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1):
            with pytest.raises(OSError, match="too-large"):
                sftp._request(CMD_WRITE, file.handle, int64(offset), b"x")
        sftp.truncate("/inbox/far.pgp", 1 << 62)
        file.truncate(1 << 62)
        assert file.stat().st_size == 101
        file.truncate(50)
        assert file.stat().st_size == 50
        file.close()
        sftp.remove("/inbox/far.pgp")


def test_a_session_has_so_many_files_open_and_no_more(person: Person) -> None:
    with session(person) as sftp:
        files = [sftp.open(f"/inbox/many-{number}.pgp", "wb") for number in range(64)]
        for _ in range(100):
            with pytest.raises(OSError, match="are open"):
                sftp.open("/inbox/more.pgp", "wb")
        for file in files:
            file.close()
        assert sftp.open("/help.txt", "rb").read()


def test_two_sessions_do_not_write_to_one_file(person: Person) -> None:
    with session(person) as one, session(person) as other:
        file = one.open("/inbox/same.pgp", "wb")
        with pytest.raises(OSError, match="file-in-use"):
            other.open("/inbox/same.pgp", "wb")
        file.close()
        other.open("/inbox/same.pgp", "wb").close()


def test_the_same_file_many_times_at_once_is_one_submission(stand: Stand, person: Person) -> None:
    message = person.message()

    def put(number: int) -> None:
        with session(person) as sftp:
            sftp.put(str(message), f"/inbox/copy-{number}.pgp")

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(put, range(20)))
    submission = arrived(stand, person, message)
    assert stand.about(submission).count("submission.received") == 1


# When the ground gives way.


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    guest = person_at(stand, own_door, tmp_path, POLICE)
    acknowledged = []
    for wait in (0.02, 0.1, 0.2, 0.3, 0.5):
        messages = [guest.message() for _ in range(6)]
        with ThreadPoolExecutor(1) as threads:
            sending = threads.submit(_put_all, guest, messages, acknowledged)
            time.sleep(wait)
            own_door.stop(signal.SIGKILL)
            sending.result()
        own_door.start()
    assert acknowledged
    for message in acknowledged:
        arrived(stand, guest, message)
    # And what was left in the middle can be sent as if nothing had been.
    message = guest.message()
    sftp_put(guest, message)
    arrived(stand, guest, message)


def test_of_a_file_whose_process_died_nothing_is_believed(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    guest = person_at(stand, own_door, tmp_path, POLICE)
    data = guest.message().read_bytes()
    with session(guest) as sftp:
        file = sftp.open("/inbox/x.pgp", "wb")
        file.write(data[:500])
        assert file.stat().st_size == 500
        own_door.stop(signal.SIGKILL)
    own_door.start()
    assert _size(guest, "/inbox/x.pgp") is None
    with session(guest) as sftp:
        assert sftp.listdir("/inbox") == []


def test_nothing_is_acknowledged_once_the_object_store_is_away(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    own_door.stop()
    guest = person_at(stand, own_door, tmp_path, POLICE)
    message, before = guest.message(), _count(stand, guest)
    store = urlsplit(stand.environ["S3_ENDPOINT_URL"])
    assert store.port is not None
    # There when the file is opened, and gone when it is to be kept.
    with breaking(store.port, [2_000, *[10] * 100]) as line:
        own_door.start(S3_ENDPOINT_URL=f"{store.scheme}://{urlsplit(line.url).netloc}")
        with session(guest) as sftp:
            file = sftp.open("/inbox/kept.pgp", "wb")
            file.write(message.read_bytes())
            with pytest.raises(OSError, match="unavailable"):
                sftp._request(CMD_CLOSE, file.handle)
            # Whoever overlooks that, and asks for the size instead, is not deceived either.
            assert sftp.stat("/inbox/kept.pgp").st_size == message.stat().st_size - 1
            sleep(HELD_SECONDS + 0.1)
            with pytest.raises(OSError, match="unavailable"):
                sftp.open("/inbox/again.pgp", "wb")
        own_door.stop()
    assert _count(stand, guest) == before
    own_door.start()
    assert guest.sftp(f"reput {message} /inbox/kept.pgp").returncode == 0
    arrived(stand, guest, message)


def test_a_full_quota_is_told(tmp_path: Path) -> None:
    spool = Spool(tmp_path, Names(bytes(32)), max_bytes=1000, quota=1500)
    box = spool.of("A")
    for name in ("a", "b"):
        file = box.open(name, anew=True)
        file.write(0, b"\x85" + bytes(700))
        if name == "a":
            file.settle()
            file.release(forget=False)
    with pytest.raises(RequestRefused) as caught:
        file.write(701, bytes(200))
    assert caught.value.code == "inbox-full"
    with pytest.raises(RequestRefused) as caught:
        file.write(701, bytes(400))
    assert caught.value.code == "too-large"
    file.release(forget=True)
    assert [each.name for each in box.waiting()] == ["a"]
    assert [each.name for each in spool.of("B").waiting()] == []


def test_who_connects_and_says_nothing_is_sent_away(door: SftpProcess) -> None:
    lines = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(50)]
    try:
        with socket.create_connection(("127.0.0.1", door.port)) as late:
            assert late.recv(4) == b"SSH-"
    finally:
        for line in lines:
            line.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"SSH-1.5-old\r\n",
        b"SSH-2.0-x\r\n" + os.urandom(4096),
        bytes(70_000),
    ],
)
def test_rubbish_ends_that_connection_and_no_other(person: Person, garbage: bytes) -> None:
    with session(person) as sftp:
        with socket.create_connection(("127.0.0.1", person.door.port), timeout=40) as line:
            try:
                line.sendall(garbage)
                line.shutdown(socket.SHUT_WR)
                while line.recv(4096):
                    pass
            except OSError:
                pass
        assert sftp.listdir("/")


def _files(person: Person) -> set[Path]:
    return {path for path in person.door.spool.rglob("*") if path.is_file()}


def _put_all(person: Person, messages: list[Path], acknowledged: list[Path]) -> None:
    try:
        with session(person) as sftp:
            for message in messages:
                put_and_hear(sftp, f"/inbox/{message.name}", message.read_bytes())
                acknowledged.append(message)
    except (OSError, EOFError, paramiko.SSHException):
        return


def _count(stand: Stand, person: Person) -> int:
    return len(stand.get("/v1/submissions?limit=200", person.sender).get_json()["submissions"])


def _size(person: Person, path: str) -> int | None:
    with session(person) as sftp:
        try:
            return sftp.stat(path).st_size
        except FileNotFoundError:
            return None


def _await(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)
