"""Who takes a report by the octet, from the web process as it runs without nginx before it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from secrets import token_bytes
from uuid import UUID

import pytest
import requests
from sqlalchemy import text

from gateway.store.objects import Bucket
from tests.gateway.paced import ABSORBED
from tests.gateway.processes import free_port
from tests.gateway.stand import OTHER_POLICE, POLICE, Sender, Stand
from validators.publishing import published

REPORT = 24 << 20
THREADS, SHARE = 8, 4


class Web:
    """`gateway web` with eight threads, of which an agency has four."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._journal = folder / "journal"
        command = [sys.executable, "-m", "gateway", "web", "--bind", f"127.0.0.1:{self.port}"]
        with self._journal.open("wb") as journal:
            self.process = subprocess.Popen(
                [*command, "--workers", "1", "--threads", str(THREADS)],
                env={**os.environ, **environ, "MAX_REQUESTS_OF_AN_AGENCY": str(SHARE)},
                stderr=journal,
            )

    def get(self, path: str, sender: Sender) -> requests.Response:
        """Ask, and wait ten seconds at most."""
        return requests.get(f"{self.url}{path}", headers=sender.headers, timeout=10)

    def events(self, name: str) -> list[dict[str, object]]:
        """What the journal has of an event."""
        lines = self._journal.read_text().splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return [each for each in told if each["event"] == name]


@pytest.fixture(scope="module")
def web(
    stand: Stand, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """The web process of the stand."""
    running = Web(environ, tmp_path_factory.mktemp("web"))
    deadline = time.monotonic() + 60
    while True:
        try:
            assert requests.get(f"{running.url}/healthz", timeout=5).ok
            break
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    yield running
    running.process.terminate()
    running.process.wait(timeout=40)


def large_report(stand: Stand, sender: Sender) -> UUID:
    submission = stand.send(sender, sender.message(1))
    stand.settle()
    key = f"{sender.agency_id}/report-{submission}.json.pgp"
    stand.admin.objects.put(Bucket.REPORTS, key, BytesIO(token_bytes(REPORT)))
    with stand.database.transaction() as session:
        session.execute(
            text("UPDATE submission SET report_key = :key WHERE id = :id"),
            {"key": key, "id": submission},
        )
    return submission


def slow_reader(web: Web, path: str, sender: Sender) -> socket.socket:
    """Somebody who has asked, has room for little and has taken the first octets."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(20)
    line.connect(("127.0.0.1", web.port))
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sender.token}\r\n\r\n"
    line.sendall(head.encode())
    return line


def test_readers_of_one_agency_hold_its_share_and_no_more(stand: Stand, web: Web) -> None:
    """Twice as many as there are threads; the others of the agency are told to wait."""
    sender, other = stand.sender(POLICE), stand.sender(OTHER_POLICE)
    path = f"/v1/submissions/{large_report(stand, sender)}/report.pgp"
    with ExitStack() as lines:
        slow = [lines.enter_context(slow_reader(web, path, sender)) for _ in range(2 * THREADS)]
        answers = [line.recv(12).decode() for line in slow]
        assert answers.count("HTTP/1.1 200") == SHARE
        assert answers.count("HTTP/1.1 429") == len(slow) - SHARE
        for _ in range(20):
            began = time.monotonic()
            assert web.get("/v1/submissions", other).status_code == 200
            assert time.monotonic() - began < 5
        assert web.get("/v1/submissions", sender).json()["code"] == "too-many-at-once"
    deadline = time.monotonic() + 20
    while web.get("/v1/submissions", sender).status_code != 200:
        assert time.monotonic() < deadline, "what they had is not given back"
        time.sleep(0.1)


def test_the_journal_says_that_an_answer_was_not_taken(stand: Stand, web: Web) -> None:
    sender = stand.sender(POLICE)
    path = f"/v1/submissions/{large_report(stand, sender)}/report.pgp"
    whole = web.get(path, sender)
    assert len(whole.content) == REPORT
    with slow_reader(web, path, sender) as line:
        head = line.recv(2000).decode("latin-1")
    cut = head.partition("X-Request-Id: ")[2].split()[0]
    deadline = time.monotonic() + 20
    while cut not in {each["request_id"] for each in web.events("request.cut")}:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    [told] = [each for each in web.events("request.cut") if each["request_id"] == cut]
    assert told["end"] == "client-gone"
    asked = {each["request_id"]: each["status"] for each in web.events("request")}
    assert asked[cut] == 200
    taken = whole.headers["X-Request-Id"]
    assert taken in asked
    assert taken not in {each["request_id"] for each in web.events("request.cut")}


def test_what_strangers_may_read_is_small_but_for_the_page_that_nginx_keeps(
    stand: Stand,
) -> None:
    paths = [f"/standard/{path}" for path in published()]
    paths += ["/v1/openapi.json", "/v1/certificate", "/v1/standards", "/v1/log/key"]
    for path in paths:
        answer = stand.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, path
        assert len(answer.data) < ABSORBED, path


def test_many_quick_requests_leave_nothing_behind(stand: Stand, web: Web) -> None:
    """Also those without a body, that are refused, and that nobody is known to have asked."""
    sender = stand.sender(POLICE)
    unknown = f"/v1/submissions/{UUID(int=1)}"
    with requests.Session() as session:
        for _ in range(5 * SHARE):
            for method, path in (("HEAD", "/v1/submissions"), ("GET", unknown), ("POST", unknown)):
                answer = session.request(
                    method, f"{web.url}{path}", headers=sender.headers, timeout=10
                )
                assert answer.status_code in (200, 404, 405)
    assert web.get("/v1/submissions", sender).status_code == 200
