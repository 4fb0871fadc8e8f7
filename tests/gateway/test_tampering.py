"""What the owner of the database can do to the log, and how it comes out.

The triggers of migration 0001 stop the processes. They do not stop the owner, who can drop them: so
each attack here does, on the real PostgreSQL, and then somebody else looks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.edge import RightEdge
from audit.entry import Entry, Reason
from audit.errors import AuditError, Fault, LogDoesNotFit, LogTampered
from audit.gather import gather
from audit.keyring import LogKeys
from audit.merkle import leaf_hash
from audit.replay import replay
from audit.tiles import StoreSource
from gateway.cli import failures
from gateway.records import Role
from gateway.store.log import PostgresLog
from tests.audit.careless import sequence
from tests.gateway.cli.shell import Shell
from tests.gateway.stand import ADMINISTRATOR, POLICE, Sender, Stand

SIZE = 300  # more than a tile, so that a part of the log is sealed and a part is its right edge


@pytest.fixture(scope="module")
def sender(stand: Stand) -> Sender:
    """An agency that has sent something, in a log of some hundred entries."""
    sending = stand.sender(POLICE)
    stand.send(sending, sending.message())
    stand.settle()
    while len(stand.entries()) < SIZE:
        for _ in range(100):
            stand.token(Role.AUDITOR)
        stand.sequence()
    return sending


@pytest.fixture
def log(stand: Stand, sender: Sender) -> PostgresLog:
    """The log at rest."""
    stand.sequence()
    return PostgresLog(stand.database)


@contextmanager
def as_owner(stand: Stand, *statements: tuple[str, dict[str, Any]]) -> Iterator[None]:
    """Run statements without the triggers, and put every row back afterwards."""
    tables = ("log_leaf", "log_tile", "log_checkpoint")
    with stand.database.transaction() as session:
        for table in tables:
            session.execute(text(f"DROP TABLE IF EXISTS kept_{table}"))
            session.execute(text(f"CREATE TABLE kept_{table} AS TABLE {table}"))
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement, values in statements:
            session.execute(text(statement), values)
    try:
        yield
    finally:
        with stand.database.transaction() as session:
            for table in tables:
                session.execute(text(f"DELETE FROM {table}"))
                session.execute(text(f"INSERT INTO {table} SELECT * FROM kept_{table}"))
                session.execute(text(f"DROP TABLE kept_{table}"))
                session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


def keys(stand: Stand) -> LogKeys:
    return LogKeys((stand.keys.log.verifier,))


def head(log: PostgresLog) -> bytes:
    note = log.head()
    assert note is not None
    return note


def caught(stand: Stand, log: PostgresLog, *known: bytes) -> LogTampered:
    """What an auditor finds; only what they kept and the log itself are at hand."""
    since = [keys(stand).checkpoint(note) for note in known]
    with pytest.raises(LogTampered) as found:
        replay(StoreSource(log), verifier=keys(stand), since=since)
    return found.value


def rewritten(entry: bytes) -> bytes:
    """The same event with another outcome: a byte-for-byte canonical lie."""
    changed = entry.replace(b'"outcome":"success"', b'"outcome":"refused"')
    assert changed != entry
    Entry.from_bytes(changed)
    return changed


@pytest.mark.parametrize("index", [7, 280])
def test_a_row_that_was_edited_is_named(stand: Stand, log: PostgresLog, index: int) -> None:
    values = {"entry": rewritten(log.entries(index, index + 1)[0]), "at": index}
    with as_owner(stand, ("UPDATE log_leaf SET entry = :entry WHERE index = :at", values)):
        found = caught(stand, log)
        assert (found.fault, found.index) == (Fault.ALTERED, index)
        gathered = gather(found, StoreSource(log), keys=keys(stand))
        assert gathered is not None
        assert gathered[0].files["served.entry"] == values["entry"]


def test_a_row_edited_with_its_hash_is_found(stand: Stand, log: PostgresLog) -> None:
    entry = rewritten(log.entries(7, 8)[0])
    values = {"entry": entry, "digest": leaf_hash(entry)}
    edit = "UPDATE log_leaf SET entry = :entry, leaf_hash = :digest WHERE index = 7"
    with as_owner(stand, (edit, values)):
        assert caught(stand, log).index == 7


def test_a_log_rewritten_in_every_row_does_not_fit_what_was_signed(
    stand: Stand, log: PostgresLog
) -> None:
    with as_owner(stand, *forged(log, edited=7)):
        assert caught(stand, log).fault is Fault.ROOT


def test_a_log_rewritten_and_signed_again_is_convicted_by_an_old_checkpoint(
    stand: Stand, log: PostgresLog
) -> None:
    """The operator has the database and the log's key. An auditor has one checkpoint."""
    kept = head(log)
    statements = [*forged(log, edited=7, signed_by=stand)]
    with as_owner(stand, *statements):
        replay(StoreSource(log), verifier=keys(stand))  # in itself it is flawless
        found = caught(stand, log, kept)
        gathered = gather(found, StoreSource(log), keys=keys(stand), known=[kept])
        assert gathered is not None
        assert gathered[1].claim == "fork"


def test_the_sequencer_signs_nothing_over_a_rewritten_log(stand: Stand, log: PostgresLog) -> None:
    with as_owner(stand, *forged(log, edited=290)):
        stand.token(Role.AUDITOR)
        with pytest.raises(LogDoesNotFit):
            sequence(log, signer=stand.keys.log)
    stand.sequence()


