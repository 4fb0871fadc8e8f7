"""`gateway audit` at an auditor's desk: mirrors, proofs, exports, rotation, monitor, evidence."""

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.actions import Action
from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.entry import Entry
from audit.export import export_tiles
from audit.fields import PATTERNS
from audit.keys import Signer
from audit.merkle import verify_consistency
from audit.ocsf import MAPPED, to_ocsf
from audit.tiles import StoreSource
from audit.watch import Seen, WatchMemory
from gateway.cli import failures
from tests.audit.memory_store import MemoryStore
from tests.audit.samples import ORIGIN, OTHER_KEY, SIGNER, START, event, fill, id_at, log_of
from tests.audit.test_replay import rewritten
from tests.gateway.cli.scripted import Answer, scripted
from tests.gateway.cli.shell import Done, Shell
from tests.gateway.cli.static import mirrored

KEY = ("--log-key", SIGNER.vkey)


@pytest.fixture
def store() -> MemoryStore:
    return log_of(300, 600)


@pytest.fixture
def log(store: MemoryStore, tmp_path: Path) -> Path:
    export_tiles(StoreSource(store), tmp_path / "log")
    return tmp_path / "log"


def past(*numbers: range) -> MemoryStore:
    return rewritten([event(number).to_bytes() for some in numbers for number in some])


def exported(store: MemoryStore, folder: Path) -> Path:
    export_tiles(StoreSource(store), folder)
    return folder


def kept(note: bytes, folder: Path, name: str = "kept") -> Path:
    (folder / name).write_bytes(note)
    return folder / name


class TestKeptCheckpoints:
    """`--since` with a folder of them, as a mirror has it."""

    @pytest.fixture
    def folder(self, store: MemoryStore, tmp_path: Path) -> Path:
        folder = tmp_path / "checkpoints"
        folder.mkdir()
        for number, note in enumerate(store.checkpoints):
            kept(note, folder, f"{number}")
        return folder

    def test_the_log_is_held_to_each(self, shell: Shell, log: Path, folder: Path) -> None:
        command = ("audit", "verify", "--folder", log, *KEY, "--since", folder)
        assert shell.well(*command, "--json").json()["extends"] == 600
        kept(sign_checkpoint(Checkpoint(ORIGIN, 450, bytes(32)), SIGNER), folder, "450")
        assert "first 450 entries" in shell.fails(failures.UNTRUSTED, *command).err

    def test_an_empty_folder_holds_it_to_nothing_and_is_refused(
        self, shell: Shell, log: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "empty").mkdir()
        command = ("audit", "verify", "--folder", log, *KEY, "--since", tmp_path / "empty")
        assert "no checkpoint" in shell.fails(failures.USAGE, *command).err


