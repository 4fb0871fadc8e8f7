"""Dry runs: judged as the gateway judges, and nothing of them is counted, kept or mistaken.

`counted` is everything that a submission leaves behind; no dry run may change it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from audit.entry import Entry
from crypto import unseal
from gateway import worker
from gateway.errors import ServiceFailed
from gateway.flow.dryruns import KEPT
from gateway.flow.judge import Judge
from gateway.flow.trail import AuditTrail
from gateway.records import Role, State
from gateway.store.jobs import CHECK, in_hand
from gateway.store.objects import Bucket, quarantine_key
from tests.gateway.stand import (
    ADMINISTRATOR,
    OTHER_POLICE,
    POLICE,
    Sender,
    Stand,
    fresh,
    new_keyring,
)
from tests.gateway.test_http_abuse import digest
from tests.gateway.test_invariants import everything_kept
from tests.gateway.test_second_thoughts import releasable
from tests.gateway.test_worker import eventually, running
from tests.validators import samples

COUNTING = (
    "submission",
    "submission_transition",
    "package",
    "held_record",
    "idempotency_key",
    "release",
    "release_item",
)


@pytest.fixture
def sender(stand: Stand) -> Iterator[Sender]:
    """An agency; whatever a test leaves waiting is done afterwards."""
    yield stand.sender(POLICE)
    stand.settle()


def counted(stand: Stand) -> dict[str, object]:
    """Every row that counts, and every object in the vault."""
    with stand.database.transaction() as session:
        rows: dict[str, object] = {
            table: session.execute(text(f"SELECT t::text FROM {table} t ORDER BY 1")).all()
            for table in COUNTING
        }
    return rows | {"vault": objects(stand, Bucket.VAULT)}


def objects(stand: Stand, bucket: Bucket) -> list[str]:
    store = stand.admin.objects
    pages = store._client.get_paginator("list_objects_v2").paginate(Bucket=store._name(bucket))
    return [each["Key"] for page in pages for each in page.get("Contents", [])]


def shown(stand: Stand, sender: Sender, dry_run: UUID) -> dict[str, Any]:
    found: dict[str, Any] = stand.get(f"/v1/dry-runs/{dry_run}", sender).get_json()
    return found


def report(stand: Stand, sender: Sender, dry_run: UUID) -> dict[str, Any]:
    answer = stand.get(f"/v1/dry-runs/{dry_run}/report", sender)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def judged(stand: Stand, sender: Sender, message: bytes) -> tuple[str, str | None]:
    """The end of a dry run, and its code."""
    dry_run = stand.try_out(sender, message)
    stand.settle()
    found = shown(stand, sender, dry_run)
    return found["state"], found["error_code"]


def rules(stand: Stand, sender: Sender, message: bytes) -> set[str]:
    """The rules that a dry run was found to break."""
    dry_run = stand.try_out(sender, message)
    stand.settle()
    return set(report(stand, sender, dry_run)["totals"])


def told(stand: Stand, dry_run: UUID) -> list[tuple[str, str]]:
    """What the log says of a dry run: actions and outcomes, in order."""
    return [(str(each.action), each.outcome) for each in entries_of(stand, dry_run)]


def entries_of(stand: Stand, dry_run: UUID) -> list[Entry]:
    found = [entry for entry in stand.entries() if entry.object_id == str(dry_run)]
    assert {entry.object_type for entry in found} <= {"dry-run"}
    return found


def test_a_good_package_is_checked_and_nothing_of_it_is_kept(stand: Stand, sender: Sender) -> None:
    package = sender.package(samples.children(3, seed=fresh()))
    before = counted(stand)
    dry_run = stand.try_out(sender, sender.encrypt(package.data))
    stand.settle()
    found = shown(stand, sender, dry_run)
    assert (found["state"], found["records"], found["error_code"]) == ("checked", 9, None)
    assert found["package_id"] == package.manifest["submission_id"]
    assert (found["period_start"], found["standard"]) == ("2026-01-01", "CTDS 1.0")
    assert report(stand, sender, dry_run)["verdict"] == "accepted"
    assert counted(stand) == before
    assert quarantine_key(POLICE, dry_run) not in objects(stand, Bucket.QUARANTINE)
    assert told(stand, dry_run) == [
        ("dry-run.received", "success"),
        ("dry-run.checked", "success"),
        ("report.read", "success"),
    ]


def test_bad_rows_are_told_and_the_values_only_to_the_agency(stand: Stand, sender: Sender) -> None:
    records = samples.children(2, seed=fresh())
    records["CASE"][0]["sex"] = "Zebediah"
    before = counted(stand)
    dry_run = stand.try_out(sender, sender.encrypt(sender.package(records).data))
    stand.settle()
    found = report(stand, sender, dry_run)
    assert (found["verdict"], shown(stand, sender, dry_run)["state"]) == (
        "accepted-in-part",
        "checked",
    )
    assert "Zebediah" not in str(found)
    assert not [where for where, kept in everything_kept(stand) if b"Zebediah" in kept]
    full = stand.get(f"/v1/dry-runs/{dry_run}/report.pgp", sender).data
    plain = BytesIO()
    unseal(BytesIO(full), plain, keyring=sender.keyring, context=f"report-{dry_run}.json")
    assert b"Zebediah" in plain.getvalue()
    assert counted(stand) == before


@pytest.mark.parametrize("accept", ["text/plain", "text/html", "text/csv"])
def test_a_report_comes_in_every_form(stand: Stand, sender: Sender, accept: str) -> None:
    dry_run = stand.try_out(sender, sender.message(1))
    stand.settle()
    headers = {**sender.headers, "Accept": accept}
    answer = stand.client.get(f"/v1/dry-runs/{dry_run}/report", headers=headers)
    assert (answer.status_code, answer.mimetype) == (200, accept)


def test_what_is_tried_out_and_then_sent_is_new(stand: Stand, sender: Sender) -> None:
    """The very same bytes, under the very same key of the request."""
    message, key = sender.message(2), str(uuid4())
    tried = stand.post_dry_run(sender, message, Idempotency_Key=key)
    stand.settle()
    sent = stand.post(sender, message, Idempotency_Key=key)
    assert (tried.status_code, sent.status_code) == (201, 201)
    assert sent.get_json()["repeated"] is False
    stand.settle()
    assert stand.state(UUID(sent.get_json()["id"])) is State.STORED
    assert stand.report(sender, UUID(sent.get_json()["id"]))["totals"] == {}


def test_what_was_sent_and_is_tried_out_is_told_to_be_a_repetition(
    stand: Stand, sender: Sender
) -> None:
    message, key = sender.message(2), str(uuid4())
    sent = UUID(stand.post(sender, message, Idempotency_Key=key).get_json()["id"])
    stand.settle()
    answer = stand.post_dry_run(sender, message, Idempotency_Key=key)
    assert (answer.status_code, answer.get_json()["repeated"]) == (201, False)
    stand.settle()
    dry_run = UUID(answer.get_json()["id"])
    assert {"CT-008", "CT-010", "CT-025"} <= set(report(stand, sender, dry_run)["totals"])
    assert shown(stand, sender, dry_run)["state"] == "rejected"
    again = stand.post(sender, message)
    assert (again.status_code, again.get_json()["id"]) == (200, str(sent))


def test_both_at_once_know_nothing_of_each_other(stand: Stand, sender: Sender) -> None:
    """Received one after the other, judged in either order."""
    message = sender.message(1)
    sent, tried = stand.send(sender, message), stand.try_out(sender, message)
    stand.worker.rehearsal.process(tried)
    stand.worker.processor.process(sent)
    assert shown(stand, sender, tried)["state"] == "checked"
    assert stand.state(sent) is State.STORED


def test_twenty_of_the_same_at_once_are_one(stand: Stand, sender: Sender) -> None:
    message, before = sender.message(1), objects(stand, Bucket.QUARANTINE)
    with ThreadPoolExecutor(12) as pool:
        answers = list(
            pool.map(
                lambda _: stand.app.test_client().post(
                    "/v1/dry-runs",
                    data=message,
                    headers={**sender.headers, "Content-Type": "application/pgp-encrypted"},
                ),
                range(20),
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    (dry_run,) = {UUID(answer.get_json()["id"]) for answer in answers}
    assert len(objects(stand, Bucket.QUARANTINE)) == len(before) + 1
    with stand.database.transaction() as session:
        assert dry_run in in_hand(session, CHECK)
    stand.settle()
    assert told(stand, dry_run) == [("dry-run.received", "success"), ("dry-run.checked", "success")]


def test_a_key_stands_for_one_body(stand: Stand, sender: Sender) -> None:
    key, before = str(uuid4()), None
    assert stand.post_dry_run(sender, sender.message(1), Idempotency_Key=key).status_code == 201
    stand.settle()
    before = objects(stand, Bucket.QUARANTINE)
    other = stand.post_dry_run(sender, sender.message(1), Idempotency_Key=key)
    assert (other.status_code, other.get_json()["code"]) == (409, "idempotency-key-reused")
    assert objects(stand, Bucket.QUARANTINE) == before
    last = stand.entries()[-1]
    assert (last.action, last.outcome, last.error_code) == (
        "dry-run.refused",
        "refused",
        "idempotency-key-reused",
    )


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"Content-Digest": "sha-256=:AAAA:"}, b"\xc1bc", "digest-mismatch"),
        ({"Content-Digest": digest(b"")}, b"", "empty-body"),
        ({}, bytes((32 << 20) + 1), "too-large"),
    ],
)
def test_an_upload_that_is_not_whole_leaves_nothing(
    stand: Stand, sender: Sender, headers: dict[str, str], body: bytes, code: str
) -> None:
    before = objects(stand, Bucket.QUARANTINE), len(listed(stand, sender))
    answer = stand.post_dry_run(sender, body, **headers)
    assert answer.get_json()["code"] == code
    assert (objects(stand, Bucket.QUARANTINE), len(listed(stand, sender))) == before
    assert (stand.entries()[-1].action, stand.entries()[-1].error_code) == ("dry-run.refused", code)


def listed(stand: Stand, sender: Sender) -> list[str]:
    page = stand.get("/v1/dry-runs?limit=200", sender).get_json()
    return [each["id"] for each in page["dry_runs"]]


def test_lists_are_not_mixed(stand: Stand) -> None:
    sender = stand.sender("LA-E08000035")
    sent = stand.send(sender, sender.message(1))
    tried = [stand.try_out(sender, sender.message(1)) for _ in range(3)]
    submissions = stand.get("/v1/submissions", sender).get_json()["submissions"]
    assert [each["id"] for each in submissions] == [str(sent)]
    page = stand.get("/v1/dry-runs?limit=2", sender).get_json()
    before = page["next_before"].replace("+", "%2B")
    rest = stand.get(f"/v1/dry-runs?limit=2&before={before}", sender).get_json()
    seen = [each["id"] for each in page["dry_runs"] + rest["dry_runs"]]
    assert seen == [str(each) for each in tried[::-1]]
    assert rest["next_before"] is None
    stand.settle()


def test_it_is_no_submission_whatever_is_done_to_it(stand: Stand, sender: Sender) -> None:
    dry_run = stand.try_out(sender, sender.message(1))
    stand.settle()
    for path in ("", "/report", "/report.pgp", "/receipt"):
        assert stand.get(f"/v1/submissions/{dry_run}{path}", sender).status_code == 404
    for path in (
        f"/v1/submissions/{dry_run}/withdrawal",
        f"/v1/submissions/{dry_run}/replacement",
        f"/v1/dry-runs/{dry_run}/withdrawal",
        f"/v1/dry-runs/{dry_run}/replacement",
        f"/v1/dry-runs/{dry_run}/receipt",
    ):
        answer = stand.client.post(
            path,
            data=b"x",
            headers={**sender.headers, "Content-Type": "application/pgp-encrypted"},
        )
        assert answer.status_code == 404, path
    submission = stand.send(sender, sender.message(1))
    assert stand.get(f"/v1/dry-runs/{submission}", sender).status_code == 404


def test_a_release_of_everything_does_not_hold_it(stand: Stand) -> None:
    sender = stand.sender(OTHER_POLICE)
    stand.send(sender, sender.message(1))
    stand.settle()
    before = releasable(stand, "before-trying-out")
    dry_run = stand.try_out(sender, sender.message(1))
    stand.settle()
    assert shown(stand, sender, dry_run)["state"] == "checked"
    assert releasable(stand, "after-trying-out") == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO release_item SELECT id, :it FROM release LIMIT 1",
        "INSERT INTO held_record VALUES (:agency, gen_random_uuid(), :it, 'CASE')",
        "INSERT INTO package VALUES (:agency, gen_random_uuid(), :it, now())",
        "UPDATE submission SET superseded_by = :it",
        "UPDATE submission SET must_replace = :it",
    ],
)
def test_the_database_itself_lets_nothing_that_counts_refer_to_one(
    stand: Stand, sender: Sender, statement: str
) -> None:
    stand.send(sender, sender.message(1))
    stand.settle()
    releasable(stand, f"there-is-one-{fresh():08x}")
    dry_run = stand.try_out(sender, sender.message(1))
    with pytest.raises(IntegrityError):
        run(stand, statement, it=dry_run, agency=POLICE)


def run(stand: Stand, statement: str, **values: object) -> None:
    with stand.database.transaction() as session:
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        session.execute(text(statement), used)


def test_what_only_the_gateway_knows_is_told(stand: Stand) -> None:
    sender, records = stand.sender("POL-E23000001"), samples.children(1, seed=fresh())
    first = sender.package(records)
    assert rules(stand, sender, sender.encrypt(first.data)) == set()
    stand.send(sender, sender.encrypt(first.data))
    stand.settle()
    package_id = first.manifest["submission_id"]
    assert rules(stand, sender, sender.encrypt(sender.package(records).data)) == {
        "CT-010",
        "CT-025",
    }
    replacing = {"submission_type": "REPLACEMENT", "replaces": package_id}
    assert rules(stand, sender, sender.encrypt(sender.package(records, **replacing).data)) == set()
    unknown = {"submission_type": "REPLACEMENT", "replaces": str(uuid4())}
    assert "CT-009" in rules(stand, sender, sender.encrypt(sender.package(records, **unknown).data))
    other = sender.package(samples.children(1, seed=fresh()), agency_id=OTHER_POLICE)
    assert "CT-003" in rules(stand, sender, sender.encrypt(other.data))


def test_a_dry_run_of_a_replacement_replaces_nothing(stand: Stand) -> None:
    sender = stand.sender("LA-E09000001")
    first = sender.package(samples.children(1, seed=fresh()))
    sent = stand.send(sender, sender.encrypt(first.data))
    stand.settle()
    before = counted(stand)
    replacing = {"submission_type": "REPLACEMENT", "replaces": first.manifest["submission_id"]}
    package = sender.package(samples.children(1, seed=fresh()), **replacing)
    assert judged(stand, sender, sender.encrypt(package.data)) == ("checked", None)
    assert counted(stand) == before
    assert stand.get(f"/v1/submissions/{sent}", sender).get_json()["superseded_by"] is None


def test_a_test_package_can_be_tried_out_too(stand: Stand, sender: Sender) -> None:
    before = counted(stand)
    assert judged(stand, sender, sender.message(1, submission_type="TEST")) == ("checked", None)
    assert counted(stand) == before


def test_anothers_message_is_unknown(stand: Stand, sender: Sender) -> None:
    """Agency B's message in agency A's dry run: A learns what it would learn by sending it."""
    theirs = stand.sender(OTHER_POLICE)
    message, before = theirs.message(1), counted(stand)
    assert judged(stand, sender, message) == ("rejected", "unknown-signer")
    assert counted(stand) == before
    assert judged(stand, theirs, message) == ("checked", None), "and it is B's still"


@pytest.mark.parametrize("kind", ["no message", "no package", "damaged"])
def test_what_cannot_be_opened_is_rejected_with_words(
    stand: Stand, sender: Sender, kind: str
) -> None:
    damaged = bytearray(sender.message(1))
    damaged[-30] ^= 1
    messages = {
        "no message": b"\xc1 no message",
        "no package": sender.encrypt(b"no package"),
        "damaged": bytes(damaged),
    }
    dry_run = stand.try_out(sender, messages[kind])
    stand.settle()
    assert shown(stand, sender, dry_run)["state"] == "rejected"
    assert len(report(stand, sender, dry_run)["refusal"]["mend"]) > 20
    assert told(stand, dry_run)[1] == ("dry-run.rejected", "refused")


def test_a_package_meant_for_another_gateway_is_rejected(stand: Stand, sender: Sender) -> None:
    package = sender.package(samples.children(1, seed=fresh()), gateway="A" * 40)
    assert judged(stand, sender, sender.encrypt(package.data)) == ("rejected", "meant-for-another")
    elsewhere = new_keyring("another gateway").certificates[0]
    message = sender.encrypt(sender.package(samples.children(1)).data, to=elsewhere)
    assert judged(stand, sender, message) == ("rejected", "wrong-recipient")


def test_a_suspended_agency_tries_out_nothing(stand: Stand) -> None:
    sender = stand.sender("LA-E06000001")
    dry_run = stand.try_out(sender, sender.message(1))
    stand.settle()
    stand.admin.enrolment.suspend(sender.agency_id, by=ADMINISTRATOR)
    assert stand.post_dry_run(sender, sender.message(1)).status_code == 401
    assert stand.get(f"/v1/dry-runs/{dry_run}/report", sender).status_code == 401
    assert (stand.entries()[-1].action, stand.entries()[-1].error_code) == (
        "auth.failed",
        "agency-suspended",
    )


def test_a_report_is_waited_for(stand: Stand, sender: Sender) -> None:
    dry_run = stand.try_out(sender, sender.message(1))
    answer = stand.get(f"/v1/dry-runs/{dry_run}/report", sender)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "report-not-ready")
    stand.settle()
    assert stand.get(f"/v1/dry-runs/{dry_run}/report", sender).status_code == 200
    assert stand.get(f"/v1/dry-runs/{dry_run}/report.pgp", sender).status_code == 404


# The worker dies, or the ground gives way.


def test_a_worker_killed_after_judging_leaves_it_to_the_next(
    stand: Stand, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the judgement and its recording."""
    dry_run = stand.try_out(sender, sender.message(1))
    with monkeypatch.context() as patch:
        patch.setattr(AuditTrail, "record", _dies)
        with pytest.raises(KeyboardInterrupt):
            stand.worker.rehearsal.process(dry_run)
    assert shown(stand, sender, dry_run)["state"] == "received"
    assert quarantine_key(POLICE, dry_run) in objects(stand, Bucket.QUARANTINE)
    stand.settle()
    assert told(stand, dry_run) == [("dry-run.received", "success"), ("dry-run.checked", "success")]


