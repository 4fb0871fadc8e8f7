"""Abuse of the HTTP interface: each case declares its answer, and nothing stays half-done."""

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256, sha512
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from gateway.records import Role
from gateway.store.database import Database
from tests.gateway.stand import POLICE, Sender, Stand, octets

PGP = "application/pgp-encrypted"


@pytest.fixture(scope="module")
def sender(stand: Stand) -> Sender:
    """An agency in good standing."""
    return stand.sender(POLICE)


def held(stand: Stand) -> tuple[int, int, int]:
    """How many submissions, jobs and quarantined objects there are."""
    with stand.database.transaction() as session:
        rows = session.execute(text("SELECT count(*) FROM submission")).scalar_one()
        jobs = session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one()
    store = stand.admin.objects
    listed = store._client.list_objects_v2(Bucket=f"{store._prefix}-quarantine")
    return rows, jobs, listed["KeyCount"]


def problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The answer must be this problem, in the one form that problems have."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = answer.get_json()
    assert body["code"] == code
    assert body["type"] == f"urn:ctds-gateway:problem:{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["mend"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert "Traceback" not in answer.get_data(as_text=True)
    return body


def digest(data: bytes, name: str = "sha-256") -> str:
    value = {"sha-256": sha256, "sha-512": sha512}[name](data).digest()
    return f"{name}=:{b64encode(value).decode()}:"


_NOISE = octets(3)
REFUSED_UPLOADS: dict[str, tuple[int, str, bytes, dict[str, str]]] = {
    "wrong digest": (400, "digest-mismatch", _NOISE, {"Content-Digest": digest(b"abd")}),
    "wrong repr digest": (400, "digest-mismatch", _NOISE, {"Repr-Digest": digest(b"abd")}),
    "one of two wrong": (
        400,
        "digest-mismatch",
        _NOISE,
        {"Content-Digest": f"{digest(_NOISE)}, {digest(b'x', 'sha-512')}"},
    ),
    "malformed digest": (400, "digest-malformed", _NOISE, {"Content-Digest": "sha-256=abc"}),
    "unsafe digest only": (400, "digest-malformed", _NOISE, {"Content-Digest": "md5=:YWJj:"}),
    "key with spaces": (
        400,
        "idempotency-key-malformed",
        _NOISE,
        {"Idempotency-Key": "not a key"},
    ),
    "key too long": (400, "idempotency-key-malformed", _NOISE, {"Idempotency-Key": "k" * 256}),
    "unknown media type": (415, "media-type", _NOISE, {"Content-Type": "text/html"}),
    "no media type": (415, "media-type", _NOISE, {"Content-Type": ""}),
    "too large": (413, "too-large", bytes((32 << 20) + 1), {}),
    "a package in the clear": (400, "not-openpgp", b"PK\x03\x04", {}),
    "a table in the clear": (400, "not-openpgp", b"record_id,person_ref\r\n", {}),
    "a signed message in the clear": (400, "not-openpgp", b"\x90\x0d\x03", {}),
    "a compressed message in the clear": (400, "not-openpgp", b"\xa3\x01\x01", {}),
    "a signed message in armor": (
        *(400, "not-openpgp"),
        b"-----BEGIN PGP MESSAGE-----\nComment: ours\n\nowEBqwJU/ZANAwAI\n",
        {},
    ),
}


@pytest.mark.parametrize("case", REFUSED_UPLOADS)
def test_an_upload_that_is_not_as_announced_is_refused(
    stand: Stand, sender: Sender, case: str
) -> None:
    status, code, body, headers = REFUSED_UPLOADS[case]
    before, told = held(stand), len(stand.entries())
    answer = stand.client.post(
        "/v1/submissions", data=body, headers={**sender.headers, "Content-Type": PGP, **headers}
    )
    problem(answer, status, code)
    assert held(stand) == before
    new = [(str(e.action), e.outcome, e.error_code) for e in stand.entries()[told:]]
    # What was refused before the intake saw it is no upload and has no entry.
    assert new in ([("submission.refused", "refused", code)], [])
    assert (new == []) == (code in ("digest-malformed", "idempotency-key-malformed", "media-type"))


