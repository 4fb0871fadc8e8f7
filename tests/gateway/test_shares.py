"""What one agency may take of a web process, by the clock and as it meets it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient

from gateway.errors import TooFast
from gateway.flow.shares import BURST_SECONDS, TELL_SECONDS, Share, Shares
from gateway.records import Role
from gateway.settings import Process, Settings
from gateway.web.application import create_app
from gateway.wiring.web import web_services
from tests.gateway.stand import OTHER_POLICE, POLICE, Sender, Stand

RATE = 2


class Clock:
    """Seconds that pass when a test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def refused(shares: Shares, agency_id: str) -> str | None:
    try:
        shares.take(agency_id)
    except TooFast as refusal:
        return refusal.code
    return None


def served(shares: Shares, agency_id: str, most: int) -> int:
    """How many requests, one after the other, are served."""
    for number in range(most):
        if refused(shares, agency_id):
            return number
        shares.give_back(agency_id)
    return most


def test_what_was_not_used_may_be_used_at_once_and_no_more() -> None:
    clock = Clock()
    shares = Shares(Share(a_second=5, at_once=3), clock=clock)
    burst = int(5 * BURST_SECONDS)
    assert served(shares, POLICE, 1000) == burst
    assert served(shares, OTHER_POLICE, 1000) == burst
    clock.now += 1
    assert served(shares, POLICE, 1000) == 5
    clock.now += 1e6
    assert served(shares, POLICE, 1000) == burst


def test_so_many_at_once_and_one_more_when_one_has_ended() -> None:
    shares = Shares(Share(a_second=100, at_once=3), clock=Clock())
    assert [refused(shares, POLICE) for _ in range(4)] == [None] * 3 + ["too-many-at-once"]
    assert refused(shares, OTHER_POLICE) is None
    shares.give_back(POLICE)
    assert [refused(shares, POLICE) for _ in range(2)] == [None, "too-many-at-once"]


def test_many_threads_get_no_more_than_there_is() -> None:
    shares = Shares(Share(a_second=5, at_once=1000), clock=Clock())
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: refused(shares, POLICE), range(500)))
    assert answers.count(None) == 5 * BURST_SECONDS


def test_the_log_is_told_once_a_minute() -> None:
    clock = Clock()
    shares = Shares(Share(a_second=1, at_once=1), clock=clock)
    told = [shares.is_worth_telling(POLICE) for _ in range(100)]
    assert told.count(True) == 1
    assert shares.is_worth_telling(OTHER_POLICE)
    clock.now += TELL_SECONDS
    assert shares.is_worth_telling(POLICE)


@pytest.fixture
def client(stand: Stand) -> Iterator[FlaskClient]:
    """A gateway that lets an agency ask twice a second."""
    environ = {**stand.environ, "MAX_RATE_OF_AN_AGENCY": str(RATE)}
    services = web_services(Settings.load(environ, Process.WEB))
    yield create_app(services).test_client()
    services.database.dispose()


@pytest.fixture(scope="module")
def sender(stand: Stand) -> Sender:
    """The agency that asks too much."""
    return stand.sender(POLICE)


def test_an_agency_that_asks_too_much_waits_and_no_other_does(
    stand: Stand, client: FlaskClient, sender: Sender
) -> None:
    other = stand.sender(OTHER_POLICE)
    # Another token of the same agency is no way around.
    second = {"Authorization": f"Bearer {stand.token(Role.SUBMITTER, agency_id=POLICE)}"}
    path, asked = "/v1/submissions", 0
    told = len(stand.entries())
    for asked in range(200):
        headers = sender.headers if asked % 2 else second
        answer = client.get(path, headers=headers)
        if answer.status_code != 200:
            break
    assert RATE * BURST_SECONDS <= asked < 100
    for _ in range(50):
        answer = client.get(path, headers=sender.headers)
        if answer.status_code == 429:
            assert answer.get_json()["code"] == "too-many-requests"
            assert answer.headers["Retry-After"] == "1"
            assert "2 requests a second" in answer.get_json()["title"]
    assert client.get(path, headers=other.headers).status_code == 200
    assert client.get("/v1/certificate").status_code == 200
    new = [(e.action, e.agency, e.error_code) for e in stand.entries()[told:]]
    assert [each for each in new if each[0] == "auth.failed"] == [
        ("auth.failed", POLICE, "too-many-requests")
    ]


def test_a_refusal_leaves_nothing_behind(stand: Stand, client: FlaskClient, sender: Sender) -> None:
    """No octet of a body is read, and a share that was refused is not taken either."""
    while client.get("/v1/submissions", headers=sender.headers).status_code == 200:
        pass
    message = sender.message(1)
    pgp = {**sender.headers, "Content-Type": "application/pgp-encrypted"}
    answers = [client.post("/v1/submissions", data=message, headers=pgp) for _ in range(30)]
    assert 429 in {each.status_code for each in answers}
    assert [each.status_code for each in answers].count(201) <= 1
    assert stand.post(sender, message).status_code in (200, 201)
