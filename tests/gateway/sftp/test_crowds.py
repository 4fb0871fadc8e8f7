"""Many at once over SFTP: strangers, one agency, all agencies, and what one connection may have."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import paramiko
import psutil
import pytest
from paramiko.sftp import CMD_READ, CMD_STAT, int64
from sqlalchemy import text

from gateway.sftp.door import MOST_CHANNELS, MOST_KEYS, MOST_STRANGERS
from tests.gateway.sftp.conftest import Person, SftpProcess, make_ssh_key, person_at
from tests.gateway.sftp.test_attacks import session
from tests.gateway.stand import OTHER_POLICE, POLICE, Stand

STRANGERS = 1000
MEMORY_MB = 150


class Thief(paramiko.PKey):
    """Shows the public key of one, and signs with the private key of another."""

    def __init__(self, shown: paramiko.PKey, held: paramiko.PKey) -> None:
        self.shown, self.held = shown, held

    def get_name(self) -> str:
        return str(self.shown.get_name())

    def asbytes(self) -> bytes:
        return bytes(self.shown.asbytes())

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> paramiko.Message:
        return self.held.sign_ssh_data(data, algorithm)


@contextmanager
def line_to(door: SftpProcess) -> Iterator[paramiko.Transport]:
    """A connection whose keys are agreed, of somebody who has said nothing of themselves."""
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as line:
        transport = paramiko.Transport(line)
        with closing(transport):
            transport.start_client(timeout=30)
            yield transport


def key_of(person: Person) -> paramiko.PKey:
    return paramiko.Ed25519Key.from_private_key_file(str(person.key))


def memory_mb(door: SftpProcess) -> float:
    return float(psutil.Process(door.pid).memory_info().rss) / (1 << 20)


def told_in_the_log(stand: Stand, agency_id: str, code: str) -> int:
    found = (each for each in stand.entries() if each.error_code == code)
    return sum((each.action, each.agency) == ("auth.failed", agency_id) for each in found)


def soon(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_thousand_silent_connections_keep_nobody_out(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    """Those who are in stay in, others get in, and only so many are held."""
    inside = person_at(stand, own_door, tmp_path, POLICE)
    outside = person_at(stand, own_door, tmp_path, OTHER_POLICE)
    before = memory_mb(own_door)
    with session(inside) as sftp, ExitStack() as lines:
        for _ in range(STRANGERS):
            line = socket.create_connection(("127.0.0.1", own_door.port), timeout=10)
            lines.enter_context(line)
        assert "inbox" in sftp.listdir("/")
        assert outside.sftp("ls /").returncode == 0
        held = psutil.Process(own_door.pid).net_connections("tcp")
        assert sum(each.status == psutil.CONN_ESTABLISHED for each in held) <= MOST_STRANGERS + 10
        assert memory_mb(own_door) - before < MEMORY_MB


def test_an_agency_has_its_share_of_the_sessions_and_is_told(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    own_door.stop()
    own_door.start(SFTP_SESSIONS_OF_AN_AGENCY="2")
    many = person_at(stand, own_door, tmp_path, POLICE)
    other = person_at(stand, own_door, tmp_path, OTHER_POLICE)
    with session(many) as first, session(many):
        refused = many.sftp("ls /")
        assert refused.returncode != 0
        assert "2 sessions of your agency are open" in refused.stderr
        assert "[too-many-sessions]" in refused.stderr
        assert other.sftp("ls /").returncode == 0
        assert "inbox" in first.listdir("/")
        soon(lambda: told_in_the_log(stand, POLICE, "too-many-sessions") == 1)
    soon(lambda: many.sftp("ls /").returncode == 0)


def test_an_agency_whose_every_request_takes_long_holds_up_nobody_else(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    """Forty sessions wait for the database; others log in, and are answered."""
    busy = person_at(stand, own_door, tmp_path, POLICE)
    other = person_at(stand, own_door, tmp_path, OTHER_POLICE)
    with ExitStack() as opened:
        sessions = [opened.enter_context(session(busy)) for _ in range(40)]
        with stand.database.transaction() as held:
            held.execute(text("LOCK TABLE submission IN ACCESS EXCLUSIVE MODE"))
            for sftp in sessions:
                sftp._async_request(type(None), CMD_STAT, "/outbox/nothing")
            time.sleep(1)
            began = time.monotonic()
            assert other.sftp("ls /inbox").returncode == 0
            assert time.monotonic() - began < 10


def test_a_gateway_that_is_full_says_so(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    own_door.stop()
    own_door.start(SFTP_SESSIONS="1")
    inside = person_at(stand, own_door, tmp_path, POLICE)
    late = person_at(stand, own_door, tmp_path, OTHER_POLICE)
    with session(inside):
        assert "[sessions-full]" in late.sftp("ls /").stderr
        soon(lambda: told_in_the_log(stand, OTHER_POLICE, "sessions-full") == 1)
    soon(lambda: late.sftp("ls /").returncode == 0)


def test_who_only_shows_a_public_key_takes_nothing_from_whose_it_is(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    """A public key is no secret: here comes one with a signature that somebody else made."""
    own_door.stop()
    own_door.start(SFTP_SESSIONS_OF_AN_AGENCY="1")
    whose = person_at(stand, own_door, tmp_path, POLICE)
    key = make_ssh_key(tmp_path / "stranger")
    stranger = Person(own_door, key, whose.sender, tmp_path)
    with ExitStack() as lines:
        for _ in range(5):
            transport = lines.enter_context(line_to(own_door))
            with pytest.raises(paramiko.AuthenticationException):
                transport.auth_publickey("x", Thief(key_of(whose), key_of(stranger)))
        assert whose.sftp("ls /").returncode == 0


def test_nobody_tries_one_key_after_another(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    """Each is a question to the database, of somebody who has proved nothing."""
    tried = 0
    with line_to(own_door) as transport:
        for number in range(MOST_KEYS + 5):
            key = paramiko.Ed25519Key.from_private_key_file(
                str(make_ssh_key(tmp_path / f"key-{number}"))
            )
            try:
                transport.auth_publickey("x", key)
            except paramiko.AuthenticationException:
                tried += 1
            except (paramiko.SSHException, EOFError):
                break
    assert tried <= MOST_KEYS


def test_one_connection_has_ten_sessions_and_no_more(person: Person) -> None:
    with line_to(person.door) as transport:
        transport.auth_publickey("x", key_of(person))
        channels = [transport.open_session(timeout=10) for _ in range(MOST_CHANNELS)]
        for _ in range(50):
            with pytest.raises(paramiko.ChannelException):
                transport.open_session(timeout=10)
        channels.pop().close()
        soon(lambda: opens(transport))


def opens(transport: paramiko.Transport) -> bool:
    try:
        transport.open_session(timeout=10)
    except paramiko.ChannelException:
        return False
    return True


def test_an_environment_is_not_kept(person: Person) -> None:
    """Ten thousand variables of 30 KB: 300 MB, if anything took a note of them."""
    before = memory_mb(person.door)
    with line_to(person.door) as transport:
        transport.auth_publickey("x", key_of(person))
        channel = transport.open_session(timeout=10)
        for number in range(10_000):
            message = paramiko.Message()
            message.add_byte(b"\x62")
            message.add_int(channel.remote_chanid)
            message.add_string("env")
            message.add_boolean(False)
            message.add_string(f"LC_{number}")
            message.add_string(b"x" * 30_000)
            transport._send_user_message(message)
        with pytest.raises(paramiko.SSHException):
            channel.invoke_shell()  # which is answered once all of them were read
        assert memory_mb(person.door) - before < 100


def test_who_asks_and_never_listens_fills_no_memory(person: Person) -> None:
    """Reads of a large file, whose answers the client leaves where they are."""
    before = memory_mb(person.door)
    with session(person) as sftp:
        listed = sftp.listdir_attr("/standard/1.0")
        largest = max(listed, key=lambda each: each.st_size or 0)
        file = sftp.open(f"/standard/1.0/{largest.filename}", "rb")
        channel = sftp.get_channel()
        assert channel is not None
        channel.in_window_threshold = 1 << 40  # paramiko grants no further octet
        for _ in range(20_000):
            sftp._async_request(type(None), CMD_READ, file.handle, int64(0), 1 << 18)
        time.sleep(1)
        assert memory_mb(person.door) - before < MEMORY_MB
        with session(person) as other:
            assert "inbox" in other.listdir("/")


def test_fifty_sessions_of_an_agency_each_send(
    stand: Stand, own_door: SftpProcess, tmp_path: Path
) -> None:
    guest = person_at(stand, own_door, tmp_path, POLICE)
    message = guest.message()

    def put(number: int) -> None:
        with session(guest) as sftp:
            sftp.put(str(message), f"/inbox/at-once-{number}.pgp")

    with ThreadPoolExecutor(50) as threads:
        list(threads.map(put, range(50)))