def test_right_digests_are_accepted(stand: Stand, sender: Sender) -> None:
    message = sender.message(1)
    both = f"{digest(message)}, {digest(message, 'sha-512')}, unknown=:YWJj:"
    answer = stand.post(sender, message, Content_Digest=both, Repr_Digest=digest(message))
    assert answer.status_code == 201


def test_one_idempotency_key_is_for_one_message(stand: Stand, sender: Sender) -> None:
    first, other = sender.message(1), sender.message(1)
    taken = stand.post(sender, first, Idempotency_Key="a-key-of-ours")
    again = stand.post(sender, first, Idempotency_Key="a-key-of-ours")
    assert (taken.status_code, again.status_code) == (201, 200)
    before = held(stand)
    answer = stand.post(sender, other, Idempotency_Key="a-key-of-ours")
    problem(answer, 409, "idempotency-key-reused")
    assert held(stand) == before
    assert stand.post(sender, other, Idempotency_Key="another").status_code == 201


def test_the_same_twenty_times_at_once_is_one_submission(stand: Stand, sender: Sender) -> None:
    message, before = sender.message(1), held(stand)

    def post(_: int) -> TestResponse:
        client = stand.app.test_client()
        headers = {**sender.headers, "Content-Type": PGP, "Idempotency-Key": "at-once"}
        return client.post("/v1/submissions", data=message, headers=headers)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert held(stand) == tuple(count + 1 for count in before)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/submissions/%2e%2e/%2e%2e/etc/passwd",
        "/v1/submissions/..%2f..%2fhealthz",
        "/v1/submissions/%00",
        "/v1/submissions/%c0%ae%c0%ae",
        "/v1/submissions/%ff",
        "/v1/log/tile/0/../../../etc/passwd",
        "/v1/log/tile/99999999999999999999/000",
        "/v1/log/tile/0/x" + "999/" * 400,
        "/v1/standards/..%2f..%2f..%2fetc%2fpasswd",
        "/v1/standards/1.0/codelists/..%2f..%2fstandard.json",
        "/.well-known/openpgpkey/hu/..%2fpolicy",
        "/v2/submissions",
        "/" + "a" * 5000,
    ],
)
def test_a_strange_path_is_not_found(stand: Stand, sender: Sender, path: str) -> None:
    problem(stand.client.get(path, headers=sender.headers), 404, "not-found")


def test_a_query_of_a_megabyte_is_answered(stand: Stand, sender: Sender) -> None:
    answer = stand.client.get("/v1/submissions?x=" + "a" * (1 << 20), headers=sender.headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1e400", "limit"),
        ("limit=-1", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=NaN", "limit"),
        ("limit=%00", "limit"),
        ("before=yesterday", "before"),
        ("before=99999-01-01T00:00:00Z", "before"),
        ("before=2026-01-01T00:00:00", "before"),
    ],
)
def test_a_strange_query_is_refused(stand: Stand, sender: Sender, query: str, field: str) -> None:
    answer = stand.client.get(f"/v1/submissions?{query}", headers=sender.headers)
    assert field in json.dumps(problem(answer, 422, "invalid-request")["errors"])