def test_a_worker_killed_after_recording_leaves_no_ciphertext(
    stand: Stand, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    dry_run = stand.try_out(sender, sender.message(1))
    with monkeypatch.context() as patch:
        patch.setattr(Judge, "discard", _dies)
        with pytest.raises(KeyboardInterrupt):
            stand.worker.rehearsal.process(dry_run)
    assert shown(stand, sender, dry_run)["state"] == "checked"
    stand.worker.rehearsal.process(dry_run)  # its job comes back
    assert quarantine_key(POLICE, dry_run) not in objects(stand, Bucket.QUARANTINE)
    assert told(stand, dry_run) == [("dry-run.received", "success"), ("dry-run.checked", "success")]


def test_two_workers_on_one_record_one_end(stand: Stand, sender: Sender) -> None:
    dry_run = stand.try_out(sender, sender.message(1))
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(stand.worker.rehearsal.process, dry_run) for _ in range(2)]:
            # Whoever comes second may find the ciphertext gone already, and is tried again.
            error = done.exception()
            assert error is None or isinstance(error, ServiceFailed)
    assert told(stand, dry_run) == [("dry-run.received", "success"), ("dry-run.checked", "success")]


def test_one_whose_job_was_lost_gets_another(stand: Stand, sender: Sender) -> None:
    dry_run = stand.try_out(sender, sender.message(1))
    run(stand, "DELETE FROM procrastinate_jobs")
    assert worker.sweep(stand.worker, now=datetime.now(UTC) + timedelta(minutes=1)) >= 1
    with stand.database.transaction() as session:
        assert dry_run in in_hand(session, CHECK)


