"""`gateway audit` and timestamps of a real authority: one token, and a log held against many."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.export import export_tiles
from audit.tiles import StoreSource
from gateway.cli import failures
from tests.audit.memory_store import MemoryStore
from tests.audit.peers.authority import Authority
from tests.audit.samples import OTHER_KEY, SIGNER, event, id_at
from tests.audit.test_replay import rewritten
from tests.gateway.cli.scripted import Answer, scripted
from tests.gateway.cli.shell import Done, Shell

KEY = ("--log-key", SIGNER.vkey)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


def dated(*hours: float) -> list[bytes]:
    """Entries of so many hours from now, with ids that fit."""
    now = datetime.now(UTC).replace(microsecond=0)
    times = [now + each * HOUR for each in hours]
    return [event(n, time=at, event_id=id_at(at, n)).to_bytes() for n, at in enumerate(times)]


@dataclass
class Case:
    """A log in a folder, and timestamps in another."""

    shell: Shell
    authority: Authority
    folder: Path

    def log(self, store: MemoryStore, name: str = "log") -> Path:
        export_tiles(StoreSource(store), self.folder / name)
        return self.folder / name

    def stamp(self, store: MemoryStore, *, by: Authority | None = None, name: str = "tsa") -> Path:
        """Have the newest checkpoint stamped, now."""
        note = store.checkpoints[-1]
        place = self.folder / "stamps" / str(len(store.leaves))
        place.mkdir(parents=True, exist_ok=True)
        (place / "checkpoint").write_bytes(note)
        (place / f"{name}.tsr").write_bytes((by or self.authority).stamp(note))
        return place

    def remove_stamps(self) -> None:
        for file in (self.folder / "stamps").rglob("*.tsr"):
            file.unlink()

    def verify(self, log: Path, *options: object) -> tuple[object, ...]:
        stamps = ("--timestamps", self.folder / "stamps", "--authority", self.authority.root)
        return ("audit", "verify", "--folder", log, *KEY, *stamps, *options)

    def codes(self, log: Path) -> list[tuple[int, str]]:
        """What verifying finds, which must be something."""
        done = self.shell(*self.verify(log), "--json")
        assert done.status == failures.IN_PART, done
        return [(each["entry"], each["code"]) for each in done.json()["findings"]]


@pytest.fixture
def case(shell: Shell, authority: Authority, tmp_path: Path) -> Case:
    return Case(shell, authority, tmp_path)


class TestOne:
    def test_it_is_said_how_long_the_log_was_and_when(self, case: Case) -> None:
        place = case.stamp(rewritten(dated(-2, -1, 0)))
        command = ("audit", "timestamp", place / "checkpoint", place / "tsa.tsr", *KEY)
        done = case.shell.well(*command, "--authority", case.authority.root)
        assert "This log had these 3 entries at 20" in done.err
        told = case.shell.well(*command, "--authority", case.authority.root, "--json").json()
        assert (told["entries"], told["log"], told["verified"]) == (3, SIGNER.name, True)
        assert abs(datetime.fromisoformat(told["stamped"]) - datetime.now(UTC)) < HOUR

    def test_what_is_not_proven_is_not_said(self, case: Case, tmp_path: Path) -> None:
        place = case.stamp(rewritten(dated(-2, -1, 0)))
        note, token = place / "checkpoint", place / "tsa.tsr"
        other = Authority.make(tmp_path / "other")
        later = case.stamp(rewritten(dated(-2, -1, 0, 0)))
        root = ("--authority", case.authority.root)
        for wrong, code in (
            ((note, token, *KEY, "--authority", other.root), "timestamp-refused"),
            ((later / "checkpoint", token, *KEY, *root), "timestamp-refused"),
            ((note, note, *KEY, *root), "timestamp-refused"),
            ((note, token, "--log-key", OTHER_KEY.vkey, *root), "note-untrusted"),
        ):
            done = case.shell.fails(failures.UNTRUSTED, "audit", "timestamp", *wrong)
            assert (done.out, f"[{code}]" in done.err) == ("", True)
        nobody = ("audit", "timestamp", note, token, *KEY)
        case.shell.fails(failures.USAGE, *nobody)
        done = case.shell.fails(failures.FAILED, *nobody, "--authority", note)
        assert "[key-refused]" in done.err


class TestMonitor:
    def look(self, case: Case, log: Path, *options: object) -> Done:
        stamps = ("--timestamps", case.folder / "stamps", "--authority", case.authority.root)
        state = ("--state", case.folder / "watch")
        return case.shell(
            "audit", "monitor", "--once", *state, "--folder", log, *KEY, *stamps, *options
        )

    def test_what_is_stamped_in_time_is_told_and_remembered(self, case: Case) -> None:
        entries = dated(-3, -2, -1, 0, 0)
        for size in (3, 4, 5):
            case.stamp(rewritten(entries[:size]))
            done = self.look(case, case.log(rewritten(entries[:size])))
            assert done.status == 0, done
            assert f"verified up to {size} entries, stamped up to {size} at 20" in done.err
            (case.folder / "watch/seen-at").write_text("2026-01-05T09:30:00+00:00")
            case.remove_stamps()  # none of them is read a second time
        assert self.look(case, case.log(rewritten(entries))).status == 0

    @pytest.mark.parametrize("waits", [1, 3])
    def test_late_stamps_are_told_at_every_look_until_there_is_one(
        self, case: Case, waits: int
    ) -> None:
        entries = dated(-9, -9, -waits)
        case.stamp(rewritten(entries[:2]))
        assert self.look(case, case.log(rewritten(entries[:2]))).status == 0
        (case.folder / "watch/seen-at").write_text("2026-01-05T09:30:00+00:00")
        (case.folder / "watch/stamped").write_text("2 2026-01-05T09:30:00+00:00")
        log, heard = case.log(rewritten(entries)), case.folder / "heard"
        for _ in range(2):
            done = self.look(case, log, "--exec", f"sh -c 'cat >> {heard}'")
            assert done.status == (failures.IN_PART if waits > 2 else 0)
        if waits > 2:
            said = (
                "timestamps are late: the newest, of 2026-01-05T09:30:00+00:00, is not over entry 2"
            )
            assert heard.read_text().count(said) == 2
        assert self.look(case, log, "--stamped-within", 3500).status == failures.IN_PART
        case.stamp(rewritten(entries))
        assert self.look(case, log).status == 0

    def test_a_log_that_nobody_touched_since_its_stamp_is_not_late(self, case: Case) -> None:
        log = case.log(rewritten(dated(-90, -80)))
        case.stamp(rewritten(dated(-90, -80)))
        assert self.look(case, log).status == 0
        assert self.look(case, log).status == 0

    def test_missing_stamps_are_told_and_the_log_is_watched_all_the_same(
        self, case: Case, tmp_path: Path
    ) -> None:
        store = rewritten(dated(-9, -1))
        log = case.log(store)
        (case.folder / "stamps").mkdir()
        done = self.look(case, log)
        assert done.status == failures.IN_PART
        assert "ALARM: timestamps are missing: none that verifies is over entry 0 of 20" in done.err
        case.stamp(store, by=Authority.make(tmp_path / "x"), name="x")
        done = self.look(case, log)
        assert done.status == failures.IN_PART
        assert "timestamp of 2 entries by x: the timestamp does not verify" in done.err
        assert "timestamps are missing" in done.err
        assert (case.folder / "watch/checkpoint").read_bytes() == store.checkpoints[-1]

    def test_stamps_that_cannot_be_read_hide_nothing(self, case: Case) -> None:
        """Neither that they are missing, nor what is wrong with the log."""
        store = rewritten(dated(-9, -1))
        log = case.log(store)
        with scripted(*[Answer(status=404, body=b"{}")] * 4) as server:
            nowhere = ("--timestamps", server.url)
            done = self.look(case, log, *nowhere)
            assert done.status == failures.IN_PART
            assert "Timestamps cannot be read." in done.err
            assert "ALARM: timestamps are missing" in done.err
            assert (case.folder / "watch/checkpoint").read_bytes() == store.checkpoints[-1]
            assert self.look(case, log, *nowhere, "--stamped-within", 99999).status == 0
            (log / "checkpoint").write_bytes(rewritten(dated(-8, -2)).checkpoints[-1])
            assert self.look(case, log, *nowhere).status == failures.UNTRUSTED

    def test_a_young_log_may_have_none_yet(self, case: Case) -> None:
        (case.folder / "stamps").mkdir()
        assert self.look(case, case.log(rewritten(dated(-1, 0)))).status == 0

    @pytest.mark.parametrize("looks", [1, 2])
    def test_entries_dated_back_behind_a_stamp_are_found(self, case: Case, looks: int) -> None:
        """By a new stamp, or by the one that was the newest at the look before."""
        entries = dated(-3, -3, -3, -2, -1)
        case.stamp(rewritten(entries[:3]))
        if looks == 2:
            assert self.look(case, case.log(rewritten(entries[:3]))).status == 0
            (case.folder / "watch/seen-at").write_text("2026-01-05T09:30:00+00:00")
        done = self.look(case, case.log(rewritten(entries)))
        assert done.status == failures.IN_PART
        assert "entry 3: time-before-stamp" in done.err

    def test_a_stamp_over_another_history_than_was_watched_is_found(self, case: Case) -> None:
        """The watcher has verified one, and another one of the same key was stamped."""
        log = case.log(rewritten(dated(-3, -3, -2, -1)))
        (case.folder / "stamps").mkdir()
        assert self.look(case, log, "--stamped-within", 99999).status == 0
        case.stamp(rewritten(dated(-3, -2.9, -2)))
        for _ in range(2):
            done = self.look(case, log)
            assert done.status == failures.UNTRUSTED
            assert "the first 3 entries are not those of the checkpoint" in done.err
        kit = case.folder / "watch/evidence"
        told = case.shell.well("audit", "convict", kit, *KEY, "--json").json()
        assert told["proven"] == "rewritten"
        assert not (case.folder / "watch/stamped").exists()

    def test_a_damaged_memory_of_stamps_is_no_first_time(self, case: Case) -> None:
        store = rewritten(dated(-1))
        log = case.log(store)
        case.stamp(store)
        assert self.look(case, log).status == 0
        (case.folder / "watch/stamped").write_text("nonsense")
        assert "[evidence-refused]" in self.look(case, log).err

    def test_roots_are_asked_for_at_once(self, shell: Shell, tmp_path: Path) -> None:
        watching = ("--state", tmp_path, "--folder", tmp_path, "--timestamps", tmp_path)
        shell.fails(failures.USAGE, "audit", "monitor", *watching, *KEY)

    def test_only_newer_stamps_are_asked_of_a_gateway(self, case: Case) -> None:
        store = rewritten(dated(-1))
        log = case.log(store)
        case.stamp(store)
        assert self.look(case, log).status == 0
        answer = Answer(body=b'{"timestamps": []}', headers={"Content-Type": "application/json"})
        with scripted(answer) as server:
            done = self.look(case, log, "--timestamps", server.url)
            assert done.status == 0
            assert [each.path for each in server.asked] == ["/v1/log/timestamps?after=1"]


class TestAll:
    def test_an_honest_log_lies_between_its_stamps(self, case: Case) -> None:
        entries = dated(-2, -1, 0, 0.01, 0.02)
        case.stamp(rewritten(entries[:3]))
        case.stamp(rewritten(entries))
        told = case.shell.well(*case.verify(case.log(rewritten(entries))), "--json").json()
        assert (told["timestamps"], told["findings"]) == (2, [])
        assert told["stamped_first"].startswith("3 entries at ")
        assert told["stamped_last"].startswith("5 entries at ")

    def test_entries_dated_back_behind_a_stamp_are_found(self, case: Case) -> None:
        """Whole and signed, in order of time, with ids that fit: only the stamp says otherwise."""
        entries = dated(-3, -3, -3, -2, -1)
        case.stamp(rewritten(entries[:3]))
        log = case.log(rewritten(entries))
        assert case.codes(log) == [(3, "time-before-stamp"), (4, "time-before-stamp")]
        case.shell.well("audit", "verify", "--folder", log, *KEY)

    def test_entries_from_the_future_of_a_stamp_are_found(self, case: Case) -> None:
        entries = dated(-1, 1)
        case.stamp(rewritten(entries))
        assert (1, "time-after-stamp") in case.codes(case.log(rewritten(entries)))

    def test_a_second_history_does_not_fit_what_was_stamped(
        self, case: Case, tmp_path: Path
    ) -> None:
        """Signed with the log's own key, with the old times: and a folder convicts it."""
        case.stamp(rewritten(dated(-3, -3, -3)))
        forged = case.log(rewritten(dated(-3, -3, -2.9, 0)))
        done = case.shell(*case.verify(forged, "--evidence", tmp_path / "kit"))
        assert done.status == failures.UNTRUSTED
        assert "are not those of the checkpoint" in done.err
        told = case.shell.well("audit", "convict", tmp_path / "kit", *KEY, "--json").json()
        assert told["proven"] == "rewritten"

    def test_a_log_cut_short_of_what_was_stamped_is_found(self, case: Case) -> None:
        entries = dated(-3, -2, -1)
        case.stamp(rewritten(entries))
        done = case.shell.fails(failures.UNTRUSTED, *case.verify(case.log(rewritten(entries[:2]))))
        assert "shorter than it once was" in done.err

    def test_a_token_that_proves_nothing_is_told_of_and_proves_nothing(
        self, case: Case, tmp_path: Path
    ) -> None:
        """An unpinned authority's, which would find the last entry dated back if it counted."""
        entries = dated(-3, -2)
        case.stamp(rewritten(entries))
        case.stamp(rewritten(entries[:1]), by=Authority.make(tmp_path / "x"), name="x")
        log = case.log(rewritten(entries))
        done = case.shell(*case.verify(log), "--json")
        assert done.status == failures.IN_PART
        assert (done.json()["timestamps"], done.json()["findings"]) == (1, [])
        assert "timestamp of 1 entries by x: the timestamp does not verify" in done.err

    def test_where_no_token_verifies_nothing_does(self, case: Case, tmp_path: Path) -> None:
        store = rewritten(dated(-1))
        log = case.log(store)
        (case.folder / "stamps").mkdir()
        done = case.shell.fails(failures.UNTRUSTED, *case.verify(log))
        assert "there is no timestamp" in done.err
        case.stamp(store, by=Authority.make(tmp_path / "x"))
        done = case.shell.fails(failures.UNTRUSTED, *case.verify(log))
        assert "[timestamp-refused]" in done.err

    def test_a_stamped_note_of_another_key_is_not_passed_over(self, case: Case) -> None:
        store = rewritten(dated(-1))
        case.stamp(store)
        command = list(case.verify(case.log(store)))
        command[command.index(SIGNER.vkey)] = OTHER_KEY.vkey
        assert "[note-untrusted]" in case.shell.fails(failures.UNTRUSTED, *command).err

    def test_a_folder_that_lacks_a_note_is_refused(self, case: Case) -> None:
        store = rewritten(dated(-1))
        (case.stamp(store) / "checkpoint").unlink()
        done = case.shell.fails(failures.UNTRUSTED, *case.verify(case.log(store)))
        assert "is not there" in done.err


