"""The gateway's log before a real timestamp authority: what is kept, and what is not stored."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from werkzeug.serving import make_server

from audit.checkpoint import claimed_checkpoint
from audit.keyring import LogKeys
from audit.timestamp import MOST_TOKEN_BYTES, read_roots, verify_stamp
from gateway.errors import SettingsRefused
from gateway.flow.stamping import LONGEST_WAIT, RETRY, Stamping
from gateway.records import Role
from gateway.sequencer import publish_newest, stamp_newest
from gateway.timestamps import Authorities, Authority, read_authorities
from tests.audit.peers.authority import Authority as Signing
from tests.audit.peers.authority import Served, serving
from tests.gateway.cli.shell import Shell
from tests.gateway.stand import POLICE, Stand

HOUR = timedelta(hours=1)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Signing:
    return Signing.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def served(signing: Signing) -> Iterator[Served]:
    with serving(signing) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stamping(stand: Stand, served: Served, clock: Clock) -> Stamping:
    """One authority; each test calls it by another name, as nothing is ever removed."""
    return having(stand, clock, (fresh_name(), served.url))


def fresh_name() -> str:
    return f"tsa-{time.monotonic_ns()}"


def having(
    stand: Stand, clock: Clock, *authorities: tuple[str, str], seconds: float = 5
) -> Stamping:
    listed = [Authority(*each) for each in authorities]
    asking = Authorities(listed, seconds=seconds)
    return Stamping(stand.database, stand.sequencer.log, asking, every=HOUR, clock=clock)


def grow(stand: Stand) -> int:
    """Let something happen; return the size of what is published then."""
    stand.sender(POLICE)
    stand.sequence()
    publish_newest(stand.sequencer.log, None)
    return claimed_checkpoint(stand.sequencer.log.published() or b"").size


def stamps(stand: Stand, size: int) -> list[dict[str, object]]:
    answer = stand.client.get(f"/v1/log/timestamps?after={size - 1}")
    assert answer.status_code == 200
    found: list[dict[str, object]] = answer.get_json()["timestamps"]
    return [each for each in found if each["size"] == size]


def test_what_is_published_is_stamped_and_can_be_verified_by_anybody(
    stand: Stand, stamping: Stamping, signing: Signing
) -> None:
    size = grow(stand)
    published = stand.client.get("/v1/log/checkpoint").data
    stamping.stamp_newest()
    (stamp,) = stamps(stand, size)
    token, note = stand.client.get(stamp["path"]), stand.client.get(f"/v1/log/checkpoint/{size}")
    assert token.content_type == "application/timestamp-reply"
    assert {each.headers["Cache-Control"] for each in (token, note)} == {
        "public, max-age=31536000, immutable"
    }
    assert note.data == published
    assert signing.verifies(note.data, token.data)
    keys, roots = LogKeys((stand.keys.log.verifier,)), read_roots(signing.root.read_bytes())
    assert verify_stamp(note.data, token.data, roots=roots, keys=keys).checkpoint.size == size


def test_an_authority_is_asked_once_an_hour_and_only_where_the_log_has_grown(
    stand: Stand, stamping: Stamping, served: Served, clock: Clock
) -> None:
    grow(stand)
    for later, grows, asked in (
        (timedelta(), False, 1),
        (HOUR, False, 1),
        (timedelta(), True, 2),
        (HOUR - timedelta(seconds=1), True, 2),
        (timedelta(seconds=1), False, 3),
    ):
        clock.now += later
        if grows:
            grow(stand)
        stamping.stamp_newest()
        assert len(served.asked) == asked


def test_a_dead_authority_is_told_of_and_holds_up_no_other(
    stand: Stand, served: Served, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    dead, alive = fresh_name(), fresh_name()
    stamping = having(stand, clock, (dead, "http://127.0.0.1:1/"), (alive, served.url))
    size = grow(stand)
    stamping.stamp_newest()
    assert [each["authority"] for each in stamps(stand, size)] == [alive]
    said = capsys.readouterr()
    assert "timestamp.missing" in said.out + said.err
    assert "ConnectionError" in said.out + said.err


def test_who_was_asked_in_vain_is_asked_again_after_a_while(
    stand: Stand, stamping: Stamping, served: Served, clock: Clock
) -> None:
    size = grow(stand)
    served.status = 500
    stamping.stamp_newest()
    stamping.stamp_newest()
    assert len(served.asked) == 1
    served.status = 200
    clock.now += RETRY
    stamping.stamp_newest()
    assert len(served.asked) == 2
    assert len(stamps(stand, size)) == 1


def test_an_answer_to_another_question_is_not_stored(
    stand: Stand, stamping: Stamping, served: Served, clock: Clock, signing: Signing
) -> None:
    """An old answer over the same checkpoint, and a new one over another."""
    size = grow(stand)
    note = stand.client.get("/v1/log/checkpoint").data
    for token in (signing.stamp(note), signing.stamp(b"another")):
        served.bend = lambda _, token=token: token  # type: ignore[misc]
        stamping.stamp_newest()
        clock.now += RETRY
    assert len(served.asked) == 2
    assert stamps(stand, size) == []


@pytest.mark.parametrize("bent", [b"", b"rubbish", bytes(MOST_TOKEN_BYTES + 1)])
def test_what_is_no_answer_is_not_stored(
    stand: Stand, stamping: Stamping, served: Served, bent: bytes
) -> None:
    size = grow(stand)
    served.bend = lambda _: bent
    stamping.stamp_newest()
    assert stamps(stand, size) == []


def test_a_refusal_is_not_stored(stand: Stand, served: Served, clock: Clock) -> None:
    name, size = fresh_name(), grow(stand)
    served.bend = lambda _: served.authority.answer(b"rubbish")
    asking = Authorities([Authority(name, served.url)])
    tokens, missing = asking.tokens(b"note", asking.listed)
    assert (tokens, missing) == ({}, {name: "the authority refuses: rejection"})
    having(stand, clock, (name, served.url)).stamp_newest()
    assert stamps(stand, size) == []


def test_a_redirect_is_not_followed(stand: Stand, served: Served, signing: Signing) -> None:
    with serving(signing) as elsewhere:
        served.status, served.location = 307, elsewhere.url
        asking = Authorities([Authority("tsa", served.url)])
        assert asking.tokens(b"note", asking.listed) == ({}, {"tsa": "status 307"})
        assert elsewhere.asked == []


def test_an_answer_that_never_ends_is_not_waited_for(served: Served) -> None:
    """A byte now and then: no reading times out, and whoever asks goes on all the same."""
    served.drip = 0.05
    asking = Authorities([Authority("tsa", served.url)], seconds=0.5)
    began = time.monotonic()
    assert asking.tokens(b"note", asking.listed) == ({}, {"tsa": "did not end in time"})
    again = asking.tokens(b"note", asking.listed)
    assert again == ({}, {"tsa": "has not ended its last answer"})
    assert time.monotonic() - began < 3
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log_timestamp SET token = ''",
        "UPDATE log_timestamp SET note = ''",
        "DELETE FROM log_timestamp",
        "TRUNCATE log_timestamp",
    ],
)
def test_what_is_stored_is_never_changed(stand: Stand, stamping: Stamping, change: str) -> None:
    size = grow(stand)
    stamping.stamp_newest()
    before = stamps(stand, size)
    with pytest.raises(DBAPIError, match="never changed or removed"):
        run(stand, change)
    assert stamps(stand, size) == before != []


def run(stand: Stand, statement: str) -> None:
    with stand.database.transaction() as session:
        session.execute(text(statement))


def test_a_fault_of_stamping_ends_nothing(
    stand: Stand, stamping: Stamping, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as a table that is not there yet, or a right that was not granted."""
    run(stand, "ALTER TABLE log_timestamp RENAME TO elsewhere")
    try:
        stamp_newest(stamping)
    finally:
        run(stand, "ALTER TABLE elsewhere RENAME TO log_timestamp")
    said = capsys.readouterr()
    assert "log.unstamped" in said.out + said.err


