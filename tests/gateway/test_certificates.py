"""The life of an agency's certificates: rotation, updates, ends, and what a lost key touches."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from threading import Barrier, Thread

import pytest
import structlog

from crypto import (
    CertificateRefused,
    Keyring,
    generate_key,
    load_certificate,
    unseal,
)
from gateway import worker
from gateway.errors import Conflict, NotFound
from gateway.flow.certificates import Certificates, Use
from gateway.flow.enrolment import Change
from gateway.flow.expiry import ExpiryWatch
from gateway.flow.lifespan import Standing
from gateway.records import KeptCertificate, State
from gateway.store.certificates import find_certificate
from tests.gateway import owner
from tests.gateway.stand import ADMINISTRATOR, COUNCIL, OTHER_POLICE, POLICE, Sender, Stand, fresh
from tests.gateway.stand import new_keyring as keyring_of
from tests.validators import samples

DAY = timedelta(days=1)


def enrol(stand: Stand, data: bytes, agency: str = POLICE) -> Change:
    return stand.admin.enrolment.enrol(agency, data, by=ADMINISTRATOR).change


def ending_in(days: float) -> Keyring:
    """A key that ends so many days from now."""
    return keyring_of("Ends", valid_for=timedelta(days=days, hours=2))


def kept(stand: Stand, keyring: Keyring) -> KeptCertificate:
    with stand.database.transaction() as session:
        found = find_certificate(session, keyring.fingerprints[0])
    assert found is not None
    return found


def told(stand: Stand, keyring: Keyring) -> list[str]:
    """The actions that the log tells of a certificate."""
    name = keyring.fingerprints[0]
    return [str(entry.action) for entry in stand.entries() if entry.object_id == name]


def outcome(stand: Stand, sender: Sender) -> tuple[State, str | None]:
    """What becomes of a good package that the sender sends now."""
    submission = stand.send(sender, sender.message(1))
    stand.settle()
    refusal = stand.report(sender, submission).get("refusal") or {}
    return stand.state(submission), refusal.get("code")


def test_every_weakness_is_told_and_nothing_is_enrolled(stand: Stand) -> None:
    made = datetime.now(UTC) - 3 * DAY
    late = Keyring.load([generate_key("Late", now=made, valid_for=DAY)])
    with pytest.raises(CertificateRefused) as refused:
        enrol(stand, owner.revoked(_awake(late)), agency=OTHER_POLICE)
    codes = {weakness.code for weakness in refused.value.weaknesses}
    assert {"revoked", "expired", "no-signing-key"} <= codes
    assert stand.admin.enrolment.find(OTHER_POLICE) is None


def _awake(keyring: Keyring) -> Keyring:
    """A keyring whose expired key still signs, as its owner's program would let it."""
    (certificate,) = keyring.certificates
    assembled = certificate.assembled
    lasting = replace(assembled.primary, expires_at=None)
    parts = (lasting, *assembled.components[1:])
    longer = replace(certificate, assembled=replace(assembled, components=parts))
    return Keyring((longer,), keyring.private)


def test_two_certificates_overlap_and_each_gets_its_own_reports(stand: Stand) -> None:
    old = stand.sender(POLICE, keyring=keyring_of("old"))
    new = stand.sender(POLICE, keyring=keyring_of("new"))
    for sender, other in ((old, new), (new, old)):
        records = samples.children(2, seed=fresh())
        records["CASE"][0]["sex"] = "Q"
        submission = stand.send(sender, sender.encrypt(sender.package(records).data))
        stand.settle()
        assert stand.state(submission) is State.STORED
        sealed = stand.get(f"/v1/submissions/{submission}/report.pgp", sender).get_data()
        name, opened = f"report-{submission}.json", BytesIO()
        unseal(BytesIO(sealed), opened, keyring=sender.keyring, context=name)
        assert opened.getvalue()
        with pytest.raises(Exception, match="not encrypted to"):
            unseal(BytesIO(sealed), BytesIO(), keyring=other.keyring, context=name)
    stand.admin.enrolment.revoke(old.keyring.fingerprints[0], by=ADMINISTRATOR)
    assert outcome(stand, old) == (State.REJECTED, "unknown-signer")
    assert outcome(stand, new) == (State.STORED, None)


