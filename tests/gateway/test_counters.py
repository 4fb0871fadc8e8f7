"""What the owner of the database can do to entries before they are in the log, and how it shows.

The outbox is not signed, and its owner can drop every trigger. What counts is what an auditor then
finds in the published log, with nothing from the gateway but that.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from sqlalchemy import text

from audit.counters import MISSING, REPEATS, SKIPS, WITHOUT_AGENCY
from audit.entry import Entry
from audit.export import export_tiles
from audit.tiles import StoreSource
from gateway.cli import failures
from gateway.store.log import PostgresLog
from tests.gateway.cli.shell import Shell
from tests.gateway.stand import ADMINISTRATOR, POLICE, Sender, Stand

OUTBOX = "SELECT id, entry FROM audit_outbox ORDER BY id"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


class Auditor:
    """Somebody with the published files and the log's key."""

    def __init__(self, stand: Stand, shell: Shell, folder: Path) -> None:
        self._stand = stand
        self._shell = shell
        self._folder = folder
        self._command = ("--folder", folder, "--log-key", stand.keys.log.vkey)
        self._known = len(self.findings())

    def findings(self) -> list[dict[str, Any]]:
        """Every finding in the log as it is now; the status says whether there are some."""
        self._publish()
        done = self._shell("audit", "verify", *self._command, "--json")
        found: list[dict[str, Any]] = done.json()["findings"]
        assert done.status == (failures.IN_PART if found else 0)
        return found

    def new(self) -> list[tuple[str, str | None, int | None, int | None]]:
        """What is found that was not there at the beginning."""
        found = self.findings()[self._known :]
        return [(each["code"], each["agency"], each["expected"], each["counter"]) for each in found]

    def said(self) -> str:
        """What a person reads."""
        return self._shell("audit", "verify", *self._command).err.replace("\n", " ")

    def monitored(self, state: Path) -> tuple[int, str]:
        """The status of one look of somebody who watches, and what they read."""
        self._publish()
        done = self._shell("audit", "monitor", *self._command, "--state", state, "--once")
        return done.status, done.err.replace("\n", " ")

    def _publish(self) -> None:
        self._stand.sequence()
        export_tiles(StoreSource(PostgresLog(self._stand.database)), self._folder)


@pytest.fixture
def sender(stand: Stand) -> Sender:
    """An agency with some entries in the log."""
    return stand.sender(POLICE)


@pytest.fixture
def auditor(stand: Stand, sender: Sender, shell: Shell, tmp_path: Path) -> Auditor:
    assert sender.agency_id == POLICE
    return Auditor(stand, shell, tmp_path / "log")


def acts(stand: Stand, count: int) -> list[tuple[int, Entry]]:
    """So many acts about the agency, whose entries wait in the outbox: their rows."""
    stand.sequence()
    for number in range(count):
        if number % 2:
            stand.admin.enrolment.resume(POLICE, by=ADMINISTRATOR)
        else:
            stand.admin.enrolment.suspend(POLICE, by=ADMINISTRATOR)
    return waiting(stand)


def waiting(stand: Stand) -> list[tuple[int, Entry]]:
    with stand.database.transaction() as session:
        rows = session.execute(text(OUTBOX)).all()
    return [(row, Entry.from_bytes(data)) for row, data in rows]


def owner(stand: Stand, statement: str, **values: object) -> None:
    """What the owner of the database does, without the triggers."""
    with stand.database.transaction() as session:
        session.execute(text("ALTER TABLE agency_counter DISABLE TRIGGER USER"))
        done = session.execute(text(statement), values)
        assert done.rowcount  # type: ignore[attr-defined]
        session.execute(text("ALTER TABLE agency_counter ENABLE TRIGGER USER"))


def put(stand: Stand, entry: Entry) -> None:
    statement = "INSERT INTO audit_outbox (event_id, entry) VALUES (:event, :entry)"
    owner(stand, statement, event=entry.event_id, entry=entry.to_bytes())


def another(entry: Entry, **changed: Any) -> Entry:
    """An entry of the same moment, about something else."""
    return replace(entry, event_id=entry.event_id[:-12] + token_hex(6), **changed)


def edit(stand: Stand, row: int, entry: bytes) -> None:
    statement = "UPDATE audit_outbox SET entry = :entry, event_id = :event WHERE id = :row"
    event_id = Entry.from_bytes(entry).event_id
    owner(stand, statement, entry=entry, event=event_id, row=row)