def test_a_running_worker_takes_submissions_first(stand: Stand, sender: Sender) -> None:
    tried = [stand.try_out(sender, sender.message(1)) for _ in range(3)]
    sent = stand.send(sender, sender.message(1))
    with running(stand):
        assert eventually(lambda: all(settled(stand, sender, each) for each in tried))
    assert stand.state(sent) is State.STORED
    with stand.database.transaction() as session:
        query = text(
            "SELECT (SELECT settled_at FROM submission WHERE id = :sent)"
            " < (SELECT max(settled_at) FROM dry_run WHERE id = ANY(:tried))"
        )
        assert session.execute(query, {"sent": sent, "tried": tried}).scalar_one()


def settled(stand: Stand, sender: Sender, dry_run: UUID) -> bool:
    return bool(shown(stand, sender, dry_run)["state"] == "checked")


def test_a_dry_run_that_kills_its_workers_is_given_up(stand: Stand, sender: Sender) -> None:
    dry_run = stand.try_out(sender, sender.message(1))
    worker._check(stand.worker, dry_run, attempt=worker.ATTEMPTS)
    found = shown(stand, sender, dry_run)
    assert (found["state"], found["error_code"]) == ("failed", "worker-lost")
    assert told(stand, dry_run)[-1] == ("dry-run.failed", "failed")
    assert quarantine_key(POLICE, dry_run) not in objects(stand, Bucket.QUARANTINE)
    answer = stand.get(f"/v1/dry-runs/{dry_run}/report", sender)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not-found")
    worker._check(stand.worker, dry_run, attempt=0)
    assert shown(stand, sender, dry_run)["state"] == "failed", "it is settled once"


