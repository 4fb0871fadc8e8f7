"""What the protocol has that no honest client needs, and lines that break at every step."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paramiko
import pytest
from paramiko.sftp import CMD_EXTENDED, CMD_OPENDIR, CMD_READ, int64

from gateway.sftp.tree import MOST_OPEN
from tests.gateway.breaking import breaking
from tests.gateway.sftp.conftest import Person, SftpProcess, person_at, put_and_hear
from tests.gateway.sftp.test_attacks import session
from tests.gateway.sftp.test_clients import arrived
from tests.gateway.sftp.test_crowds import key_of, line_to, soon
from tests.gateway.stand import OTHER_POLICE, POLICE, Stand

IGNORE = b"\0\0\0\x0c\x06\x02\0\0\0\0" + bytes(6)
"""SSH_MSG_IGNORE as it is before anything is encrypted."""


def taken(stand: Stand, person: Person) -> int:
    listed = stand.get("/v1/submissions?limit=200", person.sender).get_json()["submissions"]
    return len(listed)


# What is asked for besides files.


@pytest.mark.parametrize(
    "ask",
    [
        lambda channel: channel.request_x11(),
        lambda channel: channel.set_environment_variable("LD_PRELOAD", "/tmp/x.so"),
        lambda channel: channel.exec_command("scp -t /inbox; id"),
        lambda channel: channel.exec_command("scp -f /etc/passwd"),
        lambda channel: channel.exec_command("sftp-server"),
    ],
    ids=["x11", "environment", "exec", "scp from elsewhere", "exec of a server"],
)
def test_what_is_not_files_gets_nowhere(person: Person, ask: Any) -> None:
    with line_to(person.door) as transport:
        transport.auth_publickey("x", key_of(person))
        channel = transport.open_session(timeout=10)
        said = b""
        with suppress(paramiko.SSHException, TimeoutError, OSError):
            ask(channel)
            channel.settimeout(1)
            channel.sendall(b"\0\0\0")  # what `scp -f` waits for
            while block := channel.recv(4096):
                said += block
        assert b"root:" not in said
        assert b"uid=" not in said
        # Refused, or ended with a complaint; the connection itself is as good as before.
        assert transport.is_active()


def test_an_agent_is_not_asked_back(person: Person) -> None:
    """OpenSSH's client offers its agent; the server must never open a channel to it."""
    opened: list[paramiko.Channel] = []
    with line_to(person.door) as transport:
        transport.auth_publickey("x", key_of(person))
        channel = transport.open_session(timeout=10)
        channel.request_forward_agent(opened.append)
        with paramiko.SFTPClient.from_transport(transport) as sftp:  # type: ignore[union-attr]
            assert "inbox" in sftp.listdir("/")
        assert opened == []


def test_links_of_every_kind_are_refused(person: Person) -> None:
    with session(person) as sftp:
        for extension in ("hardlink@openssh.com", "symlink@openssh.com", "copy-data"):
            for old, new in (("/help.txt", "/inbox/x.pgp"), ("/etc/passwd", "/outbox/x")):
                with pytest.raises(OSError, match=r".*"):
                    sftp._request(CMD_EXTENDED, extension, old, new)
        assert sftp.listdir("/inbox") == []
    done = person.sftp("ln /help.txt /inbox/x.pgp", "ln -s /etc/passwd /inbox/y.pgp")
    assert done.returncode != 0


def test_absurd_times_modes_and_owners_change_nothing(person: Person) -> None:
    """Nor how long a file waits: its age is this machine's to tell."""
    data = person.message().read_bytes()
    with session(person) as sftp:
        with sftp.open("/inbox/old.pgp", "wb") as file:
            file.write(data[:100])
        before = sftp.stat("/inbox/old.pgp")
        for times in ((0, 0), (0xFFFFFFFF, 0xFFFFFFFF), (1, 0x7FFFFFFF)):
            sftp.utime("/inbox/old.pgp", times)
        sftp.chmod("/inbox/old.pgp", 0o7777)
        sftp.chown("/inbox/old.pgp", 0, 0)
        after = sftp.stat("/inbox/old.pgp")
        assert (after.st_mtime, after.st_mode) == (before.st_mtime, before.st_mode)
        [kept] = [path for path in person.door.spool.rglob("*") if path.is_file()]
        assert kept.stat().st_mode & 0o7777 == 0o600
        assert abs(kept.stat().st_mtime - time.time()) < 60
        for path in ("/help.txt", "/outbox/x", "/standard/1.0", "/nowhere/x"):
            with pytest.raises(OSError, match=r".*"):
                sftp.utime(path, (0, 0))
        sftp.remove("/inbox/old.pgp")