def test_an_extended_certificate_is_merged_and_told_once(stand: Stand) -> None:
    keyring = ending_in(20)
    assert enrol(stand, keyring.certificates[0].data) is Change.ADDED
    longer = owner.extended(keyring, datetime.now(UTC) + 400 * DAY)
    assert enrol(stand, longer) is Change.UPDATED
    assert enrol(stand, longer) is Change.NONE
    assert enrol(stand, keyring.certificates[0].data) is Change.NONE, "an older copy"
    expires = load_certificate(kept(stand, keyring).data).expires_at
    assert expires is not None
    assert expires > datetime.now(UTC) + 399 * DAY
    assert told(stand, keyring) == ["certificate.added", "certificate.updated"]


def test_an_owners_revocation_is_in_force_at_once_and_for_ever(stand: Stand) -> None:
    sender = stand.sender(POLICE, keyring=keyring_of("lost"))
    other = stand.sender(POLICE)
    assert outcome(stand, sender) == (State.STORED, None)
    revoked = owner.revoked(sender.keyring)
    result = stand.admin.enrolment.enrol(POLICE, revoked, by=ADMINISTRATOR)
    assert result.change is Change.UPDATED
    assert "revoked" in [weakness.code for weakness in result.weaknesses]
    assert outcome(stand, sender) == (State.REJECTED, "signer-revoked")
    for copy in (sender.keyring.certificates[0].data, revoked):
        assert enrol(stand, copy) is Change.NONE
    extended = owner.extended(sender.keyring, datetime.now(UTC) + 400 * DAY)
    assert enrol(stand, extended) is Change.UPDATED
    assert outcome(stand, sender) == (State.REJECTED, "signer-revoked")
    assert outcome(stand, other) == (State.STORED, None)
    assert told(stand, sender.keyring) == ["certificate.added", *["certificate.updated"] * 2]


def test_a_revoked_subkey_is_given_up_at_once(stand: Stand) -> None:
    keyring = keyring_of("subkey")
    enrol(stand, keyring.certificates[0].data)
    result = stand.admin.enrolment.enrol(
        POLICE, owner.without_encryption(keyring), by=ADMINISTRATOR
    )
    assert result.change is Change.UPDATED
    assert "no-encryption-key" in [weakness.code for weakness in result.weaknesses]
    assert result.certificate.encryption_keys == ()


def test_without_a_key_to_encrypt_to_there_is_the_open_report(stand: Stand) -> None:
    """Such as when the owner revoked that subkey alone: what is signed is judged all the same."""
    sender = stand.sender(POLICE, keyring=keyring_of("unreadable"))
    enrol(stand, owner.without_encryption(sender.keyring))
    records = samples.children(2, seed=fresh())
    records["CASE"][0]["sex"] = "Q"
    submission = stand.send(sender, sender.encrypt(sender.package(records).data))
    stand.settle()
    assert stand.state(submission) is State.STORED
    assert stand.report(sender, submission)["findings"]
    assert stand.get(f"/v1/submissions/{submission}/report.pgp", sender).status_code == 404


def test_an_update_that_only_weakens_is_refused(stand: Stand) -> None:
    """Sent late: an expired certificate with a new subkey is still an expired certificate."""
    keyring = ending_in(1)
    enrol(stand, keyring.certificates[0].data)
    _end(stand, keyring)
    before = kept(stand, keyring)
    with pytest.raises(CertificateRefused):
        enrol(stand, keyring.certificates[0].data)
    assert kept(stand, keyring) == before


def _end(stand: Stand, keyring: Keyring) -> None:
    """What is kept is a certificate that has ended."""
    ended = owner.extended(keyring, datetime.now(UTC) - timedelta(minutes=1))
    assert enrol(stand, ended) is Change.UPDATED, "its owner brought its end forward"


