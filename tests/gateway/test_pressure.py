"""Back-pressure: what could not be kept is refused before a body is read, over each channel."""

import socket
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from gateway.errors import ServiceFailed, TooMany
from gateway.flow.pressure import HELD_SECONDS, Pressure, Room
from gateway.records import Principal, Role
from gateway.settings import Process, Settings
from gateway.store.objects import ObjectStore
from gateway.web.application import create_app
from gateway.wiring.web import web_services
from tests.gateway.processes import Processes, free_port
from tests.gateway.sftp.conftest import SftpProcess, person_at
from tests.gateway.sftp.test_attacks import session
from tests.gateway.stand import COUNCIL, POLICE, Sender, Stand

ROOM = Room(all_agencies=3, one_agency=2)


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def principal(agency: str) -> Principal:
    return Principal("somebody", Role.SUBMITTER, frozenset(), agency)


def away() -> ObjectStore:
    """A store at an address where nobody listens."""
    return ObjectStore(
        endpoint_url=f"http://127.0.0.1:{free_port()}",
        access_key_id="unused",
        secret_access_key="unused",
        region="us-east-1",
        bucket_prefix="away",
        retention_days=1,
    )


def pressed(stand: Stand, clock: Callable[[], float], room: Room = ROOM) -> Pressure:
    return Pressure(stand.database, stand.admin.objects, room, clock=clock)


def test_an_agency_has_room_of_its_own_and_all_have_room_together(stand: Stand) -> None:
    stand.settle()
    clock = Clock()
    pressure = pressed(stand, clock)
    police, council = stand.sender(POLICE), stand.sender(COUNCIL)
    stand.send(police, police.message())
    pressure.admit(principal(POLICE))
    stand.send(police, police.message())
    pressure.admit(principal(POLICE))  # as it was found two seconds ago
    clock.now += HELD_SECONDS + 0.1
    with pytest.raises(TooMany) as full:
        pressure.admit(principal(POLICE))
    assert full.value.code == "too-many-waiting"
    pressure.admit(principal(COUNCIL))
    stand.send(council, council.message())
    clock.now += HELD_SECONDS + 0.1
    with pytest.raises(ServiceFailed) as behind:
        pressure.admit(principal(COUNCIL))
    assert behind.value.code == "too-far-behind"
    stand.settle()
    clock.now += HELD_SECONDS + 0.1
    pressure.admit(principal(POLICE))


def test_a_store_that_is_away_is_asked_once_and_not_by_everybody(stand: Stand) -> None:
    clock, store = Clock(), away()
    pressure = Pressure(stand.database, store, ROOM, clock=clock)
    asked = []
    real = store.ping
    store.ping = lambda *given: (asked.append(1), real(*given))  # type: ignore[method-assign,assignment]
    for _ in range(5):
        with pytest.raises(ServiceFailed, match="object store"):
            pressure.admit(principal(POLICE))
    assert len(asked) == 1


class Unread(BytesIO):
    """A body that nobody may read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("the body was read")

    readinto = readline = read  # type: ignore[assignment]


@pytest.fixture
def full(stand: Stand, sender: Sender) -> Mapping[str, str]:
    """The settings of a gateway with room for one submission of an agency, which waits there."""
    stand.settle()
    stand.send(sender, sender.message())
    return {**stand.environ, "MAX_WAITING_OF_AN_AGENCY": "1"}


@pytest.fixture
def sender(stand: Stand) -> Sender:
    """The agency."""
    return stand.sender(POLICE)


@pytest.mark.parametrize("path", ["/v1/submissions", "/v1/dry-runs", "/v1/uploads"])
def test_a_body_that_cannot_be_kept_is_not_read(
    full: Mapping[str, str], sender: Sender, path: str
) -> None:
    services = web_services(Settings.load(full, Process.WEB))
    headers = {**sender.headers, "Content-Type": "application/pgp-encrypted"}
    if path == "/v1/uploads":
        headers = {**sender.headers, "Tus-Resumable": "1.0.0", "Upload-Length": "1000000"}
    answer = (
        create_app(services)
        .test_client()
        .post(path, headers=headers, input_stream=Unread(), content_length=1_000_000)
    )
    services.database.dispose()
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too-many-waiting")
    assert int(answer.headers["Retry-After"]) > 0


def test_the_answer_does_not_wait_for_the_body(
    full: Mapping[str, str], sender: Sender, tmp_path: Path
) -> None:
    """Over a real server, with not an octet sent. (That says 100 Continue by itself if asked.)"""
    with Processes(full, tmp_path, workers=0) as running:
        host, port = urlsplit(running.url).netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=30) as line:
            line.sendall(
                b"POST /v1/submissions HTTP/1.1\r\nHost: x\r\n"
                b"Content-Type: application/pgp-encrypted\r\nContent-Length: 1000000\r\n"
                + f"Authorization: {sender.headers['Authorization']}\r\n\r\n".encode()
            )
            assert line.recv(1 << 16).startswith(b"HTTP/1.1 429 ")


def test_over_sftp_a_file_that_cannot_be_kept_is_not_opened(
    stand: Stand, full: Mapping[str, str], tmp_path: Path
) -> None:
    door = SftpProcess(dict(full), tmp_path)
    door.start()
    try:
        person = person_at(stand, door, tmp_path, POLICE)
        with session(person) as sftp, pytest.raises(OSError, match="waiting to be checked"):
            sftp.open("/inbox/return.pgp", "wb")
        assert [path for path in door.spool.rglob("*") if path.is_file()] == []
        stand.settle()
    finally:
        door.stop()


def test_what_waits_is_counted_without_looking_at_what_does_not(stand: Stand) -> None:
    """At ten years of submissions the question must still be a cheap one."""
    query = "EXPLAIN SELECT agency_id, count(*) FROM submission WHERE state = 'received' GROUP BY 1"
    with stand.database.transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(session.scalars(text(query)))
    assert "submission_state_received_at_idx" in plan
