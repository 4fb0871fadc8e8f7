"""Reports of any size over SFTP: right to the octet, whoever reads how many of them at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from secrets import token_bytes
from types import SimpleNamespace
from typing import Any

import paramiko
import psutil
import pytest
from paramiko.sftp import CMD_READ, int64

from gateway.errors import ServiceFailed, TooMany
from gateway.flow.papers import Paper
from gateway.flow.sshkeys import PublicKey
from gateway.sftp.desk import Desk, Taken
from gateway.sftp.reading import MOST_HELD, MOST_PIECES, PIECE, Reading
from gateway.store.objects import Bucket, Version
from tests.gateway.sftp.conftest import REPORT, Person, SftpProcess, person_at
from tests.gateway.sftp.reports import (
    LARGEST_MB,
    large_report,
    never,
    opened,
    path_of,
    read_once,
)
from tests.gateway.sftp.test_attacks import session
from tests.gateway.sftp.test_crowds import key_of, line_to, memory_mb
from tests.gateway.stand import ADMINISTRATOR, OTHER_POLICE, POLICE, Stand


def test_a_large_report_is_right_to_the_octet_whatever_is_asked(
    stand: Stand, person: Person, content: bytes
) -> None:
    submission, _ = large_report(stand, person, content)
    with session(person) as sftp:
        path = path_of(sftp, submission)
        [listed] = [each for each in sftp.listdir_attr("/outbox") if each.filename in path]
        assert listed.st_size == len(content)
        file = sftp.open(path, "rb")
        assert file.stat().st_size == len(content)
        for offset, size in (
            (0, 1),
            (PIECE - 1, 2),
            (PIECE - 100, 1 << 18),
            (REPORT - 1, 1 << 18),
            (REPORT, 1),
            (1 << 62, 1),
        ):
            file.seek(offset)
            assert file.read(size) == content[offset : offset + min(size, 1 << 18)]
    target = person.folder / "report.pgp"
    assert person.sftp(f"get {path} {target}").returncode == 0
    assert target.read_bytes() == content
    assert stand.about(submission).count("report.read") == 2


def test_many_large_reports_at_once_take_a_bounded_memory(
    stand: Stand, own_door: SftpProcess, tmp_path: Path, content: bytes
) -> None:
    """Fifty of 24 MiB in one session, four sessions: 4.7 GB, if they were held."""
    guest = person_at(stand, own_door, tmp_path, POLICE)
    path, before = read_once(stand, guest, content)

    def read_all(number: int) -> float:
        with session(guest) as sftp:
            files = [sftp.open(path, "rb") for _ in range(50)]
            most = 0.0
            for at, file in enumerate(files):
                offset = (at * PIECE + number) % REPORT
                file.seek(offset)
                assert file.read(1 << 15) == content[offset : offset + (1 << 15)]
                most = max(most, memory_mb(own_door))
            return most

    with ThreadPoolExecutor(4) as threads:
        most = max(threads.map(read_all, range(4)))
    assert most - before < LARGEST_MB


def test_reports_are_in_no_file_of_this_machine(
    stand: Stand, person: Person, content: bytes
) -> None:
    submission, _ = large_report(stand, person, content)
    with session(person) as sftp:
        file = sftp.open(path_of(sftp, submission), "rb")
        assert file.read(PIECE) == content[:PIECE]
        held = psutil.Process(person.door.pid).open_files()
        assert [each.path for each in held if each.path.startswith(str(person.door.spool))] == []


def test_a_report_that_was_put_anew_is_not_mixed_with_the_one_before(
    stand: Stand, person: Person, content: bytes
) -> None:
    submission, key = large_report(stand, person, content)
    with session(person) as sftp:
        file = sftp.open(path_of(sftp, submission), "rb")
        assert file.read(10) == content[:10]
        stand.admin.objects.put(Bucket.REPORTS, key, BytesIO(content[::-1]))
        file.seek(8 * PIECE)
        with pytest.raises(OSError, match="unavailable"):
            file.read(10)
        again = sftp.open(path_of(sftp, submission), "rb")
        assert again.read(10) == content[::-1][:10]


def test_a_key_that_is_revoked_reads_no_further(
    stand: Stand, door: SftpProcess, tmp_path: Path, content: bytes
) -> None:
    guest = person_at(stand, door, tmp_path, POLICE)
    submission, _ = large_report(stand, guest, content)
    fingerprint = PublicKey.parse(guest.key.with_suffix(".pub").read_text()).fingerprint
    with session(guest) as sftp:
        file = sftp.open(path_of(sftp, submission), "rb")
        assert file.read(10) == content[:10]
        stand.admin.ssh_keys.revoke(fingerprint, by=ADMINISTRATOR)
        file.seek(8 * PIECE)
        with pytest.raises((OSError, EOFError, paramiko.SSHException)):
            file.read(10)


@pytest.mark.parametrize("kind", ["report.pgp", "report.txt"])
def test_a_key_that_is_revoked_reads_no_further_of_what_is_kept_either(
    stand: Stand, door: SftpProcess, tmp_path: Path, content: bytes, kind: str
) -> None:
    """The piece was fetched, or the whole is held: no way to the object store is needed."""
    guest = person_at(stand, door, tmp_path, POLICE)
    submission, _ = large_report(stand, guest, content)
    fingerprint = PublicKey.parse(guest.key.with_suffix(".pub").read_text()).fingerprint
    with session(guest) as sftp:
        file = sftp.open(path_of(sftp, submission, kind), "rb", bufsize=0)
        assert len(file.read(10)) == 10
        stand.admin.ssh_keys.revoke(fingerprint, by=ADMINISTRATOR)
        time.sleep(2.5)
        file.seek(10)
        with pytest.raises((OSError, EOFError, paramiko.SSHException)):
            file.read(10)


def test_what_changed_since_it_was_listed_is_not_sent_under_its_old_size(
    stand: Stand, person: Person, content: bytes
) -> None:
    submission, key = large_report(stand, person, content)
    with session(person) as sftp:
        path = path_of(sftp, submission)
        stand.admin.objects.put(Bucket.REPORTS, key, BytesIO(content[:PIECE]))
        with pytest.raises(OSError, match="changed since it was listed"):
            sftp.open(path, "rb")
        assert sftp.stat(path).st_size == PIECE
        assert sftp.open(path, "rb").read(10) == content[:10]


@pytest.mark.parametrize(
    ("window", "sessions"),
    [((1 << 32) - 1, 1), (1 << 15, 8)],
    ids=["lets everything come and takes nothing", "lets nothing come in forty sessions"],
)
def test_who_asks_and_takes_no_answer_fills_no_memory(
    stand: Stand,
    own_door: SftpProcess,
    tmp_path: Path,
    content: bytes,
    window: int,
    sessions: int,
) -> None:
    """Five connections from which nobody reads, with four thousand questions on each."""
    guest = person_at(stand, own_door, tmp_path, POLICE)
    other = person_at(stand, own_door, tmp_path, OTHER_POLICE)
    path, before = read_once(stand, guest, content)
    with ExitStack() as lines:
        for _ in range(5):
            transport = lines.enter_context(line_to(own_door))
            transport.auth_publickey("x", key_of(guest))
            files = [opened(transport, path, window) for _ in range(sessions)]
            transport.packetizer.read_message = never  # type: ignore[method-assign]  # it is deaf
            for sftp, file in files:
                ask(sftp, file, 4_000 // sessions)
        time.sleep(2)
        most = memory_mb(own_door)
        assert most - before < LARGEST_MB
        assert other.sftp("ls /").returncode == 0


def ask(sftp: paramiko.SFTPClient, file: paramiko.SFTPFile, count: int) -> None:
    for number in range(count):
        offset = (number << 18) % (1 << 20)
        sftp._async_request(type(None), CMD_READ, file.handle, int64(offset), 1 << 18)


# What a process keeps, by itself.


def whole(content: bytes) -> Version:
    return Version(Bucket.REPORTS, "A/report", len(content), "tag")


class Store:
    """An object store that counts what it is asked."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked = 0

    def fetch(self, version: Version, offset: int, size: int) -> bytes:
        self.asked += 1
        assert version.size == len(self.content)
        return self.content[offset : offset + size]


