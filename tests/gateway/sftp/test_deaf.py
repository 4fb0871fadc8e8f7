"""Clients that ask and do not listen: in new ways, each of which once filled memory or time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest
from asyncssh.sftp import SFTPServerHandler
from paramiko.common import MSG_KEXINIT, cMSG_CHANNEL_DATA, cMSG_CHANNEL_REQUEST
from paramiko.sftp import CMD_EXTENDED, CMD_INIT, CMD_OPENDIR, CMD_READ, CMD_SYMLINK, int64

from gateway.sftp.compat import LEAST_PACKET, bend
from gateway.sftp.tree import Tree
from tests.gateway.sftp.conftest import Person, SftpProcess, person_at
from tests.gateway.sftp.reports import LARGEST_MB, never, opened, read_once
from tests.gateway.sftp.test_attacks import session
from tests.gateway.sftp.test_crowds import key_of, line_to, memory_mb, soon
from tests.gateway.stand import OTHER_POLICE, POLICE, Stand

HUGE = (1 << 32) - 1
UNKNOWN = 99
LONG = b"x" * 1000


def packet(kind: int, *fields: bytes | int | str) -> bytes:
    """A request of SFTP, numbered 1, as it is on the channel."""
    message = paramiko.Message()
    message.add_int(1)
    for field in fields:
        message.add(field)
    body = bytes([kind]) + message.asbytes()
    return len(body).to_bytes(4, "big") + body


def read_of(handle: bytes, offset: int, size: int) -> bytes:
    wide = handle, offset >> 32, offset & 0xFFFFFFFF, size
    return packet(CMD_READ, *wide)


@contextmanager
def in_the_middle_of_new_keys(person: Person) -> Iterator[paramiko.Transport]:
    """Somebody who has signed in, and will ask for new keys and never agree to any."""
    with line_to(person.door) as transport:
        transport.auth_publickey("x", key_of(person))
        yield transport


def ask_for_new_keys(transport: paramiko.Transport) -> None:
    transport._handler_table[MSG_KEXINIT] = lambda _: never()
    transport._send_kex_init()


def put_on_line(transport: paramiko.Transport, number: int, data: bytes) -> None:
    """Send on a channel though keys are being agreed, which paramiko itself would wait for."""
    message = paramiko.Message()
    message.add_byte(cMSG_CHANNEL_DATA)
    message.add_int(number)
    message.add_string(data)
    transport._send_message(message)


def test_answers_that_wait_for_new_keys_fill_no_memory(
    stand: Stand, own_door: SftpProcess, tmp_path: Path, content: bytes
) -> None:
    guest = person_at(stand, own_door, tmp_path, POLICE)
    path, before = read_once(stand, guest, content)
    with in_the_middle_of_new_keys(guest) as transport:
        sftp, file = opened(transport, path, HUGE)
        channel = sftp.get_channel()
        assert channel is not None
        ask_for_new_keys(transport)
        for number in range(2_000):
            offset = (number << 18) % (1 << 20)
            put_on_line(transport, channel.remote_chanid, read_of(file.handle, offset, 1 << 18))
        time.sleep(2)
        assert memory_mb(own_door) - before < LARGEST_MB
        assert guest.sftp("ls /").returncode == 0


def test_who_lets_everything_wait_for_new_keys_is_ended(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    """No request of SFTP but of the channel, each of which is refused at once."""
    guest = person_at(stand, own_door, tmp_path, POLICE)
    before = memory_mb(own_door)
    with in_the_middle_of_new_keys(guest) as transport:
        channel = transport.open_session(timeout=10)
        ask_for_new_keys(transport)
        message = paramiko.Message()
        message.add_byte(cMSG_CHANNEL_REQUEST)
        message.add_int(channel.remote_chanid)
        message.add_string("env")
        message.add_boolean(True)
        message.add_string("x")
        message.add_string("x")
        with pytest.raises((OSError, EOFError)):
            send_for_a_minute(transport, message)
        assert memory_mb(own_door) - before < LARGEST_MB
    soon(lambda: guest.door.log().count("sftp.deaf") == 1)
    assert guest.sftp("ls /").returncode == 0


def send_for_a_minute(transport: paramiko.Transport, message: paramiko.Message) -> None:
    # Not so many: how much lies between the two before the server is heard, nobody can say.
    until = time.monotonic() + 60
    while time.monotonic() < until:
        transport._send_message(message)


def test_who_never_agrees_to_new_keys_is_ended(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    own_door.stop()
    own_door.start(SFTP_SESSIONS="1", SFTP_AGREE_SECONDS="4")
    guest = person_at(stand, own_door, tmp_path, POLICE)
    with in_the_middle_of_new_keys(guest) as transport:
        opened(transport, "/help.txt", 1 << 15)
        time.sleep(5)
        assert "sftp.deaf" not in own_door.log(), "it agreed to the first ones"
        ask_for_new_keys(transport)
        began = time.monotonic()
        while "sftp.deaf" not in own_door.log():
            assert time.monotonic() - began < 30
            time.sleep(0.1)
        assert time.monotonic() - began > 3
        assert guest.sftp("ls /").returncode == 0


def test_packets_of_an_octet_are_not_agreed_to(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    """An answer would be cut into as many, and nobody else would be heard meanwhile."""
    guest = person_at(stand, own_door, tmp_path, POLICE)
    other = person_at(stand, own_door, tmp_path, OTHER_POLICE)
    with line_to(own_door) as transport, session(other) as waits:
        transport.auth_publickey("x", key_of(guest))
        transport._sanitize_packet_size = int  # type: ignore[method-assign]  # it mends ours
        for size in (0, 1, 9, LEAST_PACKET - 1):
            with pytest.raises(paramiko.ChannelException, match="Resource shortage"):
                ask_in_packets_of(transport, size)
        ask_in_packets_of(transport, LEAST_PACKET)
        began = time.monotonic()
        assert "inbox" in waits.listdir("/")
        assert time.monotonic() - began < 2


def ask_in_packets_of(transport: paramiko.Transport, size: int) -> None:
    channel = transport.open_session(window_size=HUGE, max_packet_size=size, timeout=10)
    channel.invoke_subsystem("sftp")
    sftp = paramiko.SFTPClient(channel)
    file = sftp.open("/standard/1.0/STANDARD.md", "rb")
    for _ in range(20):
        sftp._async_request(type(None), CMD_READ, file.handle, int64(0), 1 << 18)


@pytest.mark.parametrize(
    "request_",
    [
        packet(UNKNOWN, LONG),
        read_of(LONG, 0, 1),
        packet(CMD_SYMLINK, LONG, "b"),
        packet(CMD_OPENDIR, LONG),
        packet(CMD_EXTENDED, "limits@openssh.com", LONG),
    ],
    ids=["unknown", "no handle", "link", "listing", "limits"],
)
def test_no_request_is_answered_without_end_for_who_does_not_listen(
    person: Person, request_: bytes
) -> None:
    with line_to(person.door) as transport:
        transport.auth_publickey("x", key_of(person))
        channel = transport.open_session(window_size=1 << 15, timeout=10)
        channel.invoke_subsystem("sftp")
        channel.sendall(b"\0\0\0\5" + bytes([CMD_INIT]) + b"\0\0\0\3")
        channel.settimeout(4)
        with pytest.raises(TimeoutError):
            send_all(channel, request_ * 30, 2_000)


def send_all(channel: paramiko.Channel, data: bytes, times: int) -> None:
    for _ in range(times):
        channel.sendall(data)


# What the library would answer by itself.

ANSWERED = {
    *(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23),
    *(b"posix-rename@openssh.com", b"statvfs@openssh.com", b"fstatvfs@openssh.com"),
    *(b"hardlink@openssh.com", b"fsync@openssh.com", b"lsetstat@openssh.com"),
    b"limits@openssh.com",
}
"""Looked at, each: it comes to an operation of the tree, or touches no file."""


def test_no_request_is_left_to_the_library() -> None:
    bend(Tree.before_a_request)
    bend(Tree.before_a_request)
    assert set(SFTPServerHandler._packet_handlers) == ANSWERED
    announced = {name for name, _ in SFTPServerHandler._extensions}
    assert announced - {b"newline", b"vendor-id"} == {
        each for each in ANSWERED if isinstance(each, bytes)
    }


@pytest.mark.parametrize("name", ["ranges@asyncssh.com", "copy-data"])
def test_what_the_library_would_do_by_itself_is_not_done(person: Person, name: str) -> None:
    with session(person) as sftp:
        file = sftp.open("/help.txt", "rb")
        fields = [file.handle, int64(0), int64(0)]
        if name == "copy-data":
            fields += [file.handle, int64(0)]
        with pytest.raises(OSError, match="Unsupported request"):
            sftp._request(CMD_EXTENDED, name, *fields)