class TestMirrors:
    def test_a_mirror_of_static_files_is_verified(self, shell: Shell, log: Path) -> None:
        with mirrored(log) as mirror:
            told = shell.well("audit", "verify", "--mirror", mirror.url, *KEY, "--json").json()
            assert (told["entries"], told["verified"]) == (600, True)
            # A mirror learns nothing but which files were read.
            assert len(mirror.asked) == len(set(mirror.asked))

    def test_several_files_are_asked_for_at_once_where_answers_are_slow(
        self, shell: Shell, tmp_path: Path
    ) -> None:
        log = exported(log_of(5_000), tmp_path / "log")
        with mirrored(log, delay=0.05) as mirror:
            shell.well("audit", "verify", "--mirror", mirror.url, *KEY)
            assert 3 <= mirror.most_at_once <= 8

    def test_every_reader_has_the_address_and_token_of_the_command(
        self, shell: Shell, store: MemoryStore, tmp_path: Path
    ) -> None:
        fill(store, 600, 3_000)
        exported(store, tmp_path / "v1/log")
        with mirrored(tmp_path) as gateway:
            given = {"GATEWAY_URL": gateway.url, "GATEWAY_TOKEN": "ctds_token"}
            told = shell.well("audit", "verify", *KEY, "--json", **given).json()
            assert told["entries"] == 3_000
            assert set(gateway.tokens) == {"Bearer ctds_token"}
            assert len(gateway.tokens) == len(gateway.asked)
        # A mirror is anybody's: it never sees the token.
        with mirrored(tmp_path / "v1/log") as mirror:
            shell.well("audit", "verify", *KEY, "--mirror", mirror.url, GATEWAY_TOKEN="ctds_token")
            assert set(mirror.tokens) == {None}

    @pytest.mark.parametrize("lie", ["entry", "tile", "checkpoint"])
    def test_a_mirror_that_lies_is_found_out(self, shell: Shell, log: Path, lie: str) -> None:
        if lie == "checkpoint":
            head = Checkpoint(ORIGIN, 600, bytes(32))
            (log / "checkpoint").write_bytes(sign_checkpoint(head, OTHER_KEY))
        else:
            file = log / {"entry": "tile/entries/001", "tile": "tile/0/001"}[lie]
            data = file.read_bytes()
            file.write_bytes(data[:99] + bytes([data[99] ^ 1]) + data[100:])
        with mirrored(log) as mirror:
            command = ("audit", "verify", "--mirror", mirror.url, *KEY)
            shell.fails(failures.UNTRUSTED, *command)

    def test_a_mirror_cannot_send_without_end_or_elsewhere(self, shell: Shell) -> None:
        command = ("audit", "verify", *KEY, "--mirror")
        with scripted(Answer(body=b"x" * 400_000)) as server:
            done = shell.fails(failures.UNTRUSTED, *command, server.url)
            assert "[tile-refused]" in done.err
        with scripted(Answer(status=302, headers={"Location": "http://127.0.0.1:1/"})) as server:
            shell.fails(failures.UNREACHABLE, *command, server.url)
        with scripted(Answer(status=500)) as server:
            shell.fails(failures.UNREACHABLE, *command, server.url)
            assert len(server.asked) == 4

    @pytest.mark.parametrize("url", ["file:///etc", "ftp://x/", "example.org", ""])
    def test_a_mirror_has_a_web_address(self, shell: Shell, url: str) -> None:
        shell.fails(failures.USAGE, "audit", "verify", "--mirror", url, *KEY)

    def test_a_cache_is_continued(self, shell: Shell, log: Path, tmp_path: Path) -> None:
        command = ("audit", "verify", *KEY, "--cache", tmp_path / "cache", "--mirror")
        with mirrored(log) as mirror:
            shell.well(*command, mirror.url)
        with mirrored(log) as mirror:
            shell.well(*command, mirror.url)
            assert not [path for path in mirror.asked if ".p/" not in path and "tile" in path]


class TestProofs:
    def test_a_proof_of_inclusion_is_a_receipt(
        self, shell: Shell, log: Path, tmp_path: Path
    ) -> None:
        proof = shell.well("audit", "prove", "inclusion", 300, "--folder", log, *KEY).out
        assert proof.startswith("c2sp.org/tlog-proof@v1\nextra ")
        file = kept(proof.encode(), tmp_path, "r.tlog-proof")
        told = shell.well("receipt", "verify", file, *KEY, "--json").json()
        assert told["entry"] == "300 of 600"

    def test_a_proof_of_consistency_verifies(
        self, shell: Shell, log: Path, store: MemoryStore
    ) -> None:
        told = shell.well("audit", "prove", "consistency", 300, 600, "--folder", log, *KEY).json()
        old, new = (Checkpoint.verify(n, verifier=SIGNER.verifier) for n in store.checkpoints)
        proof = [bytes.fromhex(digest) for digest in told["proof"]]
        verify_consistency(proof, old_size=300, new_size=600, old_root=old.root, new_root=new.root)
        inner = shell.well("audit", "prove", "consistency", 100, 300, "--folder", log, *KEY).json()
        assert inner["second_root"] == old.root.hex()

    @pytest.mark.parametrize("what", [("inclusion", 300), ("consistency", 300, 599)])
    def test_no_proof_is_printed_that_does_not_hold(
        self, shell: Shell, log: Path, what: tuple[object, ...]
    ) -> None:
        tile = log / "tile/0/001"
        tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
        done = shell.fails(failures.UNTRUSTED, "audit", "prove", *what, "--folder", log, *KEY)
        assert (done.out, "[proof-refused]" in done.err) == ("", True)

    @pytest.mark.parametrize(
        "what", [("inclusion", 600), ("consistency", 301, 300), ("consistency", 1, 601)]
    )
    def test_what_was_never_signed_is_not_proven(
        self, shell: Shell, log: Path, what: tuple[object, ...]
    ) -> None:
        assert shell("audit", "prove", *what, "--folder", log, *KEY).status != 0