def test_a_piece_is_fetched_once_for_all_that_is_asked_of_it() -> None:
    store, reading = Store(token_bytes(3 * PIECE + 5)), Reading()
    version, read = whole(store.content), b""
    while block := reading.read(version, len(read), 1000, agency_id="A", fetch=store.fetch):
        read += block
    assert read == store.content
    assert store.asked == 4


class Slow(Store):
    """One that takes its time."""

    def fetch(self, version: Version, offset: int, size: int) -> bytes:
        time.sleep(0.2)
        return super().fetch(version, offset, size)


def test_many_that_ask_at_once_for_one_piece_fetch_it_once() -> None:
    store, reading = Slow(token_bytes(PIECE)), Reading()
    version = whole(store.content)

    def ask(number: int) -> bytes:
        return reading.read(version, number, 1, agency_id="A", fetch=store.fetch)

    with ThreadPoolExecutor(16) as threads:
        assert b"".join(threads.map(ask, range(16))) == store.content[:16]
    assert store.asked == 1


def test_where_one_fails_to_fetch_the_next_who_waits_tries_for_himself() -> None:
    store, reading = Slow(token_bytes(PIECE)), Reading()
    version = whole(store.content)

    def ask(number: int) -> bytes:
        return reading.read(version, 0, 1, agency_id="A", fetch=fetches[number])

    fetches = [lambda *_: b"", store.fetch]
    with ThreadPoolExecutor(2) as threads:
        first, second = (threads.submit(ask, number) for number in range(2))
        with pytest.raises(ServiceFailed):
            first.result()
        assert second.result() == store.content[:1]


