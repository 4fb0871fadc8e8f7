"""What a sender holds at once: the log's promise, over each channel, and what breaking it costs."""

from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from audit.export import export_tiles
from audit.keyring import LogKeys
from audit.promise import Promise, Promiser, open_promise
from audit.tiles import StoreSource
from gateway.cli import failures
from gateway.store.log import PostgresLog
from tests.gateway.cli.shell import Shell
from tests.gateway.stand import COUNCIL, POLICE, Sender, Stand


@pytest.fixture(scope="module")
def sender(stand: Stand) -> Sender:
    """An agency that sends."""
    return stand.sender(POLICE)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Whoever verifies."""
    return Shell(monkeypatch, capsys)


def opened(stand: Stand, promise: str) -> Promise:
    return open_promise(promise, keys=LogKeys((stand.keys.log.verifier,)))


def log_key(stand: Stand) -> Path:
    return stand.keys.folder / "log.vkey"


def test_an_acknowledgement_carries_the_logs_word_for_these_very_bytes(
    stand: Stand, sender: Sender
) -> None:
    message = sender.message()
    answer = stand.post(sender, message).get_json()
    promise = opened(stand, answer["promise"])
    assert promise.entry.object_id == answer["id"]
    assert promise.entry.object_sha256 == sha256(message).hexdigest()
    assert promise.entry.agency == POLICE
    assert (promise.due - promise.entry.time).total_seconds() == 86_400
    stand.settle()
    assert promise.data in PostgresLog(stand.database).entries(0, 1 << 40)


def test_it_is_the_same_for_ever_and_for_its_agency_alone(stand: Stand, sender: Sender) -> None:
    message = sender.message()
    first = stand.post(sender, message).get_json()
    path = f"/v1/submissions/{first['id']}/promise"
    before = stand.get(path, sender).get_data(as_text=True)
    stand.settle()
    again = stand.post(sender, message)
    assert (again.status_code, again.get_json()["promise"]) == (200, first["promise"])
    assert before == stand.get(path, sender).get_data(as_text=True) == first["promise"]
    assert stand.get(path, stand.sender(COUNCIL)).status_code == 404
    assert stand.client.get(path).status_code == 401


def test_anybody_reads_it_with_the_logs_key_alone(
    stand: Stand, sender: Sender, shell: Shell, tmp_path: Path
) -> None:
    message, promise = tmp_path / "package.pgp", tmp_path / "package.promise"
    message.write_bytes(sender.message())
    promise.write_text(stand.post(sender, message.read_bytes()).get_json()["promise"])
    verify = ("receipt", "verify", promise, "--log-key", log_key(stand), "--json")
    told = shell.well(*verify, "--message", message).json()
    assert (told["verified"], told["agency"], told["message"]) == ("yes", POLICE, "the same bytes")
    message.write_bytes(b"another")
    shell.fails(failures.UNTRUSTED, *verify, "--message", message)
    promise.write_text(promise.read_text().replace(POLICE, COUNCIL))
    shell.fails(failures.UNTRUSTED, *verify)


def test_an_entry_that_the_owner_of_the_database_takes_out_is_missed_by_its_promise(
    stand: Stand, sender: Sender, shell: Shell, tmp_path: Path
) -> None:
    """No signature is contradicted, and a gap in the numbers could be closed: the promise stays."""
    kept, lost = (stand.post(sender, sender.message()).get_json() for _ in range(2))
    with stand.database.transaction() as session:
        query = "DELETE FROM audit_outbox WHERE convert_from(entry, 'UTF8') LIKE :about"
        gone = session.execute(text(query), {"about": f'%"object_id":"{lost["id"]}"%'})
        assert gone.rowcount == 1  # type: ignore[attr-defined]
    stand.settle()
    export_tiles(StoreSource(PostgresLog(stand.database)), tmp_path / "log")
    files = []
    for answer in (kept, lost):
        files.append(tmp_path / f"{answer['id']}.promise")
        files[-1].write_text(answer["promise"])
    verify = ("audit", "verify", "--log-key", log_key(stand), "--folder", tmp_path / "log")
    told = shell(*verify, "--promise", files[0], "--promise", files[1])
    assert told.status == failures.IN_PART, "the gap is found"
    assert "not due yet: 1 of 2" in told.err
    for file, answer in zip(files, (kept, lost), strict=True):
        file.write_text(_due_at_once(stand, answer["promise"]))
    assert shell(*verify, "--promise", files[0]).status == failures.IN_PART
    done = shell.fails(failures.UNTRUSTED, *verify, "--promise", files[0], "--promise", files[1])
    assert "promise-broken" in done.err
    assert opened(stand, lost["promise"]).entry.event_id in done.err


def _due_at_once(stand: Stand, promise: str) -> str:
    """The same promise by the same key, which does not wait for a day."""
    key = (stand.keys.folder / "promise.key").read_text()
    promiser = Promiser.from_text(key, seconds=0)
    return promiser.promise(opened(stand, promise).data)


def test_no_promise_of_another_log_is_believed(
    stand: Stand, sender: Sender, shell: Shell, tmp_path: Path
) -> None:
    promise = tmp_path / "package.promise"
    promise.write_text(stand.post(sender, sender.message()).get_json()["promise"])
    shell.well("keys", "init", "log", "--name", "log.gateway.test", "--out", tmp_path)
    other = ("--log-key", tmp_path / "log.vkey")
    shell.fails(failures.UNTRUSTED, "receipt", "verify", promise, *other)


def test_a_promise_key_is_made_by_the_logs_key(stand: Stand, shell: Shell, tmp_path: Path) -> None:
    made = ("keys", "init", "promise", "--out", tmp_path)
    shell.fails(failures.USAGE, *made)
    shell.well(*made, "--log-key", stand.keys.folder / "log.skey")
    file = tmp_path / "promise.key"
    assert file.stat().st_mode & 0o077 == 0
    entry = stand.entries()[0].to_bytes()
    made_by = Promiser.from_text(file.read_text())
    assert opened(stand, made_by.promise(entry)).data == entry