class TestExports:
    def lines(self, shell: Shell, log: Path, form: str, out: Path) -> list[str]:
        shell.well("audit", "export", "--format", form, "--out", out, "--folder", log, *KEY)
        return out.read_text().splitlines()

    def test_json_lines_are_the_entries_themselves(
        self, shell: Shell, log: Path, store: MemoryStore, tmp_path: Path
    ) -> None:
        lines = self.lines(shell, log, "jsonl", tmp_path / "log.jsonl")
        assert [line.encode() for line in lines] == [entry for entry, _ in store.leaves]

    def test_a_table_has_every_field(self, shell: Shell, log: Path, tmp_path: Path) -> None:
        header, *rows = csv.reader(self.lines(shell, log, "csv", tmp_path / "log.csv"))
        assert len(rows) == 600
        found = dict(zip(header, rows[300], strict=True))
        assert found["index"] == "300"
        assert found["event_id"] == event(300).event_id
        assert found["time"] == "2026-01-05T09:30:00.300Z"
        assert found["error_code"] == ""

    def test_ocsf_has_one_event_an_entry(self, shell: Shell, log: Path, tmp_path: Path) -> None:
        events = [json.loads(line) for line in self.lines(shell, log, "ocsf", tmp_path / "o")]
        assert len(events) == 600
        assert events[300]["metadata"]["uid"] == event(300).event_id
        assert events[300]["type_uid"] == 600601

    @pytest.mark.parametrize("form", ["jsonl", "csv", "ocsf"])
    def test_nothing_unverified_is_exported_as_lines(
        self, shell: Shell, log: Path, tmp_path: Path, form: str
    ) -> None:
        tile = log / "tile/1/000.p/2"
        tile.write_bytes(bytes(64))
        command = ("audit", "export", "--format", form, "--folder", log, "--out", tmp_path / "out")
        shell.fails(failures.USAGE, *command)
        shell.fails(failures.UNTRUSTED, *command, *KEY)
        assert [file.name for file in tmp_path.iterdir()] == ["log"]

    def test_no_file_is_overwritten(self, shell: Shell, log: Path, tmp_path: Path) -> None:
        out = kept(b"mine", tmp_path, "out")
        command = ("audit", "export", "--format", "csv", "--folder", log, "--out", out, *KEY)
        shell.fails(failures.FAILED, *command)
        assert out.read_bytes() == b"mine"

    def test_tiles_of_a_mirror_are_taken_away(
        self, shell: Shell, log: Path, tmp_path: Path
    ) -> None:
        with mirrored(log) as mirror:
            shell.well("audit", "export", "--mirror", mirror.url, "--out", tmp_path / "copy")
        shell.well("audit", "verify", "--folder", tmp_path / "copy", *KEY)


