"""The invariants of docs/architecture.md, each shown to hold and each shown to be tested.

For every invariant there is one check. It passes on the gateway as it is, and it must fail on a
gateway in which the invariant is broken on purpose: a check that cannot fail proves nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import gateway.flow.judge
import gateway.flow.process
from audit.actions import Action
from crypto import Keyring, MessageRefused, Opened, unseal
from gateway.errors import GatewayError
from gateway.flow.intake import Arrived, Intake
from gateway.flow.process import Processor
from gateway.flow.trail import AuditTrail
from gateway.records import SYSTEM, Acknowledgement, Principal, State, Submission
from gateway.store.jobs import PROCESS, in_hand
from gateway.store.objects import Bucket, ObjectStore, Stored
from gateway.store.submissions import find_submission, lock_submission, move
from tests.gateway.stand import COUNCIL, POLICE, Sender, Stand, fresh, new_keyring
from tests.validators import samples
from validators.report import Report

Check = Callable[[Stand], None]
Break = Callable[[pytest.MonkeyPatch, Stand], AbstractContextManager[None]]


# 1. Acknowledged means durable.


def acknowledged_means_durable(stand: Stand) -> None:
    """After the answer, row, entry, job and bytes are there for everybody, and the end comes."""
    sender = stand.sender(POLICE)
    message = sender.message(1)
    answer = stand.post(sender, message)
    assert answer.status_code == 201
    submission = UUID(answer.get_json()["id"])
    with stand.database.transaction() as session:
        assert find_submission(session, submission) is not None, "no row"
        assert submission in in_hand(session, PROCESS), "no job"
        held = session.execute(
            text(
                "SELECT count(*) FROM audit_outbox o JOIN submission s USING (event_id)"
                " WHERE s.id = :id"
            ),
            {"id": submission},
        ).scalar_one()
        assert held == 1, "no entry"
    stored = b"".join(stand.services.objects.get(Bucket.QUARANTINE, f"{POLICE}/{submission}.pgp"))
    assert stored == message, "not the bytes that were sent"
    stand.settle()
    assert stand.state(submission) is State.STORED


@contextmanager
def acknowledging_before_committing(patch: pytest.MonkeyPatch, stand: Stand) -> Iterator[None]:
    """The answer is made from a transaction that is then given up."""

    def record(self: Intake, _: Session, arrived: Arrived, *, by: Principal) -> Acknowledgement:
        try:
            with self._database.transaction() as session:
                acknowledged = _RECORD(self, session, arrived, by=by)
                raise _GiveUp
        except _GiveUp:
            return acknowledged

    patch.setattr(Intake, "record", record)
    yield


@contextmanager
def storing_nothing(patch: pytest.MonkeyPatch, stand: Stand) -> Iterator[None]:
    """The object store says yes and keeps nothing."""

    def put(self: ObjectStore, bucket: Bucket, key: str, source: Any) -> Stored:
        data = source.read(1 << 30)
        return Stored(key=key, size=len(data), sha256=sha256(data).hexdigest())

    patch.setattr(ObjectStore, "put", put)
    yield


@contextmanager
def enqueueing_nothing(patch: pytest.MonkeyPatch, stand: Stand) -> Iterator[None]:
    """No job is made."""
    patch.setattr("gateway.store.jobs.JobQueue.process", lambda *_: None)
    yield


# 2. The gateway cannot read what it has sealed.


def nothing_readable_is_left(stand: Stand) -> None:
    """The gateway's key opens nothing that is kept of a stored submission."""
    sender = stand.sender(POLICE)
    submission = stand.send(sender, sender.message(1))
    stand.settle()
    with pytest.raises(GatewayError):
        stand.admin.objects.open(Bucket.QUARANTINE, f"{POLICE}/{submission}.pgp")
    with stand.database.transaction() as session:
        found = find_submission(session, submission)
    assert found is not None
    assert found.sealed_key is not None
    with stand.admin.objects.open(Bucket.VAULT, found.sealed_key) as sealed:
        own = Keyring.load([(stand.keys.folder / "gateway-key.asc").read_bytes()])
        context = f"ctds-submission-{submission}.zip"
        with pytest.raises(MessageRefused):
            unseal(sealed, BytesIO(), keyring=own, context=context)


@contextmanager
def keeping_the_ciphertext(patch: pytest.MonkeyPatch, stand: Stand) -> Iterator[None]:
    """What was received stays for ever, under the gateway's own key."""
    patch.setattr(gateway.flow.judge.Judge, "discard", lambda *_: None)
    yield


@contextmanager
def sealing_to_oneself(patch: pytest.MonkeyPatch, stand: Stand) -> Iterator[None]:
    """The vault's certificate is the gateway's own."""
    patch.setattr(stand.worker.processor._judge, "_vault", [stand.keys.gateway])
    yield


