"""The HTTPS client against a gateway that is away, busy, lying or somebody else."""

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.client import (
    ClientError,
    GatewayClient,
    Progress,
    Refused,
    Unreachable,
    Upload,
)
from gateway.client.answers import MOST_FAULTS
from gateway.client.session import TRIES
from tests.gateway.cli.scripted import DROPPED, Answer, Scripted, scripted

TOKEN = "ctds_secret"
BUSY = Answer(
    503,
    json.dumps({"code": "not-ready", "title": "Wait.", "mend": "Ask again."}).encode(),
    {"Retry-After": "7"},
)
CONFLICT = Answer(
    409, json.dumps({"code": "conflict", "title": "No.", "mend": "Change it."}).encode()
)


class Clock:
    """Sleeps by writing down for how long."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def _client(gateway: Scripted, clock: Clock | None = None) -> GatewayClient:
    return GatewayClient(gateway.url, TOKEN, sleep=clock or Clock())


def _upload(folder: Path, data: bytes = b"message") -> Upload:
    path = folder / "package.pgp"
    path.write_bytes(data)
    return Upload.of(path)


@pytest.mark.parametrize(
    "url",
    [
        "http://gateway.example.org",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://127.0.0.1@example.org",
        "http://[2001:db8::1]",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "//127.0.0.1",
        "127.0.0.1:8000",
        "",
    ],
)
def test_no_token_goes_over_plain_http_to_another_machine(url: str) -> None:
    with pytest.raises(ClientError) as refused:
        GatewayClient(url, TOKEN)
    assert refused.value.code == "unsafe-address"


@pytest.mark.parametrize(
    "url", ["https://gateway.example.org/", "http://127.0.0.1:8000", "http://[::1]:1/"]
)
def test_https_and_this_machine_are_safe(url: str) -> None:
    assert GatewayClient(url, TOKEN).url == url.rstrip("/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else(status: int) -> None:
    with scripted(Answer()) as elsewhere:
        redirect = Answer(status, headers={"Location": f"{elsewhere.url}/v1/certificate"})
        with scripted(redirect) as gateway, pytest.raises(Refused):
            _client(gateway).get("/v1/submissions")
    assert elsewhere.asked == []


def test_the_token_is_in_the_header_and_not_in_the_address() -> None:
    with scripted(Answer()) as gateway:
        _client(gateway).get("/v1/submissions", limit=5, before=None)
    (asked,) = gateway.asked
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.path == "/v1/submissions?limit=5"


def test_an_upload_states_its_length_digest_and_key(tmp_path: Path) -> None:
    data = bytes(range(256)) * 1024
    seen: list[int] = []
    progress: Progress = seen.append
    with scripted(Answer(201, b'{"id": "1"}')) as gateway:
        sent = _client(gateway).submit(_upload(tmp_path, data), progress=progress)
    (asked,) = gateway.asked
    digest = b64encode(sha256(data).digest()).decode()
    assert sent == {"id": "1"}
    assert asked.body == data
    assert asked.headers["Content-Length"] == str(len(data))
    assert asked.headers["Content-Digest"] == f"sha-256=:{digest}:"
    assert asked.headers["Idempotency-Key"] == sha256(data).hexdigest()
    assert sum(seen) == len(data)


def test_a_lost_connection_is_tried_again_with_the_same_bytes_and_key(tmp_path: Path) -> None:
    clock = Clock()
    with scripted(DROPPED, DROPPED, Answer(201, b'{"id": "1"}')) as gateway:
        _client(gateway, clock).submit(_upload(tmp_path))
    assert [(asked.body, asked.headers["Idempotency-Key"]) for asked in gateway.asked] == [
        (b"message", sha256(b"message").hexdigest())
    ] * 3
    assert clock.slept == [1.0, 2.0]


def test_a_gateway_that_asks_for_time_is_given_it(tmp_path: Path) -> None:
    clock = Clock()
    with scripted(BUSY, BUSY, Answer(201, b'{"id": "1"}')) as gateway:
        _client(gateway, clock).submit(_upload(tmp_path))
    assert clock.slept == [7.0, 7.0]


def test_patience_ends_with_what_the_gateway_said_last() -> None:
    clock = Clock()
    with scripted(BUSY) as gateway, pytest.raises(Refused) as refused:
        _client(gateway, clock).get("/v1/submissions")
    assert (refused.value.status, refused.value.code) == (503, "not-ready")
    assert len(gateway.asked) == TRIES


def test_no_answer_at_all_is_unreachable_after_all_tries() -> None:
    clock = Clock()
    with scripted(DROPPED) as gateway, pytest.raises(Unreachable) as lost:
        _client(gateway, clock).get("/v1/submissions")
    assert len(gateway.asked) == TRIES
    assert "run the same command again" in lost.value.mend
    assert clock.slept == sorted(clock.slept)


def test_a_decision_is_never_sent_twice() -> None:
    with scripted(DROPPED) as gateway, pytest.raises(Unreachable):
        _client(gateway).post("/v1/releases/1/decision", {"decision": "approve"})
    assert len(gateway.asked) == 1


def test_a_busy_gateway_is_not_asked_twice_for_a_decision() -> None:
    with scripted(BUSY) as gateway, pytest.raises(Refused) as refused:
        _client(gateway).post("/v1/releases/1/decision", {"decision": "approve"})
    assert refused.value.code == "not-ready"
    assert len(gateway.asked) == 1


def test_a_problem_arrives_with_its_own_words_and_is_not_repeated(tmp_path: Path) -> None:
    with scripted(CONFLICT) as gateway, pytest.raises(Refused) as refused:
        _client(gateway).submit(_upload(tmp_path))
    said = refused.value
    assert (said.status, said.code, said.message, said.mend) == (
        409,
        "conflict",
        "No.",
        "Change it.",
    )
    assert len(gateway.asked) == 1


def test_a_request_that_is_not_as_it_must_be_is_told_field_by_field() -> None:
    problem = {
        "title": "Unprocessable Entity.",
        "code": "invalid-request",
        "mend": "See the description.",
        "errors": {"json": {"name": ["Too short."], "purpose": ["Missing.", "Not a text."]}},
    }
    body = json.dumps(problem).encode()
    with scripted(Answer(422, body)) as gateway, pytest.raises(Refused) as refused:
        _client(gateway).get("/v1/releases")
    told = "Unprocessable Entity. name: Too short. purpose: Missing. purpose: Not a text."
    assert refused.value.message == told


@pytest.mark.parametrize("errors", [None, [], "no", [1], {"json": None}])
def test_whatever_stands_for_the_fields_the_code_is_told(errors: object) -> None:
    problem = {"title": "No.", "code": "invalid-request", "mend": "Mend it.", "errors": errors}
    body = json.dumps(problem).encode()
    with scripted(Answer(422, body)) as gateway, pytest.raises(Refused) as refused:
        _client(gateway).get("/v1/releases")
    assert refused.value.code == "invalid-request"


def nested(depth: int) -> bytes:
    """A problem whose faults stand so deep."""
    faults = b'{"a":' * depth + b'["No."]' + b"}" * depth
    return b'{"title":"No.","code":"invalid-request","mend":"Mend it.","errors":%s}' % faults


@pytest.mark.parametrize("depth", [1, 100, 500, 900, 960, 990, 5_000, 500_000])
def test_a_problem_without_a_bottom_is_told_and_goes_no_deeper(depth: int) -> None:
    """A hostile gateway, or who stands before it, must not bring the command down."""
    with scripted(Answer(422, nested(depth))) as gateway, pytest.raises(Refused) as refused:
        _client(gateway).get("/v1/releases")
    assert refused.value.code in ("invalid-request", "http-422")
    assert len(refused.value.message) < 100


def test_of_many_faults_some_are_told() -> None:
    errors = {f"f{number}": ["No."] * 100 for number in range(1000)}
    problem = {"title": "No.", "code": "invalid-request", "mend": "Mend it.", "errors": errors}
    body = json.dumps(problem).encode()
    with scripted(Answer(422, body)) as gateway, pytest.raises(Refused) as refused:
        _client(gateway).get("/v1/releases")
    assert refused.value.message.count("No.") == MOST_FAULTS + 1


@pytest.mark.parametrize("name", ["code", "title", "mend"])
def test_a_problem_whose_words_are_none_is_no_problem(name: str) -> None:
    problem = {"title": "No.", "code": "conflict", "mend": "Mend it.", name: {"a": 1}}
    body = json.dumps(problem).encode()
    with scripted(Answer(409, body)) as gateway, pytest.raises(Refused) as refused:
        _client(gateway).get("/v1/releases")
    assert refused.value.unexplained


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"text"', b"{}", b"\xff", b""])
def test_an_error_that_is_no_problem_still_gets_a_code(body: bytes) -> None:
    with scripted(Answer(418, body)) as gateway, pytest.raises(Refused) as refused:
        _client(gateway).get("/v1/submissions")
    assert refused.value.code == "http-418"


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"[]", b"\xff", b"", b"[" * 100_000])
def test_an_answer_that_is_not_the_gateways_is_refused(body: bytes) -> None:
    with scripted(Answer(200, body)) as gateway, pytest.raises(Refused) as refused:
        _client(gateway).get("/v1/submissions")
    assert (refused.value.status, refused.value.code) == (200, "http-200")
    assert "address" in refused.value.mend


def test_a_download_that_breaks_off_is_never_taken_for_whole() -> None:
    with scripted(Answer(200, bytes(1000), cut=400)) as gateway:
        blocks = _client(gateway).download("/v1/releases/1/objects/2")
        with pytest.raises(Unreachable):
            list(blocks)