class TestEvidence:
    def test_a_rewritten_log_is_convicted(self, shell: Shell, tmp_path: Path) -> None:
        forged = exported(past(range(200), range(700, 1_200)), tmp_path / "forged")
        since = [kept(log_of(size).checkpoints[-1], tmp_path, str(size)) for size in (150, 300)]
        command = ["audit", "verify", "--folder", forged, *KEY, "--evidence", tmp_path / "kit"]
        for file in since:
            command += ["--since", file]
        done = shell(*command)
        assert done.status == failures.UNTRUSTED
        assert "its first 150 are what was signed before" in done.err
        told = shell.well("audit", "convict", tmp_path / "kit", *KEY, "--json").json()
        assert (told["proven"], len(told["signed"])) == ("rewritten", 2)

    def test_evidence_is_not_believed_against_another_log(
        self, shell: Shell, tmp_path: Path
    ) -> None:
        forged = exported(past(range(599), range(700, 701)), tmp_path / "forged")
        since = kept(log_of(600).checkpoints[-1], tmp_path)
        options = ("--since", since, "--evidence", tmp_path / "kit")
        assert shell("audit", "verify", "--folder", forged, *KEY, *options).status == 6
        shell.well("audit", "convict", tmp_path / "kit", *KEY)
        other = ("--log-key", OTHER_KEY.vkey)
        shell.fails(failures.UNTRUSTED, "audit", "convict", tmp_path / "kit", *other)
        (tmp_path / "kit" / "one.checkpoint").write_bytes(
            (tmp_path / "kit" / "other.checkpoint").read_bytes()
        )
        done = shell.fails(failures.UNTRUSTED, "audit", "convict", tmp_path / "kit", *KEY)
        assert "[accusation-refused]" in done.err

    def test_a_damaged_folder_accuses_nobody(self, shell: Shell, log: Path, tmp_path: Path) -> None:
        (log / "tile/1/000.p/2").write_bytes(bytes(64))
        command = ("audit", "verify", "--folder", log, *KEY, "--evidence", tmp_path / "kit")
        done = shell(*command)
        assert done.status == failures.UNTRUSTED
        assert "no evidence was written" in done.err
        assert not (tmp_path / "kit").exists()

    def test_times_that_cannot_be_true_are_told_and_counted(
        self, shell: Shell, tmp_path: Path
    ) -> None:
        hour = timedelta(hours=1)
        entries = [event(number).to_bytes() for number in range(9)]
        back = event(9, time=START - hour, event_id=id_at(START - hour, 9))
        ahead = datetime.now(UTC).replace(microsecond=0) + hour
        future = event(10, time=ahead, event_id=id_at(ahead, 10))
        forged = rewritten([*entries, back.to_bytes(), future.to_bytes()])
        log = exported(forged, tmp_path / "log")
        done = shell("audit", "verify", "--folder", log, *KEY, "--json")
        assert done.status == failures.IN_PART
        assert [(one["entry"], one["code"]) for one in done.json()["findings"]] == [
            (9, "time-runs-back"),
            (10, "time-ahead"),
        ]
        assert "entry 9: time-runs-back" in shell("audit", "verify", "--folder", log, *KEY).err


