"""Raw bytes against the real web server: what a WSGI test client cannot send.

The worst of it is a sender that dies in mid-body: that raises nothing in a WSGI server, the stream
just ends. Nothing of the kind may ever be acknowledged.
"""

import json
import socket
import time
from base64 import b64encode
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256

import pytest
from sqlalchemy import text

from audit.entry import Entry
from gateway.store.log import PostgresLog
from tests.gateway.processes import Processes
from tests.gateway.stand import POLICE, Sender, Stand, octets

SECONDS = 15


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    @property
    def code(self) -> str:
        """The code of a problem."""
        return str(json.loads(self.body)["code"])


@pytest.fixture(scope="module")
def sender(stand: Stand) -> Sender:
    """An agency in good standing."""
    return stand.sender(POLICE)


def talk(web: Processes, *blocks: bytes, shut: bool = False) -> Answer | None:
    """Send blocks as they are; the answer, or None where the server just closed."""
    with closing(socket.create_connection(("127.0.0.1", web.port), timeout=SECONDS)) as line:
        try:
            for block in blocks:
                line.sendall(block)
            if shut:
                line.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read(line)


def read(line: socket.socket) -> Answer | None:
    data = b""
    try:
        while block := line.recv(65536):
            data += block
    except (ConnectionResetError, TimeoutError):
        pass
    if not data:
        return None
    head, _, body = data.partition(b"\r\n\r\n")
    return Answer(int(head.split()[1]), body)


def head(sender: Sender, *lines: str, method: str = "POST") -> bytes:
    """A request's head, with the connection to be closed after the answer."""
    fixed = [
        f"{method} /v1/submissions HTTP/1.1",
        "Host: gateway.test",
        f"Authorization: Bearer {sender.token}",
        "Content-Type: application/pgp-encrypted",
        "Connection: close",
    ]
    return "\r\n".join([*fixed, *lines, "", ""]).encode()


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)


def digest(data: bytes) -> str:
    return f"Content-Digest: sha-256=:{b64encode(sha256(data).digest()).decode()}:"


def received(stand: Stand, sender: Sender) -> int:
    return len(stand.get("/v1/submissions?limit=200", sender).get_json()["submissions"])


def refusals(stand: Stand) -> list[str | None]:
    """The codes of refused uploads, in the order of the log, once all are in it."""
    log = PostgresLog(stand.database)
    for _ in range(100):
        with stand.database.transaction() as session:
            waiting = session.execute(text("SELECT count(*) FROM audit_outbox")).scalar_one()
        if not waiting:
            break
        time.sleep(0.05)
    entries = [Entry.from_bytes(data) for data in log.entries(0, 1 << 40)]
    return [each.error_code for each in entries if each.action == "submission.refused"]


def test_a_whole_body_is_acknowledged(web: Processes, sender: Sender) -> None:
    message = sender.message(1)
    answer = talk(web, head(sender, f"Content-Length: {len(message)}"), message)
    assert answer is not None
    assert answer.status == 201