# 4. Unverified bytes never leave scratch.


def unverified_bytes_stay_in(stand: Stand) -> None:
    """Nothing of a message whose integrity or signature fails is looked at, stored or reported."""
    sender, stranger = stand.sender(POLICE), new_keyring("stranger")
    package = sender.package(samples.children(1, seed=fresh())).data
    forged = Sender(POLICE, stranger, sender.token, sender.gateway, sender.standard)
    signed_by_a_stranger = forged.encrypt(package)
    damaged = bytearray(sender.encrypt(package))
    damaged[-30] ^= 1
    for message in (signed_by_a_stranger, bytes(damaged)):
        submission = stand.send(sender, message)
        stand.settle()
        with stand.database.transaction() as session:
            found = find_submission(session, submission)
        assert found is not None
        assert (found.state, found.sealed_key, found.package_id) == (State.REJECTED, None, None)
        assert set(found.report or {}) == {"verdict", "refusal"}, "findings on unverified bytes"


@contextmanager
def trusting_any_signature(patch: pytest.MonkeyPatch, stand: Stand) -> Iterator[None]:
    """Whoever signed is taken for whom the session says."""

    def open_message(source: Any, *, senders: Any, **rest: Any) -> Opened:
        try:
            return _OPEN(source, senders=senders, **rest)
        except gateway.flow.judge.MessageRefused:
            archive = stand.sender(POLICE).package(samples.children(1, seed=fresh())).data
            now = datetime.now(UTC)
            return Opened(BytesIO(archive), len(archive), senders[0], "", now, "")

    patch.setattr(gateway.flow.judge, "open_message", open_message)
    yield


# 5. Every state change and every read of data has exactly one entry.


def every_act_has_one_entry(stand: Stand) -> None:
    """Each move has the entry it names; each reading has one, committed before the answer."""
    sender = stand.sender(POLICE)
    submission = stand.send(sender, sender.message(1))
    stand.settle()
    before = stand.about(submission)
    for path, action in (("report", "report.read"), ("receipt", "receipt.read")):
        assert stand.get(f"/v1/submissions/{submission}/{path}", sender).status_code == 200
        now = stand.about(submission)
        assert now == [*before, action], f"{path} was read without exactly one entry"
        before = now
    with stand.database.transaction() as session:
        moves = session.execute(
            text(
                "SELECT event_id::text, to_state FROM submission_transition"
                " WHERE submission_id = :id ORDER BY id"
            ),
            {"id": submission},
        ).all()
    told = {entry.event_id: str(entry.action) for entry in stand.entries()}
    assert [told[event] for event, _ in moves] == [f"submission.{to}" for _, to in moves]
    assert len(moves) == 4


