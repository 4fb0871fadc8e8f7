"""When a session that asks for nothing ends, by a process that waits two seconds for it."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest
from sqlalchemy import text

from tests.gateway.sftp.conftest import Person, SftpProcess, person_at, put_and_hear
from tests.gateway.sftp.test_attacks import session
from tests.gateway.sftp.test_clients import arrived
from tests.gateway.sftp.test_crowds import key_of, line_to, soon
from tests.gateway.sftp.test_reading import ask, never, opened
from tests.gateway.stand import POLICE, Stand

SECONDS = 2


@pytest.fixture
def guest(stand: Stand, own_door: SftpProcess, tmp_path: Path) -> Person:
    """Somebody at a gateway that waits two seconds."""
    own_door.stop()
    own_door.start(SFTP_IDLE_SECONDS=str(SECONDS))
    return person_at(stand, own_door, tmp_path, POLICE)


def line_of(sftp: paramiko.SFTPClient) -> paramiko.Transport:
    channel = sftp.get_channel()
    assert channel is not None
    return channel.get_transport()


def test_who_asks_for_nothing_is_ended_and_who_does_is_not(guest: Person) -> None:
    with session(guest) as idle, session(guest) as busy:
        assert "inbox" in idle.listdir("/")
        began = time.monotonic()
        while line_of(idle).is_active():
            assert "inbox" in busy.listdir("/")
            assert time.monotonic() - began < 5 * SECONDS
            time.sleep(0.1)
        assert time.monotonic() - began >= SECONDS
        until = time.monotonic() + 2 * SECONDS
        while time.monotonic() < until:
            assert "inbox" in busy.listdir("/")
            time.sleep(SECONDS / 2)
        assert guest.door.log().count("sftp.idle") == 1


def test_who_only_says_that_he_is_alive_is_ended(guest: Person) -> None:
    """ServerAliveInterval of OpenSSH, which says nothing of whether anybody wants anything."""
    with session(guest) as sftp:
        line_of(sftp).set_keepalive(1)
        soon(lambda: not line_of(sftp).is_active())


def test_a_file_that_was_half_sent_goes_on_where_it_was(stand: Stand, guest: Person) -> None:
    message = guest.message()
    data = message.read_bytes()
    half = len(data) // 2
    with session(guest) as sftp:
        file = sftp.open("/inbox/half.pgp", "wb")
        file.write(data[:half])
        assert file.stat().st_size == half
        soon(lambda: not line_of(sftp).is_active())
    with session(guest) as sftp:
        assert sftp.stat("/inbox/half.pgp").st_size == half
        soon(lambda: went_on(sftp, "/inbox/half.pgp", data[half:]))
    arrived(stand, guest, message)


def went_on(sftp: paramiko.SFTPClient, path: str, rest: bytes) -> bool:
    try:
        with sftp.open(path, "ab") as file:
            file.write(rest)
    except OSError:
        return False  # the session before is just putting it down
    return True


def test_who_waits_for_what_is_done_for_him_is_not_ended(stand: Stand, guest: Person) -> None:
    """Handing a file over takes longer here than a session may be idle."""
    message = guest.message()
    with session(guest) as sftp, ThreadPoolExecutor(1) as threads:
        assert "inbox" in sftp.listdir("/")
        with stand.database.transaction() as held:
            held.execute(text("LOCK TABLE submission IN EXCLUSIVE MODE"))
            sent = threads.submit(put_and_hear, sftp, "/inbox/slow.pgp", message.read_bytes())
            time.sleep(3 * SECONDS)
            assert not sent.done()
        sent.result()
    arrived(stand, guest, message)


def test_the_room_of_who_was_ended_is_anothers(guest: Person) -> None:
    guest.door.stop()
    guest.door.start(SFTP_IDLE_SECONDS=str(SECONDS), SFTP_SESSIONS="1")
    with session(guest):
        assert "[sessions-full]" in guest.sftp("ls /").stderr
        soon(lambda: guest.sftp("ls /").returncode == 0)


def test_who_does_not_even_listen_is_ended(stand: Stand, guest: Person) -> None:
    """What was asked for waits in vain, and does not keep the connection."""
    guest.door.stop()
    guest.door.start(SFTP_IDLE_SECONDS=str(SECONDS), SFTP_SESSIONS="1")
    with line_to(guest.door) as transport:
        transport.auth_publickey("x", key_of(guest))
        sftp, file = opened(transport, "/standard/1.0/STANDARD.md", (1 << 32) - 1)
        transport.packetizer.read_message = never  # type: ignore[method-assign]  # it is deaf
        ask(sftp, file, 400)
        assert "[sessions-full]" in guest.sftp("ls /").stderr
        soon(lambda: guest.sftp("ls /").returncode == 0)