def test_a_store_that_is_away_is_no_fault_of_the_dry_run(
    stand: Stand, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    dry_run = stand.try_out(sender, sender.message(1))
    with monkeypatch.context() as patch:
        patch.setattr(Judge, "try_out", _away)
        for attempt in range(worker.ATTEMPTS):
            worker._check(stand.worker, dry_run, attempt=attempt)
    assert shown(stand, sender, dry_run)["state"] == "received"


# Its time is over.


def test_what_expired_is_removed_with_its_reports_and_the_log_knows(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    records = samples.children(2, seed=fresh())
    records["CASE"][0]["sex"] = "Q"
    message, key = sender.encrypt(sender.package(records).data), str(uuid4())
    tried = stand.post_dry_run(sender, message, Idempotency_Key=key)
    old = UUID(tried.get_json()["id"])
    stand.settle()
    young = stand.try_out(sender, sender.message(1))
    stand.settle()
    found = shown(stand, sender, old)
    kept = datetime.fromisoformat(found["expires_at"]) - datetime.fromisoformat(
        found["received_at"]
    )
    assert kept == KEPT
    assert any(str(old) in name for name in objects(stand, Bucket.REPORTS))

    assert stand.worker.rehearsal.remove_expired() == 0
    run(stand, "UPDATE dry_run SET expires_at = now() WHERE id = :old", old=old)
    assert worker.remove_expired(stand.worker) == 1
    assert stand.get(f"/v1/dry-runs/{old}", sender).status_code == 404
    assert shown(stand, sender, young)["state"] == "checked"
    assert not any(str(old) in name for name in objects(stand, Bucket.REPORTS))
    assert told(stand, old)[-1] == ("dry-run.removed", "success")
    again = stand.post_dry_run(sender, message, Idempotency_Key=key)
    assert (again.status_code, again.get_json()["repeated"]) == (201, False)
    stand.worker.rehearsal.process(old)  # a job that comes late finds nothing to do
    stand.settle()


def test_removing_goes_on_where_it_was_killed(
    stand: Stand, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    dry_run = stand.try_out(sender, sender.message(1))  # nor was it ever checked
    run(stand, "UPDATE dry_run SET expires_at = now() WHERE id = :old", old=dry_run)
    with monkeypatch.context() as patch:
        patch.setattr(AuditTrail, "record", _dies)
        with pytest.raises(KeyboardInterrupt):
            stand.worker.rehearsal.remove_expired()
    assert shown(stand, sender, dry_run)["state"] == "received", "no removal without its entry"
    assert stand.worker.rehearsal.remove_expired() == 1
    assert told(stand, dry_run)[-1] == ("dry-run.removed", "success")
    assert quarantine_key(POLICE, dry_run) not in objects(stand, Bucket.QUARANTINE)


def test_two_sweeps_at_once_remove_it_once(stand: Stand, sender: Sender) -> None:
    tried = [stand.try_out(sender, sender.message(1)) for _ in range(4)]
    stand.settle()
    run(stand, "UPDATE dry_run SET expires_at = now() WHERE id = ANY(:old)", old=tried)
    with ThreadPoolExecutor(4) as pool:
        sweeps = [pool.submit(stand.worker.rehearsal.remove_expired) for _ in range(4)]
        assert sum(sweep.result() for sweep in sweeps) == 4
    for dry_run in tried:
        assert told(stand, dry_run).count(("dry-run.removed", "success")) == 1


def test_a_store_that_is_away_does_not_end_the_worker(
    stand: Stand, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    dry_run = stand.try_out(sender, sender.message(1))
    run(stand, "UPDATE dry_run SET expires_at = now() WHERE id = :old", old=dry_run)
    with monkeypatch.context() as patch:
        patch.setattr(Judge, "discard", _away)
        assert worker.remove_expired(stand.worker) == 0
    assert worker.remove_expired(stand.worker) == 1


def test_the_same_bytes_while_the_old_ones_expire_are_new(stand: Stand, sender: Sender) -> None:
    """Their removal commits between the refused insert and the look at what refused it."""
    message = sender.message(1)
    old = stand.try_out(sender, message)
    stand.settle()
    run(stand, "UPDATE dry_run SET expires_at = now() WHERE id = :old", old=old)
    with ThreadPoolExecutor(8) as pool:
        posts = [pool.submit(_post, stand, sender, message) for _ in range(8)]
        removed = pool.submit(stand.worker.rehearsal.remove_expired)
        statuses = {post.result() for post in posts}
    assert removed.result() == 1
    assert statuses <= {200, 201}
    assert len({each for each in listed(stand, sender) if each == str(old)}) == 0


def _post(stand: Stand, sender: Sender, message: bytes) -> int:
    return (
        stand.app.test_client()
        .post(
            "/v1/dry-runs",
            data=message,
            headers={**sender.headers, "Content-Type": "application/pgp-encrypted"},
        )
        .status_code
    )


def test_it_is_listed_where_a_key_was_lost(stand: Stand) -> None:
    sender = stand.sender(POLICE, keyring=new_keyring("lost"))
    dry_run = stand.try_out(sender, sender.message(1))
    stand.settle()
    (exposed,) = stand.admin.certificates.exposure(
        sender.keyring.fingerprints[0], since=None, by=ADMINISTRATOR
    )
    assert (exposed.id, exposed.kind, exposed.state) == (dry_run, "dry-run", "checked")
    assert [str(use) for use in exposed.uses] == ["signed"]


def test_no_analyst_or_auditor_reads_one(stand: Stand, sender: Sender) -> None:
    dry_run = stand.try_out(sender, sender.message(1))
    for role in (Role.ANALYST, Role.AUDITOR, Role.ADMINISTRATOR):
        headers = stand.as_role(role)
        answer = stand.client.get(f"/v1/dry-runs/{dry_run}/report", headers=headers)
        assert answer.status_code == 403


def _dies(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt  # no handler of ours catches it, like a kill


def _away(*_: Any, **__: Any) -> None:
    raise ServiceFailed("object-not-readable", "Away.", "Wait.")