def a_move_without_its_entry_does_not_happen(stand: Stand) -> None:
    """Where the entry cannot be written, the state stays as it was."""
    sender = stand.sender(POLICE)
    submission = stand.send(sender, sender.message(1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AuditTrail, "record", _fails)
        with pytest.raises(ConnectionError):
            stand.worker.processor.process(submission)
        stand.client.post(f"/v1/submissions/{submission}/withdrawal", headers=sender.headers)
    assert stand.state(submission) is State.RECEIVED
    stand.settle()
    assert stand.state(submission) is State.STORED


@contextmanager
def writing_no_entry(patch: pytest.MonkeyPatch, stand: Stand) -> Iterator[None]:
    """Reports are read and nobody knows."""
    patch.setattr(stand.services.submissions, "_trail", _Silent(stand.services.submissions._trail))
    yield


@contextmanager
def writing_two_entries(patch: pytest.MonkeyPatch, stand: Stand) -> Iterator[None]:
    """A reading is told twice."""
    patch.setattr(stand.services.submissions, "_trail", _Twice(stand.services.submissions._trail))
    yield


@contextmanager
def writing_the_entry_afterwards(patch: pytest.MonkeyPatch, stand: Stand) -> Iterator[None]:
    """The move commits first, the entry in a transaction of its own."""

    def record(self: Processor, submission: Submission, _: Any) -> State:
        with stand.database.transaction() as session:
            locked, event = lock_submission(session, submission.id), self._trail.new_event_id()
            moved = move(session, locked, State.OPENED, event_id=event, now=datetime.now(UTC))
        with stand.database.transaction() as session:
            self._trail.about(session, Action.SUBMISSION_OPENED, SYSTEM, moved, event_id=event)
        return moved.state

    patch.setattr(Processor, "_record", record)
    yield


# 6. No personal data in database or log.

CANARY = "Zebediah-Quillfeather"


def nothing_personal_is_kept(stand: Stand) -> None:
    """A value of a bad row is in the encrypted report and nowhere else."""
    sender = stand.sender(POLICE)
    records = samples.children(2, seed=fresh())
    records["CASE"][0]["sex"] = CANARY
    records["EXPL"][0]["certainty"] = CANARY
    submission = stand.send(sender, sender.encrypt(sender.package(records).data))
    stand.settle()
    report = stand.report(sender, submission)
    assert report["findings"], "the bad rows were not found"
    found = [where for where, content in everything_kept(stand) if CANARY.encode() in content]
    assert not found, f"personal data in {found}"


def everything_kept(stand: Stand) -> Iterator[tuple[str, bytes]]:
    """Every row of every table, as text."""
    with stand.database.transaction() as session:
        tables = session.scalars(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).all()
        for table in tables:
            for row in session.execute(text(f'SELECT * FROM "{table}"')):
                for value in row:
                    yield table, value if isinstance(value, bytes) else str(value).encode()


@contextmanager
def keeping_values(patch: pytest.MonkeyPatch, stand: Stand) -> Iterator[None]:
    """The report in the database is the full one."""
    patch.setattr(Report, "redacted", lambda self: self)
    yield


# 8. Same bytes twice is one submission; the same package id with other bytes is a conflict.


def the_same_twice_is_one(stand: Stand) -> None:
    """Repeated bytes are recognised; a repeated package id is refused."""
    sender = stand.sender(COUNCIL)
    records = samples.children(1, seed=fresh())
    package = sender.package(records)
    message = sender.encrypt(package.data)
    first = stand.post(sender, message)
    again = stand.post(sender, message)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["id"] == again.get_json()["id"]
    stand.settle()
    other = stand.send(sender, sender.encrypt(package.data))  # the same package in other bytes
    stand.settle()
    assert stand.state(other) is State.REJECTED
    codes = {finding["rule"] for finding in stand.report(sender, other)["findings"]}
    assert "CT-008" in codes


@contextmanager
def forgetting_bytes(patch: pytest.MonkeyPatch, stand: Stand) -> Iterator[None]:
    """Every upload is new."""
    put = ObjectStore.put

    def unique(self: ObjectStore, *args: Any) -> Stored:
        stored = put(self, *args)
        return Stored(stored.key, stored.size, sha256(uuid4().bytes).hexdigest())

    patch.setattr(ObjectStore, "put", unique)
    yield


@contextmanager
def forgetting_packages(patch: pytest.MonkeyPatch, stand: Stand) -> Iterator[None]:
    """No package id was ever seen."""
    patch.setattr("gateway.flow.history.package_owner", lambda *_: None)
    patch.setattr(gateway.flow.process, "claim_package", lambda *_, **__: True)
    yield


CHECKS: list[Check] = [
    acknowledged_means_durable,
    nothing_readable_is_left,
    unverified_bytes_stay_in,
    every_act_has_one_entry,
    a_move_without_its_entry_does_not_happen,
    nothing_personal_is_kept,
    the_same_twice_is_one,
]
BROKEN: list[tuple[Check, Break]] = [
    (acknowledged_means_durable, acknowledging_before_committing),
    (acknowledged_means_durable, storing_nothing),
    (acknowledged_means_durable, enqueueing_nothing),
    (nothing_readable_is_left, keeping_the_ciphertext),
    (nothing_readable_is_left, sealing_to_oneself),
    (unverified_bytes_stay_in, trusting_any_signature),
    (every_act_has_one_entry, writing_no_entry),
    (every_act_has_one_entry, writing_two_entries),
    (a_move_without_its_entry_does_not_happen, writing_the_entry_afterwards),
    (nothing_personal_is_kept, keeping_values),
    (the_same_twice_is_one, forgetting_bytes),
    (the_same_twice_is_one, forgetting_packages),
]


def _name(function: Callable[..., Any]) -> str:
    return function.__name__


@pytest.mark.parametrize("check", CHECKS, ids=_name)
def test_invariant_holds(stand: Stand, check: Check) -> None:
    check(stand)


@pytest.mark.parametrize(("check", "broken"), BROKEN, ids=_name)
def test_a_broken_invariant_is_noticed(
    stand: Stand, check: Check, broken: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    noticed = (AssertionError, LookupError, GatewayError, pytest.fail.Exception)
    with broken(monkeypatch, stand), pytest.raises(noticed):
        check(stand)


_RECORD = Intake.record
_OPEN = gateway.flow.judge.open_message


class _GiveUp(Exception):
    """Ends a transaction without committing it."""


class _Silent:
    """A trail that writes nothing."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    def about(self, *_: Any, **__: Any) -> UUID:
        return self._trail.new_event_id()


class _Twice(_Silent):
    """A trail that writes everything twice."""

    def about(self, *args: Any, **rest: Any) -> UUID:
        self._trail.about(*args, **rest)
        return self._trail.about(*args, **rest)


def _fails(*_: Any, **__: Any) -> UUID:
    raise ConnectionError("the entry cannot be written")