def test_a_certificate_of_another_agency_is_no_update(stand: Stand) -> None:
    keyring = keyring_of("police")
    enrol(stand, keyring.certificates[0].data, agency=POLICE)
    before = kept(stand, keyring)
    for data in (owner.revoked(keyring), owner.extended(keyring, datetime.now(UTC) + DAY)):
        with pytest.raises(Conflict) as refused:
            enrol(stand, data, agency=COUNCIL)
        assert refused.value.code == "certificate-taken"
    assert kept(stand, keyring) == before
    assert told(stand, keyring) == ["certificate.added"]


def test_a_foreign_subkey_is_not_grafted(stand: Stand) -> None:
    victim, thief = keyring_of("victim"), keyring_of("thief")
    enrol(stand, victim.certificates[0].data)
    grafted = owner.with_subkey(victim, thief.certificates[0], by=thief)
    assert enrol(stand, grafted) is Change.NONE
    assert kept(stand, victim).data == victim.certificates[0].data
    # Bound by its owner, the very same subkey is taken.
    assert enrol(stand, owner.with_subkey(victim, thief.certificates[0])) is Change.UPDATED


def test_what_was_revoked_here_stays_revoked(stand: Stand) -> None:
    keyring = ending_in(20)
    enrol(stand, keyring.certificates[0].data)
    stand.admin.enrolment.revoke(keyring.fingerprints[0], by=ADMINISTRATOR)
    with pytest.raises(Conflict):
        enrol(stand, owner.extended(keyring, datetime.now(UTC) + 400 * DAY))
    assert kept(stand, keyring).revoked
    assert told(stand, keyring) == ["certificate.added", "certificate.revoked"]