def test_every_authority_of_a_size_stamps_the_same_octets(
    stand: Stand, served: Served, clock: Clock
) -> None:
    """What is published again with more cosignatures is not what was stamped."""
    first, second = fresh_name(), fresh_name()
    size = grow(stand)
    having(stand, clock, (first, served.url)).stamp_newest()
    note = stand.client.get(f"/v1/log/checkpoint/{size}").data
    cosigned = note + "— witness.example bYyjwTPdWAeu0JgV\n".encode()
    stand.sequencer.log.publish(size, cosigned)
    assert stand.client.get("/v1/log/checkpoint").data == cosigned
    having(stand, clock, (second, served.url)).stamp_newest()
    assert stand.client.get(f"/v1/log/checkpoint/{size}").data == note
    assert [each["authority"] for each in stamps(stand, size)] == [first, second]
    assert sha256(note).digest() in served.asked[-1]


def test_pages_are_whole_sizes(
    stand: Stand, stamping: Stamping, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = grow(stand)
    stamping.stamp_newest()
    clock.now += HOUR
    second = grow(stand)
    stamping.stamp_newest()
    monkeypatch.setattr("gateway.store.stamps.SIZES_A_PAGE", 1)
    page = stand.client.get(f"/v1/log/timestamps?after={first - 1}").get_json()
    assert ({each["size"] for each in page["timestamps"]}, page["next_after"]) == ({first}, first)
    page = stand.client.get(f"/v1/log/timestamps?after={first}").get_json()
    assert {each["size"] for each in page["timestamps"]} == {second}
    page = stand.client.get(f"/v1/log/timestamps?after={second}").get_json()
    assert page == {"timestamps": [], "next_after": None}


@pytest.mark.parametrize(
    "path",
    [
        "checkpoint/0",
        "checkpoint/999999999999999999",
        "checkpoint/9999999999999999999999",
        "checkpoint/-1",
        "timestamps/1/nobody",
        "timestamps/1/%00",
        "timestamps/1/..%2f..",
        f"timestamps/1/{'a' * 5000}",
    ],
)
def test_there_is_nothing_else_to_be_had(stand: Stand, path: str) -> None:
    assert stand.client.get(f"/v1/log/{path}").status_code == 404


def test_pages_begin_at_a_size(stand: Stand) -> None:
    for after in ("-1", "x", str(10**18), ""):
        answer = stand.client.get(f"/v1/log/timestamps?after={after}")
        assert answer.status_code in (400, 422)


def test_the_file_of_authorities_is_read_strictly() -> None:
    told = "# who\nfree  http://tsa.example/tsr # and where\n\nuni https://tsa.uni.example\n"
    assert read_authorities(told) == (
        Authority("free", "http://tsa.example/tsr"),
        Authority("uni", "https://tsa.uni.example"),
    )
    for wrong in (
        "",
        "# nobody\n",
        "free\n",
        "free ftp://tsa.example\n",
        "free http:///tsr\n",
        "free http://a.example more\n",
        "../free http://a.example\n",
        "free http://a.example\nfree http://b.example\n",
    ):
        with pytest.raises(SettingsRefused, match="TIMESTAMP_AUTHORITIES_FILE"):
            read_authorities(wrong)


def test_the_sequencer_asks_by_itself(
    stand: Stand, environ: dict[str, str], served: Served, tmp_path: Path
) -> None:
    file, name = tmp_path / "authorities", fresh_name()
    file.write_text(f"{name} {served.url}\ndead-{name} http://127.0.0.1:1/\n")
    size = grow(stand)
    command = [sys.executable, "-m", "gateway", "sequencer"]
    changed = {**os.environ, **environ, "TIMESTAMP_AUTHORITIES_FILE": str(file)}
    with subprocess.Popen(command, env=changed, stderr=subprocess.DEVNULL) as sequencer:
        try:
            deadline = time.monotonic() + 30
            while name not in [each["authority"] for each in stamps(stand, size)]:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            sequencer.terminate()


@contextmanager
def over_http(stand: Stand) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, stand.app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def test_auditors_take_them_away_and_hold_the_log_against_them(
    stand: Stand,
    clock: Clock,
    served: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The log holds stamps of other tests, by the same authority and by rubbish that was bent."""
    shell = Shell(monkeypatch, capsys)
    first, second = fresh_name(), fresh_name()
    size = grow(stand)
    having(stand, clock, (first, served.url)).stamp_newest()
    token = tmp_path / "token"
    token.write_text(stand.token(Role.AUDITOR))
    pinned = ("--authority", served.authority.root, "--log-key", stand.keys.folder / "log.vkey")
    with over_http(stand) as url:
        kept, log = tmp_path / "stamps", ("--url", url, "--token-file", token)
        shell.well("audit", "timestamps", "--out", kept, "--url", url)
        place = kept / str(size)
        shell.well("audit", "timestamp", place / "checkpoint", place / f"{first}.tsr", *pinned)
        having(stand, clock, (second, served.url)).stamp_newest()
        again = shell.well("audit", "timestamps", "--out", kept, "--url", url)
        assert "1 timestamps are new" in again.err
        for where in (url, kept):
            told = shell.well("audit", "verify", *log, *pinned, "--timestamps", where)
            assert re.search(rf"^stamped_last +{size} entries at ", told.out, re.MULTILINE)


def test_nothing_is_stamped_while_an_entry_waits_to_be_published(
    stand: Stand, stamping: Stamping, served: Served, clock: Clock
) -> None:
    """After an outage it would look dated back: it is older than a stamp that does not cover it."""
    grow(stand)
    stand.sender(POLICE)
    clock.now = datetime.now(UTC) + LONGEST_WAIT
    stamping.stamp_newest()
    assert served.asked == []
    note = stand.client.get("/v1/log/checkpoint").data
    stand.sequencer.log.publish(claimed_checkpoint(note).size, note)
    stand.sequence()
    stamping.stamp_newest()
    assert served.asked == [], "sequenced, and not published"
    publish_newest(stand.sequencer.log, None)
    stamping.stamp_newest()
    assert len(served.asked) == 1