@pytest.mark.parametrize("share", [0, 1, 50, 99])
def test_a_body_cut_short_is_never_acknowledged(
    stand: Stand, web: Processes, sender: Sender, share: int
) -> None:
    message, before, told = sender.message(1), received(stand, sender), len(refusals(stand))
    part = message[: len(message) * share // 100]
    answer = talk(web, head(sender, f"Content-Length: {len(message)}"), part, shut=True)
    assert answer is None or answer.status == 400
    time.sleep(0.3)
    assert received(stand, sender) == before
    assert len(refusals(stand)) == told + 1
    whole = talk(web, head(sender, f"Content-Length: {len(message)}"), message)
    assert whole is not None
    assert whole.status == 201


def test_a_body_longer_than_announced_is_judged_by_what_was_announced(
    web: Processes, sender: Sender
) -> None:
    message = sender.message(1)
    announced = head(sender, f"Content-Length: {len(message) - 10}", digest(message))
    answer = talk(web, announced, message)
    assert answer is not None
    assert (answer.status, answer.code) == (400, "digest-mismatch")


def test_an_empty_body_is_refused(web: Processes, sender: Sender) -> None:
    answer = talk(web, head(sender, "Content-Length: 0"))
    assert answer is not None
    assert (answer.status, answer.code) == (400, "empty-body")


def test_chunks_without_a_digest_are_refused(web: Processes, sender: Sender) -> None:
    message = sender.message(1)
    answer = talk(web, head(sender, "Transfer-Encoding: chunked"), chunked(message))
    assert answer is not None
    assert (answer.status, answer.code) == (411, "length-required")


def test_chunks_with_a_digest_are_held_to_it(web: Processes, sender: Sender) -> None:
    message = sender.message(1)
    announced = head(sender, "Transfer-Encoding: chunked", digest(message))
    answer = talk(web, announced, chunked(message))
    assert answer is not None
    assert answer.status == 201
    other = sender.message(1)
    answer = talk(web, announced, chunked(other))
    assert answer is not None
    assert (answer.status, answer.code) == (400, "digest-mismatch")


def test_chunks_cut_in_the_middle_are_never_acknowledged(
    stand: Stand, web: Processes, sender: Sender
) -> None:
    message, before = sender.message(1), received(stand, sender)
    announced = head(sender, "Transfer-Encoding: chunked", digest(message))
    answer = talk(web, announced, chunked(message)[:400], shut=True)
    assert answer is None or answer.status == 400
    assert received(stand, sender) == before


def test_chunks_without_end_are_refused_at_the_limit(
    stand: Stand, web: Processes, sender: Sender
) -> None:
    """32 MiB are taken here; whoever goes on is told, and nothing of it is kept."""
    before, block = received(stand, sender), b"%x\r\n%s\r\n" % (1 << 20, octets(1 << 20))
    announced = head(sender, "Transfer-Encoding: chunked", digest(b"never"))
    answer = talk(web, announced, *[block] * 100)
    assert answer is None or (answer.status, answer.code) == (413, "too-large")
    assert received(stand, sender) == before
    assert refusals(stand)[-1] == "too-large"


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: -1",),
        ("Content-Length: 5, 6",),
        ("Content-Length: +5",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("X-Long: " + "a" * (1 << 20),),
        tuple(f"X-{number}: a" for number in range(10_000)),
    ],
    ids=lambda lines: f"{lines[0][:30]} and {len(lines) - 1} more",
)
def test_a_head_that_two_readers_could_read_differently_is_refused(
    stand: Stand, web: Processes, sender: Sender, lines: tuple[str, ...]
) -> None:
    before = received(stand, sender)
    smuggled = b"0\r\n\r\nGET /v1/submissions HTTP/1.1\r\nHost: gateway.test\r\n\r\n"
    answer = talk(web, head(sender, *lines), smuggled)
    assert answer is None or 400 <= answer.status < 500 or answer.status == 501
    assert received(stand, sender) == before


def test_a_slow_sender_holds_up_nobody(web: Processes, sender: Sender) -> None:
    message = sender.message(1)
    slow = [socket.create_connection(("127.0.0.1", web.port), timeout=SECONDS) for _ in range(4)]
    for line in slow:
        line.sendall(head(sender, f"Content-Length: {len(message)}") + message[:1])
    started = time.monotonic()
    answer = talk(web, head(sender, f"Content-Length: {len(message)}"), message)
    assert answer is not None
    assert answer.status == 201
    assert time.monotonic() - started < SECONDS
    for line in slow:
        line.close()


def test_the_servers_log_holds_no_token_and_no_query(web: Processes, sender: Sender) -> None:
    request = "GET /v1/submissions?name=Zebediah HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    talk(web, f"{request}Authorization: Bearer {sender.token}\r\n\r\n".encode())
    said = web.log("web")
    assert sender.token not in said
    assert "Zebediah" not in said
    assert '"route": "/v1/submissions"' in said
