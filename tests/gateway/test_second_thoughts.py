"""Replacing, withdrawing and testing: what was sent stays, and what counts is the last word."""

import json
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from gateway.errors import ServiceFailed
from gateway.records import Role, State
from gateway.store.objects import Bucket, quarantine_key
from tests.gateway.stand import COUNCIL, OTHER_POLICE, POLICE, Sender, Stand, fresh
from tests.validators import samples

PGP = {"Content-Type": "application/pgp-encrypted"}


def stored(stand: Stand, sender: Sender, **changed: object) -> tuple[UUID, str]:
    """A stored submission, and the id of its package."""
    built = sender.package(samples.children(1, seed=fresh()), **changed)
    submission = stand.send(sender, sender.encrypt(built.data))
    stand.settle()
    assert stand.state(submission) is State.STORED, stand.report(sender, submission)
    return submission, str(built.manifest["submission_id"])


def shown(stand: Stand, sender: Sender, submission: UUID) -> dict[str, Any]:
    found: dict[str, Any] = stand.get(f"/v1/submissions/{submission}", sender).get_json()
    return found


def replacement(sender: Sender, package_id: str) -> bytes:
    built = sender.package(
        samples.children(2, seed=fresh()), submission_type="REPLACEMENT", replaces=package_id
    )
    return sender.encrypt(built.data)


def put_in_place(stand: Stand, sender: Sender, of: UUID, message: bytes) -> TestResponse:
    return stand.client.post(
        f"/v1/submissions/{of}/replacement", data=message, headers={**sender.headers, **PGP}
    )


def releasable(stand: Stand, name: str) -> int:
    """How many submissions a release of everything would take."""
    body = {"name": name, "purpose": "to see what a release would take"}
    answer = stand.client.post("/v1/releases", json=body, headers=stand.as_role(Role.ANALYST))
    return int(answer.get_json().get("items", 0))