def test_an_agency_that_reads_much_pushes_out_its_own() -> None:
    store, reading = Store(bytes(4 * MOST_PIECES * PIECE)), Reading()
    version = whole(store.content)

    def ask(agency_id: str, number: int) -> int:
        before = store.asked
        reading.read(version, number * PIECE, 1, agency_id=agency_id, fetch=store.fetch)
        return store.asked - before

    assert ask("A", 0) == 1
    assert [ask("B", number) for number in range(4 * MOST_PIECES)] == [1] * 4 * MOST_PIECES
    assert ask("A", 0) == 0
    assert ask("B", 0) == 1


def test_a_store_that_answers_too_little_is_not_believed() -> None:
    reading = Reading()
    with pytest.raises(ServiceFailed):
        reading.read(whole(bytes(PIECE)), 0, 10, agency_id="A", fetch=lambda *_: b"x")


class Shelf:
    """Papers that are handed out, each with a note that it was."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def take(self, paper: Paper, *, by: object) -> bytes:
        del by
        self.taken.append(paper.name)
        return bytes(paper.size)

    def authenticate(self, *_: object, **__: object) -> None:
        """Everybody is welcome."""


def test_what_there_is_no_room_for_is_neither_made_nor_told_to_the_log() -> None:
    shelf, now = Shelf(), datetime.now(UTC)
    services: Any = SimpleNamespace(papers=shelf, ssh_keys=shelf)
    desk = Desk(services, "key", "A", None, "1", Taken(), Reading())
    large, small = (
        Paper(name, None, tried_out=False, kind="report.txt", size=size, at=now)
        for name, size in (("large", MOST_HELD), ("small", 1))
    )
    desk.take(large)
    with pytest.raises(TooMany):
        desk.take(small)
    assert shelf.taken == ["large"]
    desk.put_down(MOST_HELD)
    desk.take(small)
    assert shelf.taken == ["large", "small"]


def test_an_agency_holds_so_much_and_no_more_and_no_other_is_kept_out() -> None:
    reading = Reading()
    reading.hold("A", 2 * MOST_HELD)  # alone, whatever its size
    with pytest.raises(TooMany) as caught:
        reading.hold("A", 1)
    assert caught.value.code == "too-much-open"
    reading.hold("B", MOST_HELD)
    reading.let_go("A", 2 * MOST_HELD)
    reading.hold("A", 1)