def test_a_row_that_was_deleted_is_found(stand: Stand, log: PostgresLog) -> None:
    with as_owner(stand, ("DELETE FROM log_leaf WHERE index = 7", {})), pytest.raises(AuditError):
        replay(StoreSource(log), verifier=keys(stand))


def test_a_row_deleted_and_the_others_moved_up_is_found(stand: Stand, log: PostgresLog) -> None:
    close = (
        "UPDATE log_leaf SET index = -index WHERE index > 7",
        "UPDATE log_leaf SET index = -index - 1 WHERE index < 0",
    )
    drop = "DELETE FROM log_leaf WHERE index = 7"
    statements = [(drop, {}), *((each, {}) for each in close)]
    with as_owner(stand, *statements), pytest.raises(AuditError):
        replay(StoreSource(log), verifier=keys(stand))


def test_rows_that_were_exchanged_are_found(stand: Stand, log: PostgresLog) -> None:
    swap = (
        "UPDATE log_leaf SET index = -1 WHERE index = 7",
        "UPDATE log_leaf SET index = 7 WHERE index = 8",
        "UPDATE log_leaf SET index = 8 WHERE index = -1",
    )
    with as_owner(stand, *((each, {}) for each in swap)):
        assert caught(stand, log).index == 7


def test_an_edited_tile_is_found(stand: Stand, log: PostgresLog) -> None:
    edit = "UPDATE log_tile SET hashes = overlay(hashes placing '\\x00' from 65) WHERE level = 0"
    with as_owner(stand, (edit, {})):
        assert caught(stand, log).index == 2


def test_a_log_put_back_to_an_older_checkpoint_is_found(stand: Stand, log: PostgresLog) -> None:
    kept = head(log)
    size = keys(stand).checkpoint(kept).size
    with stand.database.transaction() as session:
        sizes = session.execute(text("SELECT size FROM log_checkpoint ORDER BY size")).scalars()
        older = [each for each in sizes if each < size][-1]
    cut = [
        ("DELETE FROM log_leaf WHERE index >= :older", {"older": older}),
        ("DELETE FROM log_checkpoint WHERE size > :older", {"older": older}),
        ("DELETE FROM log_tile WHERE (number + 1) * 256 > :older", {"older": older}),
    ]
    with as_owner(stand, *cut):
        replay(StoreSource(log), verifier=keys(stand))
        assert caught(stand, log, kept).fault is Fault.SHORTER


def test_an_entry_taken_from_the_outbox_is_missed(
    stand: Stand,
    sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The act happened, its entry never reaches the log: the submission still names it."""
    shell = Shell(monkeypatch, capsys)
    submission = stand.send(sender, sender.message())
    # An entry that waits is not missing.
    assert shell.well("log", "reconcile", "--json", **stand.environ).json() == {"missing": []}
    with stand.database.transaction() as session:
        query = "DELETE FROM audit_outbox WHERE convert_from(entry, 'UTF8') LIKE :about"
        gone = session.execute(text(query), {"about": f'%"object_id":"{submission}"%'})
        assert gone.rowcount == 1  # type: ignore[attr-defined]
    stand.settle()
    # The log itself is whole and says nothing, which is why this comparison exists.
    replay(StoreSource(PostgresLog(stand.database)), verifier=keys(stand))
    done = shell("log", "reconcile", "--json", **stand.environ)
    assert done.status == failures.UNTRUSTED
    (missing,) = done.json()["missing"]
    assert (missing["submission"], missing["act"]) == (str(submission), "received")
    assert missing["event_id"] in shell("log", "reconcile", **stand.environ).out
    # Nor does the agency ever get the receipt that it waits for.
    assert stand.get(f"/v1/submissions/{submission}/receipt", sender).status_code == 500


def forged(
    log: PostgresLog, *, edited: int, signed_by: Stand | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row of a log in which one entry is another: leaf, tiles and, with the key, the head."""
    entries = list(log.entries(0, 1 << 40))
    entries[edited] = rewritten(entries[edited])
    leaf = {"entry": entries[edited], "digest": leaf_hash(entries[edited]), "at": edited}
    yield "UPDATE log_leaf SET entry = :entry, leaf_hash = :digest WHERE index = :at", leaf
    edge = RightEdge()
    for tile in edge.extend(map(leaf_hash, entries)):
        yield (
            "UPDATE log_tile SET hashes = :hashes, root = :root WHERE level = :l AND number = :n",
            {"hashes": tile.hashes, "root": tile.root, "l": tile.level, "n": tile.number},
        )
    if signed_by is not None:
        signer = signed_by.keys.log
        note = sign_checkpoint(Checkpoint(signer.name, edge.size, edge.root()), signer)
        yield (
            "UPDATE log_checkpoint SET note = :note WHERE size = :size",
            {
                "note": note,
                "size": edge.size,
            },
        )


def test_a_reason_stands_in_the_log(stand: Stand, sender: Sender) -> None:
    stand.admin.enrolment.suspend(POLICE, by=ADMINISTRATOR, reason=Reason.MISUSE)
    stand.admin.enrolment.resume(POLICE, by=ADMINISTRATOR, reason=Reason.FAULT_MENDED)
    told = [(entry.action, entry.reason_code) for entry in stand.entries()[-2:]]
    assert told == [("agency.suspended", "misuse"), ("agency.resumed", "fault-mended")]
    assert sender.agency_id == POLICE
