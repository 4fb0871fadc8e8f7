"""What administrators and operators do: each act is in force at once and in the log."""

from uuid import UUID

import pytest

from gateway.errors import Conflict, NotFound
from gateway.records import State
from tests.gateway.stand import ADMINISTRATOR, POLICE, Stand, new_keyring


def test_a_suspended_agency_is_refused_until_it_is_resumed(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    stand.admin.enrolment.suspend(POLICE, by=ADMINISTRATOR)
    assert stand.post(sender, sender.message(1)).status_code == 401
    with pytest.raises(NotFound):
        stand.admin.enrolment.suspend(POLICE, by=ADMINISTRATOR)
    stand.admin.enrolment.resume(POLICE, by=ADMINISTRATOR)
    assert stand.post(sender, sender.message(1)).status_code == 201
    with pytest.raises(NotFound):
        stand.admin.enrolment.resume(POLICE, by=ADMINISTRATOR)
    told = [str(entry.action) for entry in stand.entries() if entry.object_id == POLICE]
    assert told[-2:] == ["agency.suspended", "agency.resumed"]


def test_what_a_revoked_certificate_signs_is_rejected_at_once(stand: Stand) -> None:
    stolen = stand.sender(POLICE)
    before = stand.send(stolen, stolen.message(1))
    stand.settle()
    other = stand.sender(POLICE)
    fingerprint = stolen.keyring.fingerprints[0]
    assert stand.admin.enrolment.revoke(fingerprint, by=ADMINISTRATOR) == POLICE
    after = stand.send(stolen, stolen.message(1))
    kept = stand.send(other, other.message(1))
    stand.settle()
    assert stand.state(before) is State.STORED
    assert stand.state(after) is State.REJECTED
    assert stand.report(other, after)["refusal"]["code"] == "unknown-signer"
    assert stand.state(kept) is State.STORED
    told = [entry for entry in stand.entries() if entry.object_id == fingerprint]
    assert [str(entry.action) for entry in told] == ["certificate.added", "certificate.revoked"]


def test_a_revoked_certificate_is_not_taken_again(stand: Stand) -> None:
    keyring = new_keyring("once")
    stand.sender(POLICE, keyring=keyring)
    stand.admin.enrolment.revoke(keyring.fingerprints[0], by=ADMINISTRATOR)
    with pytest.raises(Conflict) as refused:
        stand.sender(POLICE, keyring=keyring)
    assert refused.value.code == "certificate-taken"
    with pytest.raises(NotFound):
        stand.admin.enrolment.revoke(keyring.fingerprints[0], by=ADMINISTRATOR)


def test_a_failed_submission_is_taken_up_again(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    submission = stand.send(sender, sender.message(1))
    stand.worker.processor.fail(submission, "internal")
    (failed,) = stand.admin.repair.failed()
    assert (failed.id, failed.error_code) == (submission, "internal")
    stand.admin.repair.retry(submission, by=ADMINISTRATOR)
    stand.settle()
    assert stand.state(submission) is State.STORED
    assert stand.admin.repair.failed() == []
    assert stand.about(submission) == [
        "submission.received",
        "submission.failed",
        "submission.retried",
        "submission.opened",
        "submission.validated",
        "submission.stored",
    ]
    with pytest.raises(Conflict):
        stand.admin.repair.retry(submission, by=ADMINISTRATOR)
    with pytest.raises(NotFound):
        stand.admin.repair.retry(UUID(int=0), by=ADMINISTRATOR)
