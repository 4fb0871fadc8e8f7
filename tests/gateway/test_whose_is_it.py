"""Nobody sees or moves what is another's, and nobody learns that it exists.

Every route stands in one of the tables below; a new route that does not fails the tests.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from crypto import Keyring, open_message
from gateway.records import AGENCY_ROLES, Role, State
from gateway.web.api.log import SIZE
from tests.gateway.stand import COUNCIL, OTHER_POLICE, POLICE, Sender, Stand, fresh, new_keyring
from tests.validators import samples

SUBMISSION = "/v1/submissions/<uuid:submission_id>"
DRY_RUN = "/v1/dry-runs/<uuid:dry_run_id>"
UPLOAD = "/v1/uploads/<uuid:upload_id>"
RELEASE = "/v1/releases/<uuid:release_id>"

# Which roles a route answers; what it answers them is the other tests' affair.
PROTECTED: dict[tuple[str, str], set[Role]] = {
    ("POST", "/v1/submissions"): {Role.SUBMITTER},
    ("GET", "/v1/submissions"): set(AGENCY_ROLES),
    ("GET", SUBMISSION): set(AGENCY_ROLES),
    ("GET", f"{SUBMISSION}/report"): set(AGENCY_ROLES),
    ("GET", f"{SUBMISSION}/report.pgp"): set(AGENCY_ROLES),
    ("GET", f"{SUBMISSION}/promise"): set(AGENCY_ROLES),
    ("GET", f"{SUBMISSION}/receipt"): set(AGENCY_ROLES),
    ("POST", f"{SUBMISSION}/withdrawal"): {Role.SUBMITTER},
    ("POST", f"{SUBMISSION}/replacement"): {Role.SUBMITTER},
    ("POST", "/v1/dry-runs"): {Role.SUBMITTER},
    ("GET", "/v1/dry-runs"): set(AGENCY_ROLES),
    ("GET", DRY_RUN): set(AGENCY_ROLES),
    ("GET", f"{DRY_RUN}/report"): set(AGENCY_ROLES),
    ("GET", f"{DRY_RUN}/report.pgp"): set(AGENCY_ROLES),
    ("POST", "/v1/uploads"): {Role.SUBMITTER},
    ("PATCH", UPLOAD): {Role.SUBMITTER},
    ("DELETE", UPLOAD): {Role.SUBMITTER},
    ("POST", "/v1/releases"): {Role.ANALYST},
    ("GET", "/v1/releases"): {Role.ANALYST},
    ("GET", RELEASE): {Role.ANALYST},
    ("POST", f"{RELEASE}/decision"): {Role.ANALYST},
    ("GET", f"{RELEASE}/manifest"): {Role.ANALYST},
    ("GET", f"{RELEASE}/objects/<uuid:submission_id>"): {Role.ANALYST},
    ("GET", "/v1/log/tile/entries/<path:rest>"): {Role.AUDITOR},
}
OPEN = {
    "/",
    "/healthz",
    "/readyz",
    "/v1/openapi.json",
    "/check",
    "/check/",
    "/check/<path:path>",
    "/standard",
    "/standard/",
    "/standard/<path:path>",
    "/v1/certificate",
    "/v1/standards",
    "/v1/standards/<version>",
    "/v1/standards/<version>/codelists/<code>",
    "/v1/log/checkpoint",
    f"/v1/log/checkpoint/{SIZE}",
    "/v1/log/timestamps",
    f"/v1/log/timestamps/{SIZE}/<authority>",
    "/v1/log/key",
    "/v1/log/tile/<int:level>/<path:rest>",
    "/v1/log/proofs/inclusion",
    "/v1/log/proofs/consistency",
}
MESSAGE = {"data": b"x", "content_type": "application/pgp-encrypted"}
RESUMABLE = {"Tus-Resumable": "1.0.0", "Upload-Length": "1", "Upload-Offset": "0"}
PIECE = {"data": b"x", "content_type": "application/offset+octet-stream"}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/releases": {"json": {"name": "a-name", "purpose": "to see whether one may"}},
    f"{RELEASE}/decision": {"json": {"decision": "approve"}},
    "/v1/uploads": PIECE,
    UPLOAD: PIECE,
}
OF_A_SUBMISSION = [route for route in PROTECTED if route[1].startswith(SUBMISSION)]
OF_A_DRY_RUN = [route for route in PROTECTED if route[1].startswith(DRY_RUN)]


def test_every_route_is_in_a_table(stand: Stand) -> None:
    served = {
        (method, rule.rule)
        for rule in stand.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.rule.startswith("/.well-known/openpgpkey/")
    }
    assert served == set(PROTECTED) | {("GET", rule) for rule in OPEN}


def ask(stand: Stand, route: tuple[str, str], headers: dict[str, str], **ids: Any) -> TestResponse:
    method, rule = route
    path = rule.replace("<uuid:submission_id>", str(ids.get("submission", uuid4())))
    path = path.replace("<uuid:dry_run_id>", str(ids.get("dry_run", uuid4())))
    path = path.replace("<uuid:upload_id>", str(uuid4()))
    path = path.replace("<uuid:release_id>", str(ids.get("release", uuid4())))
    path = path.replace("<path:rest>", "000.p/1")
    body = BODIES.get(rule, MESSAGE if method == "POST" and "withdrawal" not in rule else {})
    if "uploads" in rule:
        headers = headers | RESUMABLE
    return stand.client.open(path, method=method, headers=headers, **body)


@pytest.fixture(scope="module")
def headers(stand: Stand) -> dict[Role, dict[str, str]]:
    """One person of each role."""
    stand.sender(POLICE)
    return {
        role: {
            "Authorization": "Bearer "
            + stand.token(role, agency_id=POLICE if role in AGENCY_ROLES else None)
        }
        for role in Role
    }


@pytest.mark.parametrize("route", PROTECTED, ids=str)
def test_without_a_token_nothing_is_answered(stand: Stand, route: tuple[str, str]) -> None:
    answer = ask(stand, route, {})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", PROTECTED, ids=str)
def test_a_role_reaches_its_own_routes_only(
    stand: Stand, headers: dict[Role, dict[str, str]], route: tuple[str, str], role: Role
) -> None:
    answer = ask(stand, route, headers[role])
    if role in PROTECTED[route]:
        assert answer.status_code not in (401, 403), answer.get_data(as_text=True)
    else:
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")


@pytest.fixture(scope="module")
def theirs(stand: Stand) -> tuple[Sender, Any]:
    """Another agency, with a stored submission that has bad rows."""
    sender = stand.sender(OTHER_POLICE)
    records = samples.children(2, seed=123)
    records["CASE"][0]["sex"] = "Q"
    submission = stand.send(sender, sender.encrypt(sender.package(records).data))
    stand.settle()
    return sender, submission


@pytest.mark.parametrize("route", OF_A_SUBMISSION, ids=str)
def test_what_is_anothers_is_as_if_it_were_not(
    stand: Stand, theirs: tuple[Sender, Any], route: tuple[str, str]
) -> None:
    ours = stand.sender(POLICE)
    existing = ask(stand, route, ours.headers, submission=theirs[1])
    absent = ask(stand, route, ours.headers, submission=uuid4())
    assert existing.status_code == absent.status_code == 404
    one, other = existing.get_json(), absent.get_json()
    assert one.pop("request_id") != other.pop("request_id")
    assert one == other
    assert stand.state(theirs[1]) is State.STORED


@pytest.mark.parametrize("route", OF_A_DRY_RUN, ids=str)
def test_anothers_dry_run_is_as_if_it_were_not(
    stand: Stand, theirs: tuple[Sender, Any], route: tuple[str, str]
) -> None:
    records = samples.children(2, seed=fresh())
    records["CASE"][0]["sex"] = "Q"
    dry_run = stand.try_out(theirs[0], theirs[0].encrypt(theirs[0].package(records).data))
    stand.settle()
    ours = stand.sender(POLICE)
    assert ask(stand, route, theirs[0].headers, dry_run=dry_run).status_code == 200
    existing = ask(stand, route, ours.headers, dry_run=dry_run)
    absent = ask(stand, route, ours.headers, dry_run=uuid4())
    assert existing.status_code == absent.status_code == 404
    one, other = existing.get_json(), absent.get_json()
    assert one.pop("request_id") != other.pop("request_id")
    assert one == other


def test_a_list_holds_ones_own_only(stand: Stand, theirs: tuple[Sender, Any]) -> None:
    ours = stand.sender(COUNCIL)
    assert stand.get("/v1/submissions", ours).get_json()["submissions"] == []
    listed = stand.get("/v1/submissions", theirs[0]).get_json()["submissions"]
    assert str(theirs[1]) in [each["id"] for each in listed]


@pytest.fixture
def ours(stand: Stand) -> Iterator[Sender]:
    return stand.sender(POLICE)


def rejected_with(stand: Stand, sender: Sender, message: bytes) -> str:
    """Send what must be rejected; the code, of which report and log must agree."""
    submission = stand.send(sender, message)
    stand.settle()
    assert stand.state(submission) is State.REJECTED
    told = [entry for entry in stand.entries() if entry.object_id == str(submission)]
    assert str(told[-1].action) == "submission.rejected"
    report = stand.report(sender, submission)
    shown = stand.get(f"/v1/submissions/{submission}", sender).get_json()
    if "refusal" in report:
        assert report["refusal"]["code"] == shown["error_code"]
        assert len(report["refusal"]["message"]) > 20
        assert len(report["refusal"]["mend"]) > 20
    return str(shown["error_code"])


def test_an_enrolled_agency_in_anothers_session_is_unknown(
    stand: Stand, ours: Sender, theirs: tuple[Sender, Any]
) -> None:
    message = theirs[0].message(1)
    assert rejected_with(stand, ours, message) == "unknown-signer"


def test_anothers_message_sent_again_is_unknown(
    stand: Stand, ours: Sender, theirs: tuple[Sender, Any]
) -> None:
    message = theirs[0].message(1)
    stand.send(theirs[0], message)
    stand.settle()
    assert rejected_with(stand, ours, message) == "unknown-signer"


def test_anothers_package_signed_by_oneself_names_another(
    stand: Stand, ours: Sender, theirs: tuple[Sender, Any]
) -> None:
    """A agrees with itself to send what B said: the manifest still names and is signed by B."""
    stolen = opened(stand, theirs[0].message(1), theirs[0])
    assert rejected_with(stand, ours, ours.encrypt(stolen)) == "CT-001"


def opened(stand: Stand, message: bytes, sender: Sender) -> bytes:
    own = Keyring.load([(stand.keys.folder / "gateway-key.asc").read_bytes()])
    found = open_message(
        BytesIO(message), keyring=own, senders=sender.keyring.certificates, now=datetime.now(UTC)
    )
    return found.plaintext.read()


def test_a_package_in_anothers_name_is_refused(stand: Stand, ours: Sender) -> None:
    package = ours.package(samples.children(1, seed=5), agency_id=OTHER_POLICE)
    assert rejected_with(stand, ours, ours.encrypt(package.data)) == "CT-003"


def test_a_message_to_somebody_else_is_not_ours(stand: Stand, ours: Sender) -> None:
    elsewhere = new_keyring("another gateway").certificates[0]
    message = ours.encrypt(ours.package(samples.children(1, seed=6)).data, to=elsewhere)
    assert rejected_with(stand, ours, message) == "wrong-recipient"


def test_a_key_that_has_expired_is_refused(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = stand.sender(POLICE, keyring=new_keyring("short", valid_for=timedelta(hours=2)))
    submission = stand.send(sender, sender.message(1))
    later = datetime.now(UTC) + timedelta(days=1)
    monkeypatch.setattr(stand.worker.processor._judge, "_clock", lambda: later)
    stand.settle()
    shown = stand.get(f"/v1/submissions/{submission}", sender).get_json()
    assert (shown["state"], shown["error_code"]) == ("rejected", "signer-expired")


DEAD = {
    "unknown": lambda _: "ctds_" + "A" * 43,
    "trailing newline": lambda good: good + "\\n",
    "another scheme": lambda good: good,
    "sql": lambda _: "ctds_' OR 1=1 --",
    "very long": lambda good: good * 50,
    "empty": lambda _: "",
    "hash of it": lambda _: "0" * 64,
}


@pytest.mark.parametrize("kind", DEAD)
def test_a_token_is_good_or_not_and_the_answer_is_one(
    stand: Stand, ours: Sender, kind: str
) -> None:
    scheme = "Basic" if kind == "another scheme" else "Bearer"
    value = f"{scheme} {DEAD[kind](ours.token)}"
    answer = stand.client.get("/v1/submissions", headers={"Authorization": value})
    reference = stand.client.get("/v1/submissions")
    one, other = answer.get_json(), reference.get_json()
    one.pop("request_id")
    other.pop("request_id")
    assert (answer.status_code, one) == (401, other)


def test_a_token_in_the_address_is_not_looked_at(stand: Stand, ours: Sender) -> None:
    for name in ("token", "access_token", "authorization"):
        assert stand.client.get(f"/v1/submissions?{name}={ours.token}").status_code == 401


def test_a_dead_token_answers_as_an_unknown_one_and_the_log_knows(stand: Stand) -> None:
    sender = stand.sender(COUNCIL)
    expired = stand.token(Role.SUBMITTER, agency_id=COUNCIL, valid_for=timedelta(seconds=-1))
    with stand.database.transaction() as session:
        session.execute(
            text(
                "UPDATE access_token SET revoked_at = now() WHERE secret_sha256 ="
                " sha256(convert_to(:secret, 'UTF8'))"
            ),
            {"secret": sender.token},
        )
    before = len(stand.entries())
    bodies = []
    for secret in (expired, sender.token):
        headers = {"Authorization": f"Bearer {secret}"}
        answer = stand.client.get("/v1/submissions", headers=headers)
        assert answer.status_code == 401
        bodies.append({k: v for k, v in answer.get_json().items() if k != "request_id"})
    assert bodies[0] == bodies[1]
    told = stand.entries()[before:]
    assert [(str(e.action), e.error_code) for e in told] == [
        ("auth.failed", "token-expired"),
        ("auth.failed", "token-revoked"),
    ]


def test_the_second_person_is_a_person_and_not_a_second_token(
    stand: Stand, theirs: tuple[Sender, Any]
) -> None:
    first, again = (stand.as_role(Role.ANALYST, subject="ada") for _ in range(2))
    body = {"name": "one-person", "purpose": "to be both who asks and who decides"}
    release = stand.client.post("/v1/releases", json=body, headers=first).get_json()["id"]
    answer = stand.client.post(
        f"/v1/releases/{release}/decision", json={"decision": "approve"}, headers=again
    )
    assert (answer.status_code, answer.get_json()["code"]) == (409, "second-person-needed")


def test_an_analyst_gets_nothing_that_was_not_released(
    stand: Stand, theirs: tuple[Sender, Any]
) -> None:
    asks = stand.as_role(Role.ANALYST, subject="asks")
    body = {"name": "not-yet", "purpose": "to fetch before anybody approved"}
    release = stand.client.post("/v1/releases", json=body, headers=asks).get_json()["id"]
    path = f"/v1/releases/{release}/objects/{theirs[1]}"
    before = len(stand.entries())
    assert stand.client.get(path, headers=asks).status_code == 404
    assert stand.client.get(f"/v1/releases/{release}/manifest", headers=asks).status_code == 409
    refuse = stand.as_role(Role.ANALYST, subject="refuses")
    decision = f"/v1/releases/{release}/decision"
    stand.client.post(decision, json={"decision": "refuse"}, headers=refuse)
    assert stand.client.get(path, headers=asks).status_code == 404
    told = [str(entry.action) for entry in stand.entries()[before:]]
    assert told == ["token.issued", "release.refused"], "and no retrieval"