def number(entry: Entry) -> int:
    assert entry.agency_counter is not None
    return entry.agency_counter


@pytest.fixture(autouse=True)
def _at_rest(stand: Stand) -> Iterator[None]:
    """Each test leaves the agency as it was, so that the next can suspend it."""
    yield
    owner(stand, "UPDATE agency SET suspended_at = NULL")


def test_what_nobody_touched_is_dense(stand: Stand, auditor: Auditor) -> None:
    rows = acts(stand, 4)
    assert [number(entry) - number(rows[0][1]) for _, entry in rows] == [0, 1, 2, 3]
    assert auditor.new() == []


def test_an_entry_taken_from_the_outbox_is_a_gap_that_names_agency_and_number(
    stand: Stand, auditor: Auditor, tmp_path: Path
) -> None:
    assert auditor.monitored(tmp_path / "watch")[0] == 0
    rows = acts(stand, 4)
    gone, entry = rows[1]
    owner(stand, "DELETE FROM audit_outbox WHERE id = :row", row=gone)
    missing = number(entry)
    assert auditor.new() == [(SKIPS, POLICE, missing, missing + 1)]
    words = f"counter-skips, {POLICE}: number {missing + 1} where {missing} was next"
    assert words in auditor.said()
    # Whoever watches sees it as well, without reading from the beginning.
    status, said = auditor.monitored(tmp_path / "watch")
    assert status == failures.IN_PART
    assert words in said


def test_two_that_were_exchanged_are_found(stand: Stand, auditor: Auditor) -> None:
    (first, one), (second, other), *_ = acts(stand, 4)
    owner(stand, "UPDATE audit_outbox SET event_id = gen_random_uuid() WHERE id = :row", row=second)
    edit(stand, first, other.to_bytes())
    edit(stand, second, one.to_bytes())
    at = number(one)
    assert auditor.new() == [
        (SKIPS, POLICE, at, at + 1),
        (REPEATS, POLICE, at + 2, at),
        (SKIPS, POLICE, at + 1, at + 2),
    ]


def test_a_number_used_twice_is_found(stand: Stand, auditor: Auditor) -> None:
    """Somebody who puts another entry in the place of one cannot have both counted."""
    last = acts(stand, 2)[-1][1]
    put(stand, another(last))
    assert auditor.new() == [(REPEATS, POLICE, number(last) + 1, number(last))]


def test_a_counter_that_was_set_back_is_found(stand: Stand, auditor: Auditor) -> None:
    at = number(acts(stand, 2)[-1][1])
    stand.sequence()
    owner(stand, "UPDATE agency_counter SET next = 1 WHERE agency_id = :agency", agency=POLICE)
    acts(stand, 2)
    assert auditor.new() == [(REPEATS, POLICE, at + 1, 1)]


def test_a_counter_that_was_removed_begins_anew_and_is_found(
    stand: Stand, auditor: Auditor
) -> None:
    at = number(acts(stand, 2)[-1][1])
    stand.sequence()
    owner(stand, "DELETE FROM agency_counter WHERE agency_id = :agency", agency=POLICE)
    acts(stand, 2)
    assert auditor.new() == [(REPEATS, POLICE, at + 1, 0)]


def test_a_number_without_an_agency_is_found(stand: Stand, auditor: Auditor) -> None:
    last = acts(stand, 2)[-1][1]
    put(stand, another(last, agency=None, agency_counter=3))
    assert auditor.new() == [(WITHOUT_AGENCY, None, None, 3)]


def test_an_entry_without_a_number_is_found(stand: Stand, auditor: Auditor) -> None:
    last = acts(stand, 2)[-1][1]
    put(stand, another(last, agency_counter=None))
    assert auditor.new() == [(MISSING, POLICE, number(last) + 1, None)]


def test_the_last_taken_away_and_its_number_with_it_leaves_no_gap(
    stand: Stand, auditor: Auditor
) -> None:
    """The limit of it: before another entry of the agency is written, its owner can undo both."""
    row, entry = acts(stand, 1)[-1]
    owner(stand, "DELETE FROM audit_outbox WHERE id = :row", row=row)
    owner(
        stand,
        "UPDATE agency_counter SET next = :next WHERE agency_id = :agency",
        next=number(entry),
        agency=POLICE,
    )
    owner(stand, "UPDATE agency SET suspended_at = NULL WHERE agency_id = :agency", agency=POLICE)
    acts(stand, 2)
    assert auditor.new() == []