def test_a_replacement_takes_the_place_of_what_it_names(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    first, package_id = stored(stand, sender)
    before = releasable(stand, "before-replacing")
    message = replacement(sender, package_id)
    answer = put_in_place(stand, sender, first, message)
    assert answer.status_code == 201
    second = UUID(answer.get_json()["id"])
    stand.settle()
    assert shown(stand, sender, second)["state"] == "stored"
    assert shown(stand, sender, first)["superseded_by"] == str(second)
    assert shown(stand, sender, first)["state"] == "stored", "nothing is overwritten"
    assert "submission.replaced" in stand.about(first)
    assert releasable(stand, "after-replacing") == before
    again = put_in_place(stand, sender, first, message)
    assert (again.status_code, again.get_json()["id"]) == (200, str(second))
    other = put_in_place(stand, sender, first, replacement(sender, package_id))
    assert (other.status_code, other.get_json()["code"]) == (409, "not-replaceable")


def test_what_is_sent_to_replace_one_must_name_that_one(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    first, _ = stored(stand, sender)
    _, other = stored(stand, sender)
    answer = put_in_place(stand, sender, first, replacement(sender, other))
    second = UUID(answer.get_json()["id"])
    stand.settle()
    assert shown(stand, sender, second)["error_code"] == "replacement-mismatch"
    assert shown(stand, sender, first)["superseded_by"] is None


def test_a_package_meant_for_another_gateway_is_rejected(stand: Stand) -> None:
    """Whoever received it there, and had a token here, could encrypt it anew and pass it on."""
    sender, records = stand.sender(POLICE), samples.children(1, seed=fresh())
    passed_on = stand.send(sender, sender.encrypt(sender.package(records, gateway="A" * 40).data))
    own = sender.gateway.fingerprint.lower()
    ours = stand.send(sender, sender.encrypt(sender.package(records, gateway=own).data))
    stand.settle()
    assert shown(stand, sender, passed_on)["error_code"] == "meant-for-another"
    assert stand.about(passed_on)[-1] == "submission.rejected"
    assert shown(stand, sender, ours)["state"] == "stored"


def test_only_what_was_accepted_can_be_replaced(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    rejected = stand.send(sender, b"\xc1 no message")
    stand.settle()
    answer = put_in_place(stand, sender, rejected, sender.message(1))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "not-replaceable")


def test_another_agencys_package_cannot_be_replaced(stand: Stand) -> None:
    _, theirs = stored(stand, stand.sender(OTHER_POLICE))
    sender = stand.sender(POLICE)
    second = stand.send(sender, replacement(sender, theirs))
    stand.settle()
    codes = {finding["rule"] for finding in stand.report(sender, second)["findings"]}
    assert (stand.state(second), "CT-009" in codes) == (State.REJECTED, True)


def test_what_is_withdrawn_is_in_no_later_release(stand: Stand) -> None:
    sender = stand.sender(COUNCIL)
    submission, _ = stored(stand, sender)
    before = releasable(stand, "before-withdrawing")
    for _ in range(2):  # twice is once
        answer = stand.client.post(
            f"/v1/submissions/{submission}/withdrawal", headers=sender.headers
        )
        assert (answer.status_code, answer.get_json()["state"]) == (200, "withdrawn")
    assert stand.about(submission).count("submission.withdrawn") == 1
    assert releasable(stand, "after-withdrawing") == before - 1


def test_what_is_withdrawn_before_it_was_opened_is_never_opened(stand: Stand) -> None:
    sender = stand.sender(COUNCIL)
    submission = stand.send(sender, sender.message(1))
    stand.client.post(f"/v1/submissions/{submission}/withdrawal", headers=sender.headers)
    stand.worker.processor.process(submission)
    assert stand.state(submission) is State.WITHDRAWN
    assert "submission.opened" not in stand.about(submission)
    with pytest.raises(ServiceFailed):
        stand.admin.objects.open(Bucket.QUARANTINE, quarantine_key(COUNCIL, submission))


def test_what_failed_is_kept_until_it_is_withdrawn(stand: Stand) -> None:
    sender = stand.sender(COUNCIL)
    submission = stand.send(sender, sender.message(1))
    stand.worker.processor.fail(submission, "internal")
    assert stand.worker.processor.process(submission) is State.FAILED, "a job that comes back"
    with stand.admin.objects.open(Bucket.QUARANTINE, quarantine_key(COUNCIL, submission)) as kept:
        assert kept.read(1)
    stand.client.post(f"/v1/submissions/{submission}/withdrawal", headers=sender.headers)
    assert stand.state(submission) is State.WITHDRAWN
    with pytest.raises(ServiceFailed):
        stand.admin.objects.open(Bucket.QUARANTINE, quarantine_key(COUNCIL, submission))


def test_a_test_is_judged_and_never_counted(stand: Stand) -> None:
    sender = stand.sender(COUNCIL)
    before = releasable(stand, "before-testing")
    stored(stand, sender, submission_type="TEST")
    assert releasable(stand, "after-testing") == before


def test_a_list_is_read_page_by_page(stand: Stand) -> None:
    sender = stand.sender("LA-E08000035")
    sent = [str(stand.send(sender, sender.message(1))) for _ in range(5)]
    seen: list[str] = []
    before = ""
    while before is not None:
        page = stand.get(f"/v1/submissions?limit=2{before}", sender).get_json()
        seen += [each["id"] for each in page["submissions"]]
        following = page["next_before"]
        before = f"&before={following.replace('+', '%2B')}" if following else None
    assert seen == sent[::-1]


def released(stand: Stand, name: str, decision: str | None) -> str:
    """The path of a release of everything, which one asks for and another may decide on."""
    body = {"name": name, "purpose": "to see what is handed out"}
    asks, decides = stand.as_role(Role.ANALYST), stand.as_role(Role.ANALYST)
    release = stand.client.post("/v1/releases", json=body, headers=asks).get_json()["id"]
    path = f"/v1/releases/{release}"
    if decision is not None:
        said = stand.client.post(f"{path}/decision", json={"decision": decision}, headers=decides)
        assert said.status_code == 200
    return path


def handed_out(stand: Stand, release: str, submission: UUID) -> int:
    path = f"{release}/objects/{submission}"
    return stand.client.get(path, headers=stand.as_role(Role.ANALYST)).status_code


def test_a_release_hands_out_what_is_in_it_once_it_is_approved(stand: Stand) -> None:
    sender = stand.sender(COUNCIL)
    first, _ = stored(stand, sender)
    approved = released(stand, "handed-over", "approve")
    assert handed_out(stand, approved, first) == 200
    for name, decision in (("asked-for", None), ("refused-again", "refuse")):
        assert handed_out(stand, released(stand, name, decision), first) == 404
    second, _ = stored(stand, sender)
    later = released(stand, "handed-over-later", "approve")
    assert handed_out(stand, later, second) == 200
    assert handed_out(stand, approved, second) == 404, "it came after that set was fixed"


@pytest.mark.parametrize("decision", ["approve", "refuse"])
def test_what_was_decided_stays_decided(stand: Stand, decision: str) -> None:
    stored(stand, stand.sender(COUNCIL))
    release = released(stand, f"once-{decision}", decision)
    for again in ("approve", "refuse"):
        answer = stand.client.post(
            f"{release}/decision",
            json={"decision": again},
            headers=stand.as_role(Role.ANALYST),
        )
        assert (answer.status_code, answer.get_json()["code"]) == (409, "release-decided")


def test_what_is_withdrawn_is_handed_out_no_longer(stand: Stand) -> None:
    sender = stand.sender(COUNCIL)
    kept, withdrawn = (stored(stand, sender)[0] for _ in range(2))
    release = released(stand, "withdrawn-from", "approve")
    stand.client.post(f"/v1/submissions/{withdrawn}/withdrawal", headers=sender.headers)
    stand.settle()
    assert handed_out(stand, release, withdrawn) == 404
    answer = stand.client.get(f"{release}/manifest", headers=stand.as_role(Role.ANALYST))
    manifest = json.loads(answer.get_json()["manifest"])
    listed = {each["submission"] for each in manifest["objects"]}
    assert str(kept) in listed
    assert str(withdrawn) not in listed