class TestRotation:
    def rotated(
        self, shell: Shell, tmp_path: Path, store: MemoryStore, old: Signer = SIGNER
    ) -> Done:
        folder = tmp_path / "old"
        folder.mkdir(exist_ok=True)
        skey = kept(f"{old.skey()}\n".encode(), folder, "log.skey")
        skey.chmod(0o600)
        keys = kept(f"{SIGNER.vkey}\n".encode(), folder, "log.vkey")
        head = kept(store.checkpoints[-1], folder, "checkpoint")
        options = ("--old", skey, "--keys", keys, "--checkpoint", head, "--out", tmp_path / "new")
        return shell("audit", "rotate-key", *options)

    def test_a_log_is_verified_across_a_rotation(
        self, shell: Shell, tmp_path: Path, store: MemoryStore
    ) -> None:
        assert self.rotated(shell, tmp_path, store).status == 0
        new = Signer.from_skey((tmp_path / "new/log.skey").read_text().strip())
        assert (tmp_path / "new/log.skey").stat().st_mode & 0o077 == 0
        head = Checkpoint.verify(store.checkpoints[-1], verifier=SIGNER.verifier)
        store.checkpoints.append(sign_checkpoint(head, new))
        fill(store, 600, 700, signer=new)
        log = exported(store, tmp_path / "log")
        pinned = ("--log-key", tmp_path / "new/log.keys")
        since = kept(store.checkpoints[0], tmp_path)
        shell.well("audit", "verify", "--folder", log, *pinned, "--since", since)
        # Who has not heard of the new key does not believe it because the log shows it.
        shell.fails(failures.UNTRUSTED, "audit", "verify", "--folder", log, *KEY)

    def test_the_retired_key_signs_nothing_more(
        self, shell: Shell, tmp_path: Path, store: MemoryStore
    ) -> None:
        self.rotated(shell, tmp_path, store)
        fill(store, 600, 700)
        log = exported(store, tmp_path / "log")
        command = ("audit", "verify", "--folder", log, "--log-key", tmp_path / "new/log.keys")
        assert "[checkpoint-refused]" in shell.fails(failures.UNTRUSTED, *command).err

    def test_a_stranger_cannot_hand_over(
        self, shell: Shell, tmp_path: Path, store: MemoryStore
    ) -> None:
        done = self.rotated(shell, tmp_path, store, old=OTHER_KEY)
        assert done.status != 0
        assert not (tmp_path / "new").exists()

    def test_a_key_that_others_can_read_is_not_used(
        self, shell: Shell, tmp_path: Path, store: MemoryStore
    ) -> None:
        self.rotated(shell, tmp_path, store)
        (tmp_path / "old/log.skey").chmod(0o644)
        options = ("--keys", tmp_path / "old/log.vkey", "--checkpoint", tmp_path / "old/checkpoint")
        command = ("audit", "rotate-key", "--old", tmp_path / "old/log.skey", *options)
        shell.fails(failures.FAILED, *command, "--out", tmp_path / "other")