def test_a_name_is_not_taken_while_somebody_writes_to_it(person: Person) -> None:
    data = person.message().read_bytes()
    with session(person) as one, session(person) as other:
        writing = one.open("/inbox/a.pgp", "wb")
        writing.write(data[:200])
        with other.open("/inbox/b.pgp", "wb") as file:
            file.write(data[:100])
        for old, new in (("a", "c"), ("b", "a")):
            with pytest.raises(OSError, match="file-in-use"):
                other.rename(f"/inbox/{old}.pgp", f"/inbox/{new}.pgp")
        with pytest.raises(OSError, match="file-in-use"):
            other.remove("/inbox/a.pgp")
        writing.close()
        assert other.stat("/inbox/a.pgp").st_size == 200
        for name in ("a", "b"):
            other.remove(f"/inbox/{name}.pgp")


def test_handles_that_nobody_gave_are_no_files(person: Person) -> None:
    with session(person) as sftp:
        for handle in (b"", b"\0\0\0\0", b"\xff" * 4, b"x" * 4096):
            with pytest.raises(OSError, match=r".*"):
                sftp._request(CMD_READ, handle, int64(0), 100)


def test_ten_thousand_listings_are_not_kept(person: Person) -> None:
    with session(person) as sftp:
        for _ in range(MOST_OPEN):
            sftp._request(CMD_OPENDIR, "/standard")
        for _ in range(10_000):
            with pytest.raises(OSError, match="listings are open"):
                sftp._request(CMD_OPENDIR, "/standard")
    with session(person) as sftp:
        for _ in range(200):  # each closed again
            assert "1.0" in sftp.listdir("/standard")


# What is sent again, cut off, or never closed.


def test_uploaded_removed_and_uploaded_again_is_one_submission(
    stand: Stand, person: Person
) -> None:
    """To remove what was handed over takes nothing back, and sending it again adds nothing."""
    message, other = person.message(), person.message()
    before = taken(stand, person)
    with session(person) as sftp:
        for _ in range(3):
            put_and_hear(sftp, "/inbox/again.pgp", message.read_bytes())
            sftp.remove("/inbox/again.pgp")
            assert sftp.listdir("/inbox") == []
        with sftp.open("/inbox/again.pgp", "wb") as file:
            file.write(message.read_bytes()[:-20])
        sftp.remove("/inbox/again.pgp")
        put_and_hear(sftp, "/inbox/again.pgp", other.read_bytes())
    assert taken(stand, person) == before + 2
    for each in (message, other):
        assert stand.about(arrived(stand, person, each)) == ["submission.received"]


class Cut(socket.socket):
    """A connection that ends after so many packets of its client."""

    left = 1 << 60

    def send(self, data: Any, flags: int = 0) -> int:
        if self.left == 0:
            self.shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError
        self.left -= 1
        return super().send(data, flags)


@contextmanager
def cut_after(person: Person, packets: int) -> Iterator[paramiko.Transport]:
    line = Cut(socket.AF_INET, socket.SOCK_STREAM)
    line.settimeout(30)
    line.connect(("127.0.0.1", person.door.port))
    line.left = packets
    transport = paramiko.Transport(line)
    with line, closing(transport):
        yield transport


def put_over(transport: paramiko.Transport, person: Person, name: str, data: bytes) -> None:
    """One upload in several writes, heard to its end."""
    transport.connect(username="x", pkey=key_of(person))
    with paramiko.SFTPClient.from_transport(transport) as sftp:  # type: ignore[union-attr]
        put_and_hear(sftp, name, data)