@pytest.mark.parametrize("known", [True, False], ids=["two updates", "two enrolments"])
def test_two_at_once_lose_neither(stand: Stand, known: bool) -> None:
    keyring = ending_in(20)
    if known:
        enrol(stand, keyring.certificates[0].data)
    until = datetime.now(UTC) + 400 * DAY
    copies = [
        owner.extended(keyring, until),
        owner.with_subkey(keyring, keyring_of("new subkey").certificates[0]),
    ]
    changes, together = list[Change](), Barrier(len(copies))

    def send(data: bytes) -> None:
        together.wait()
        changes.append(enrol(stand, data))

    threads = [Thread(target=send, args=(data,)) for data in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = Change.UPDATED if known else Change.ADDED
    assert sorted(changes) == sorted([first, Change.UPDATED])
    both = load_certificate(kept(stand, keyring).data)
    assert len(both.encryption_keys) == 2
    assert both.expires_at is not None
    assert both.expires_at > until - DAY


def certificates_at(stand: Stand, now: datetime) -> Certificates:
    return Certificates(stand.database, stand.worker.processor._trail, clock=lambda: now)


def standing(stand: Stand, keyring: Keyring, *, now: datetime | None = None) -> Standing:
    listed = certificates_at(stand, now or datetime.now(UTC)).list()
    (one,) = [each for each in listed if each.fingerprint == keyring.fingerprints[0]]
    return one.standing


def test_where_certificates_stand(stand: Stand) -> None:
    lasting, soon, gone, out = keyring_of("a"), ending_in(59), keyring_of("b"), keyring_of("c")
    for keyring in (lasting, soon, gone, out):
        enrol(stand, keyring.certificates[0].data)
    enrol(stand, owner.revoked(gone))
    stand.admin.enrolment.revoke(out.fingerprints[0], by=ADMINISTRATOR)
    assert standing(stand, lasting) is Standing.ACCEPTED
    assert standing(stand, soon) is Standing.EXPIRING
    assert standing(stand, soon, now=datetime.now(UTC) + 60 * DAY) is Standing.EXPIRED
    assert standing(stand, gone) is Standing.REVOKED
    assert standing(stand, out) is Standing.REVOKED
    enrol(stand, owner.without_encryption(lasting))
    assert standing(stand, lasting) is Standing.REVOKED


def test_certificates_are_listed_by_agency_and_by_end(stand: Stand) -> None:
    keyring = ending_in(40)
    enrol(stand, keyring.certificates[0].data, agency=COUNCIL)
    (only,) = stand.admin.certificates.list(COUNCIL)
    assert (only.agency_id, only.days_left) == (COUNCIL, 40)
    assert stand.admin.certificates.list(COUNCIL, within=39 * DAY) == []
    assert stand.admin.certificates.list(COUNCIL, within=41 * DAY) == [only]
    with pytest.raises(NotFound):
        stand.admin.certificates.list("POL-NOWHERE")


def test_a_subkey_that_ends_first_is_the_end(stand: Stand) -> None:
    keyring = ending_in(300)
    (certificate,) = keyring.certificates
    subkey = certificate.assembled.components[1].key
    until = datetime.now(UTC) + 10 * DAY
    bound = owner._expiring(subkey, until) + bytes([2, 27, owner.ENCRYPT])
    shorter = owner._signed(keyring, subkey.hashed, kind=0x18, subpackets=bound)
    enrol(stand, certificate.data + shorter)
    assert standing(stand, keyring) is Standing.EXPIRING


def watch_at(stand: Stand, now: datetime) -> ExpiryWatch:
    return ExpiryWatch(stand.database, stand.worker.processor._trail, clock=lambda: now)


def warnings_of(stand: Stand, keyring: Keyring, now: datetime) -> list[str]:
    given = watch_at(stand, now).warn()
    return [each.code for each in given if each.fingerprint == keyring.fingerprints[0]]


def test_each_warning_is_given_once(stand: Stand) -> None:
    keyring = ending_in(100)
    enrol(stand, keyring.certificates[0].data)
    now = datetime.now(UTC)
    given = [(day, warnings_of(stand, keyring, now + day * DAY)) for day in range(38, 103)]
    assert [(day, codes) for day, codes in given if codes] == [
        (41, ["expires-within-60-days"]),
        (71, ["expires-within-30-days"]),
        (94, ["expires-within-7-days"]),
    ]
    entries = [entry for entry in stand.entries() if entry.object_id == keyring.fingerprints[0]]
    assert [entry.error_code for entry in entries if entry.action == "certificate.expiring"] == [
        "expires-within-60-days",
        "expires-within-30-days",
        "expires-within-7-days",
    ]
    assert {entry.agency for entry in entries} == {POLICE}


def test_a_certificate_found_late_gets_the_nearest_warning_only(stand: Stand) -> None:
    keyring = ending_in(5)
    enrol(stand, keyring.certificates[0].data)
    now = datetime.now(UTC)
    assert warnings_of(stand, keyring, now) == ["expires-within-7-days"]
    assert warnings_of(stand, keyring, now) == []


def test_an_extended_certificate_is_warned_of_anew(stand: Stand) -> None:
    keyring = ending_in(5)
    enrol(stand, keyring.certificates[0].data)
    now = datetime.now(UTC)
    assert warnings_of(stand, keyring, now) == ["expires-within-7-days"]
    enrol(stand, owner.extended(keyring, now + 100 * DAY))
    assert warnings_of(stand, keyring, now) == []
    assert warnings_of(stand, keyring, now + 95 * DAY) == ["expires-within-7-days"]


@pytest.mark.parametrize("by_owner", [True, False], ids=["by its owner", "here"])
def test_a_revoked_certificate_is_not_warned_of(stand: Stand, by_owner: bool) -> None:
    keyring = ending_in(5)
    enrol(stand, keyring.certificates[0].data)
    if by_owner:
        enrol(stand, owner.revoked(keyring))
    else:
        stand.admin.enrolment.revoke(keyring.fingerprints[0], by=ADMINISTRATOR)
    assert warnings_of(stand, keyring, datetime.now(UTC)) == []


def test_two_workers_warn_once(stand: Stand) -> None:
    keyring = ending_in(5)
    enrol(stand, keyring.certificates[0].data)
    codes, together = list[str](), Barrier(2)

    def warn() -> None:
        together.wait()
        codes.extend(warnings_of(stand, keyring, datetime.now(UTC)))

    threads = [Thread(target=warn) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == ["expires-within-7-days"]


def test_the_worker_says_so_in_its_log(stand: Stand) -> None:
    keyring = ending_in(5)
    enrol(stand, keyring.certificates[0].data)
    with structlog.testing.capture_logs() as events:
        worker.warn_of_expiry(stand.worker)
    name = keyring.fingerprints[0]
    (event,) = [each for each in events if each.get("fingerprint") == name]
    assert event == {
        "event": "certificate.expiring",
        "log_level": "warning",
        "fingerprint": name,
        "agency": POLICE,
        "days": 7,
    }
    with structlog.testing.capture_logs() as events:
        assert worker.warn_of_expiry(stand.worker) == 0
    assert events == []


def test_an_agency_sees_that_its_certificate_ends(stand: Stand) -> None:
    sender = stand.sender(POLICE, keyring=ending_in(20))
    submission = stand.send(sender, sender.message(1))
    path = f"/v1/submissions/{submission}"
    assert stand.get(path, sender).get_json()["notice"] is None, "not opened yet"
    stand.settle()
    notice = stand.get(path, sender).get_json()["notice"]
    assert notice["code"] == "certificate-expiring"
    until = datetime.now(UTC) + 20 * DAY
    assert f"{until:%Y-%m}" in notice["message"]
    enrol(stand, owner.extended(sender.keyring, datetime.now(UTC) + 400 * DAY))
    assert stand.get(path, sender).get_json()["notice"] is None


Uses = dict[str, tuple[Use, ...]]


def exposure(stand: Stand, key: str, *, since: datetime | None = None) -> Uses:
    found = stand.admin.certificates.exposure(key, since=since, by=ADMINISTRATOR)
    return {str(each.id): each.uses for each in found}


def test_what_a_lost_key_touches_is_listed(stand: Stand) -> None:
    lost, other = stand.sender(POLICE, keyring=keyring_of("l")), stand.sender(POLICE)
    records = samples.children(2, seed=fresh())
    records["CASE"][0]["sex"] = "Q"
    in_part = str(stand.send(lost, lost.encrypt(lost.package(records).data)))
    rejected = str(stand.send(lost, lost.encrypt(b"no package")))
    of_other = str(stand.send(other, other.message(1)))
    stand.settle()
    (certificate,) = lost.keyring.certificates
    signed = {in_part: (Use.SIGNED, Use.REPORT), rejected: (Use.SIGNED,)}
    assert exposure(stand, certificate.fingerprint) == signed
    assert exposure(stand, certificate.encryption_keys[0]) == {in_part: (Use.REPORT,)}
    (vault,) = stand.keys.vault.certificates
    for key in (vault.fingerprint, vault.encryption_keys[0]):
        sealed = exposure(stand, key)
        assert {in_part, of_other} <= sealed.keys()
        assert rejected not in sealed
        assert set(sealed.values()) == {(Use.SEALED,)}
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert exposure(stand, certificate.fingerprint, since=later) == {}
    assert exposure(stand, "A" * 40) == {}


def test_what_the_gateways_own_key_opened_is_listed(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    submission = stand.send(sender, sender.message(1))
    stand.settle()
    (key,) = sender.gateway.encryption_keys
    assert (str(submission), (Use.OPENED,)) in exposure(stand, key).items()


def test_a_listing_is_in_the_log(stand: Stand) -> None:
    key = f"{fresh():040X}"
    exposure(stand, key)
    (entry,) = [entry for entry in stand.entries() if entry.object_id == key]
    assert (entry.action, entry.object_type) == ("key.traced", "key")
    assert (entry.actor_type, entry.outcome) == ("administrator", "success")