class TestMonitor:
    def look(self, shell: Shell, log: Path, state: Path, *options: object) -> Done:
        command = ("audit", "monitor", "--once", "--state", state, "--folder", log, *KEY)
        return shell(*command, *options)

    def in_january(self, state: Path) -> None:
        """Let the last look have been when the sample events happened."""
        (state / "seen-at").write_text(START.isoformat())

    def test_it_remembers_and_reads_on(
        self, shell: Shell, store: MemoryStore, log: Path, tmp_path: Path
    ) -> None:
        state = tmp_path / "state"
        for size in (600, 600, 900):
            fill(store, len(store.leaves), size)
            exported(store, log)
            assert self.look(shell, log, state).status == 0
            assert (state / "checkpoint").read_bytes() == store.checkpoints[-1]
            self.in_january(state)

    def test_what_was_read_before_is_not_read_again(
        self, shell: Shell, store: MemoryStore, log: Path, tmp_path: Path
    ) -> None:
        state = tmp_path / "state"
        fill(store, 600, 3_000)
        exported(store, log)
        command = ("audit", "monitor", "--once", "--state", state, *KEY, "--mirror")
        with mirrored(log) as mirror:
            shell.well(*command, mirror.url)
        self.in_january(state)
        fill(store, 3_000, 3_010)
        exported(store, log)
        with mirrored(log) as mirror:
            shell.well(*command, mirror.url)
            assert len(mirror.asked) < 12

    @pytest.mark.parametrize(
        ("forged", "words"),
        [
            (past(range(500), range(700, 900)), "first 600 entries"),
            (past(range(599), range(700, 701)), "two roots for one size"),
            (past(range(500)), "shorter"),
        ],
    )
    def test_it_shouts_and_says_it_again_until_somebody_acts(
        self,
        shell: Shell,
        log: Path,
        store: MemoryStore,
        tmp_path: Path,
        forged: MemoryStore,
        words: str,
    ) -> None:
        state, heard = tmp_path / "state", tmp_path / "heard"
        assert self.look(shell, log, state).status == 0
        bad = exported(forged, tmp_path / "bad")
        for _ in range(2):
            alarm = f"sh -c 'cat >> {heard}'"
            done = self.look(shell, bad, state, "--exec", alarm)
            assert done.status == failures.UNTRUSTED
            assert "ALARM" in done.err
            # The checkpoint that convicts is still there.
            assert (state / "checkpoint").read_bytes() == store.checkpoints[-1]
        assert heard.read_text().count(words) == 2
        if words != "shorter":
            shell.well("audit", "convict", state / "evidence", *KEY)

    def test_entries_dated_back_before_the_last_look_are_found(
        self, shell: Shell, store: MemoryStore, log: Path, tmp_path: Path
    ) -> None:
        state = tmp_path / "state"
        assert self.look(shell, log, state).status == 0
        # It was seen now; an entry that is added afterwards cannot have happened in January.
        fill(store, 600, 601)
        exported(store, log)
        done = self.look(shell, log, state)
        assert done.status == failures.IN_PART
        assert "entry 600: time-before-checkpoint" in done.err
        assert self.look(shell, log, state).status == 0

    def test_a_log_that_does_not_answer_is_not_all_well(self, shell: Shell, tmp_path: Path) -> None:
        command = ("audit", "monitor", "--once", "--state", tmp_path, *KEY)
        shell.fails(failures.UNREACHABLE, *command, "--mirror", "http://127.0.0.1:1")

    def test_it_never_asks_hot(self, shell: Shell, log: Path, tmp_path: Path) -> None:
        command = ("audit", "monitor", "--state", tmp_path, "--folder", log, *KEY)
        shell.fails(failures.USAGE, *command, "--interval", 1)

    def test_a_memory_that_was_damaged_is_no_first_time(
        self, shell: Shell, log: Path, tmp_path: Path
    ) -> None:
        state = tmp_path / "state"
        assert self.look(shell, log, state).status == 0
        (state / "seen-at").write_text("yesterday")
        assert self.look(shell, log, state).status == failures.UNTRUSTED
        (state / "seen-at").write_text("2026-01-05T09:30:00+00:00")
        (state / "checkpoint").write_bytes(b"nonsense")
        assert self.look(shell, log, state).status == failures.UNTRUSTED

    def test_an_alarm_that_fails_does_not_hide_the_finding(
        self, shell: Shell, tmp_path: Path
    ) -> None:
        log = exported(past(range(5)), tmp_path / "log")
        bundle = log / "tile/entries/000.p/5"
        bundle.write_bytes(bundle.read_bytes().replace(b"success", b"refused", 1))
        done = self.look(shell, log, tmp_path / "state", "--exec", "no-such-command-here")
        assert done.status == failures.UNTRUSTED
        assert "did not work" in done.err
        assert not (tmp_path / "state" / "checkpoint").exists()


def test_a_crash_while_remembering_is_survived(tmp_path: Path) -> None:
    """Killed between the two files, the memory is that of the last look but one, or this one."""
    memory = WatchMemory(tmp_path)
    early, late = START, START + timedelta(hours=1)
    memory.keep(Seen(b"one", early))
    assert memory.recall() == Seen(b"one", early)
    (tmp_path / "checkpoint").write_bytes(b"two")  # as far as a crash let it come
    assert memory.recall() == Seen(b"two", early)
    memory.keep(Seen(b"two", late))
    assert memory.recall() == Seen(b"two", late)


def test_no_cell_of_an_entry_is_a_formula() -> None:
    """Every pattern refuses whatever a spreadsheet would run."""
    for pattern in PATTERNS.values():
        for start in "=+-@\t\r\n|%":
            assert not re.match(pattern, f"{start}1+1")
            assert re.compile(pattern).fullmatch(start) is None


def test_every_entry_is_kept_whole_in_ocsf() -> None:
    assert set(MAPPED) == set(Action)
    for action in Action:
        entry: Entry = event(1, action=action)
        told = to_ocsf(entry, 7)
        assert told["type_uid"] == told["class_uid"] * 100 + told["activity_id"]
        assert told["class_uid"] // 1000 == told["category_uid"]
        assert told["metadata"]["sequence"] == 7
        assert {**told["unmapped"], "time": entry.time} == {
            name: getattr(entry, name) for name in (*told["unmapped"], "time")
        }