def test_a_connection_that_ends_at_any_packet_leaves_nothing_half_done(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    """From the first greeting to the answer of the close: taken whole, or not at all."""
    person = person_at(stand, own_door, tmp_path, POLICE)
    packets, acknowledged = 0, False
    while not acknowledged:
        packets += 1
        message, before = person.message(), taken(stand, person)
        data = message.read_bytes()
        assert packets < 100
        with cut_after(person, packets) as transport:
            try:
                put_over(transport, person, "/inbox/cut.pgp", data)
                acknowledged = True
            except (OSError, EOFError, paramiko.SSHException):
                pass
        with session(person) as sftp:
            deadline = time.monotonic() + 20
            while not free_again(sftp) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert free_again(sftp)
        if taken(stand, person) > before or acknowledged:
            arrived(stand, person, message)
    assert packets > 10


def free_again(sftp: paramiko.SFTPClient) -> bool:
    """Whether the name is nobody's."""
    try:
        with suppress(FileNotFoundError):
            sftp.remove("/inbox/cut.pgp")
        sftp.open("/inbox/cut.pgp", "wb").close()
    except OSError:
        return False
    return True


def test_what_is_written_and_never_closed_is_not_taken(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    """As long as its client holds the file open it may still write to it."""
    person = person_at(stand, own_door, tmp_path, POLICE)
    message, before = person.message(), taken(stand, person)
    with session(person) as sftp:
        file = sftp.open("/inbox/open.pgp", "wb")
        file.write(message.read_bytes())
        assert file.stat().st_size == message.stat().st_size
        time.sleep(1)
        assert taken(stand, person) == before


def test_files_left_open_are_each_let_go_though_none_can_be_kept(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    """A connection ends with several whole messages in it, while the object store is away."""
    own_door.stop()
    person = person_at(stand, own_door, tmp_path, OTHER_POLICE)
    messages = [person.message() for _ in range(4)]
    store = urlsplit(stand.environ["S3_ENDPOINT_URL"])
    assert store.port is not None
    with breaking(store.port, [2_000, *[10] * 100]) as broken:
        own_door.start(S3_ENDPOINT_URL=f"{store.scheme}://{urlsplit(broken.url).netloc}")
        with suppress(EOFError), session(person) as sftp:
            # All opened before any is written to, and kept: paramiko closes what nobody refers to.
            files = [sftp.open(f"/inbox/{number}.pgp", "wb") for number in range(len(messages))]
            for file, message in zip(files, messages, strict=True):
                file.write(message.read_bytes())
                file.stat()
            sftp.get_channel().get_transport().sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        soon(lambda: not list(own_door.spool.rglob("*.held")))
        with session(person) as sftp:
            sizes = {each.filename: each.st_size for each in sftp.listdir_attr("/inbox")}
        # One octet short each, so that nobody takes them for handed over; and all can go on.
        assert sizes == {f"{n}.pgp": m.stat().st_size - 1 for n, m in enumerate(messages)}


# Keys of the session.


def test_new_keys_in_the_middle_of_a_file_change_nothing(stand: Stand, person: Person) -> None:
    message = person.message()
    data = message.read_bytes()
    with session(person) as sftp:
        transport = sftp.get_channel().get_transport()  # type: ignore[union-attr]
        file = sftp.open("/inbox/rekeyed.pgp", "wb")
        for start in range(0, len(data), 500):
            file.write(data[start : start + 500])
            transport.renegotiate_keys()
        file.close()
        arrived(stand, person, message)
    other = person.message(40)
    eager = replace(person, extra=("-o", "RekeyLimit=16K"))
    done = eager.sftp(f"put {other} /inbox/{other.name}")
    assert done.returncode == 0, done.stderr
    arrived(stand, person, other)


class Inserting(socket.socket):
    """Somebody on the way who puts a packet before the client's first one (Terrapin)."""

    inserted = False

    def send(self, data: Any, flags: int = 0) -> int:
        if not self.inserted and not bytes(data).startswith(b"SSH-"):
            self.inserted = True
            super().sendall(IGNORE)
        return super().send(data, flags)


@pytest.mark.parametrize("strict", [True, False])
def test_nothing_is_put_in_before_the_keys_are_agreed(person: Person, strict: bool) -> None:
    """CVE-2023-48795. A client that does not know of it is not protected by a server that does."""
    line = Inserting(socket.AF_INET, socket.SOCK_STREAM)
    line.settimeout(30)
    line.connect(("127.0.0.1", person.door.port))
    transport = paramiko.Transport(line, strict_kex=strict)
    with line, closing(transport):
        if strict:
            with pytest.raises((paramiko.SSHException, EOFError, OSError)):
                transport.start_client(timeout=20)
        else:
            transport.start_client(timeout=20)
        assert line.inserted