BAD_JSON: dict[str, tuple[int, bytes]] = {
    "not JSON": (400, b"{"),
    "10,000 levels": (400, b"[" * 10_000),
    "an array": (400, b"[]"),
    "a key twice": (400, b'{"name": "a-name", "name": "b-name"}'),
    "an unknown key": (422, b'{"name": "a-name", "purpose": "long enough it is", "x": 1}'),
    "a number for a name": (422, b'{"name": 1, "purpose": "long enough it is"}'),
    "NaN for a name": (400, b'{"name": NaN, "purpose": "long enough it is"}'),
    "1e400 for a purpose": (422, b'{"name": "a-name", "purpose": 1e400}'),
    "1e400 for a key": (422, b'{"name": "a-name", "purpose": "long enough it is", "x": -1e400}'),
    "10,000 digits": (422, b'{"name": ' + b"9" * 10_000 + b', "purpose": "long enough it is"}'),
    "half a character": (422, b'{"name": "\\ud800", "purpose": "long enough it is"}'),
    "not UTF-8": (400, b'{"name": "\xff", "purpose": "long enough it is"}'),
    "10,000 levels inside": (400, b'{"name": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001),
    "10,000 keys": (
        422,
        b"{" + b",".join(b'"k%d": 1' % number for number in range(5_000)) + b"}",
    ),
    "a name with markup": (422, b'{"name": "<script>", "purpose": "long enough it is"}'),
    "a name with a newline": (422, b'{"name": "abc\\n", "purpose": "long enough it is"}'),
    "too long": (413, b'{"purpose": "' + b"a" * (1 << 17) + b'"}'),
}


@pytest.mark.parametrize("case", BAD_JSON)
def test_a_strange_body_is_refused(stand: Stand, case: str) -> None:
    status, body = BAD_JSON[case]
    answer = stand.client.post(
        "/v1/releases",
        data=body,
        content_type="application/json",
        headers=stand.as_role(Role.ANALYST),
    )
    code = {400: "bad-request", 413: "too-large", 422: "invalid-request"}[status]
    problem(answer, status, code)


def test_a_method_is_what_the_request_line_says(stand: Stand, sender: Sender) -> None:
    headers = {**sender.headers, "X-HTTP-Method-Override": "DELETE", "X-Method": "POST"}
    assert stand.client.get("/v1/submissions", headers=headers).status_code == 200
    problem(stand.client.delete("/v1/submissions", headers=headers), 405, "method-not-allowed")


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-0"},
        {"Range": "bytes=99999999999-"},
        {"If-Match": '"x"'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": "never"},
    ],
)
def test_conditions_are_not_a_way_around(
    stand: Stand, sender: Sender, headers: dict[str, str]
) -> None:
    answer = stand.client.get("/v1/certificate", headers=headers)
    assert answer.status_code == 200
    assert answer.get_data(as_text=True).startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----")


def test_other_origins_get_no_leave(stand: Stand, sender: Sender) -> None:
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    for answer in (
        stand.client.options("/v1/submissions", headers=asked),
        stand.client.get("/v1/submissions", headers={**asked, **sender.headers}),
    ):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


def test_every_answer_is_hardened(stand: Stand) -> None:
    for path in ("/v1/certificate", "/nowhere", "/v1/submissions"):
        headers = stand.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in headers["Cache-Control"]


def test_our_own_mistake_says_nothing_of_itself(
    stand: Stand, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the child's name")

    monkeypatch.setattr(stand.services.submissions, "list", fail)
    body = problem(stand.get("/v1/submissions", sender), 500, "internal")
    assert "child" not in json.dumps(body)
    assert "ZeroDivision" not in json.dumps(body)


def test_a_database_that_is_away_is_said_so(
    stand: Stand, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Database("postgresql+psycopg://nobody:x@127.0.0.1:9/none")
    monkeypatch.setattr(stand.services.access, "_database", away)
    answer = stand.get("/v1/submissions", sender)
    problem(answer, 503, "database-unavailable")
    assert answer.headers["Retry-After"] == "30"


def test_the_interface_describes_itself(stand: Stand) -> None:
    described = stand.client.get("/v1/openapi.json").get_json()
    assert described["openapi"] == "3.1.0"
    paths = described["paths"]
    assert set(paths["/v1/submissions"]) >= {"get", "post"}
    assert "application/pgp-encrypted" in json.dumps(paths["/v1/submissions"]["post"])