class TestGateways:
    """Lists that a good gateway never gives."""

    @pytest.mark.parametrize(
        "listed",
        [
            [{"size": 3, "authority": "../../x"}],
            [{"size": "3", "authority": "x"}],
            [{"size": 0, "authority": "x"}],
            [{"size": 3, "authority": "x"}, {"size": 2, "authority": "x"}],
            ["x"],
            "x",
        ],
    )
    def test_a_malformed_list_is_refused(
        self, shell: Shell, tmp_path: Path, listed: object
    ) -> None:
        body = json.dumps({"timestamps": listed}).encode()
        headers = {"Content-Type": "application/json"}
        with scripted(Answer(body=body, headers=headers)) as server:
            command = ("audit", "timestamps", "--out", tmp_path / "out", "--url", server.url)
            done = shell.fails(failures.UNTRUSTED, *command)
        assert "[timestamp-refused]" in done.err
        assert [file.name for file in tmp_path.iterdir()] in ([], ["out"])

    def test_a_list_that_never_ends_is_not_followed(self, shell: Shell, tmp_path: Path) -> None:
        body = json.dumps({"timestamps": [{"size": 3, "authority": "x"}]}).encode()
        headers = {"Content-Type": "application/json"}
        with scripted(Answer(body=body, headers=headers)) as server:
            command = ("audit", "timestamps", "--out", tmp_path / "out", "--url", server.url)
            assert "runs back" in shell.fails(failures.UNTRUSTED, *command).err

    def test_the_access_token_goes_to_its_own_gateway_alone(self, case: Case) -> None:
        log = case.log(rewritten(dated(-1)))
        answer = Answer(body=b'{"timestamps": []}', headers={"Content-Type": "application/json"})
        with scripted(answer) as server:
            command = ("audit", "verify", "--folder", log, *KEY, "--timestamps", server.url)
            pinned = ("--authority", case.authority.root)
            case.shell.fails(failures.UNTRUSTED, *command, *pinned, GATEWAY_TOKEN="ctds_secret")
            assert len(server.asked) == 1
            assert all("Authorization" not in each.headers for each in server.asked)
