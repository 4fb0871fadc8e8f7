"""docs/audit-log.md describes the format that the code writes, and its own verifier verifies it."""

import re
import subprocess
import sys
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from audit.actions import Action
from audit.counters import MISSING, REPEATS, SKIPS, WITHOUT_AGENCY
from audit.entry import ActorType, Entry, ObjectType, Outcome
from audit.evidence import CLAIMS
from audit.export import export_tiles
from audit.fields import OPTIONAL, Reason
from audit.ocsf import MAPPED
from audit.tiles import StoreSource
from audit.times import (
    AFTER_STAMP,
    AHEAD,
    BEFORE_CHECKPOINT,
    BEFORE_STAMP,
    NOT_OF_EVENT_ID,
    RUNS_BACK,
    TOLERANCE,
)
from tests.audit.careless import sequence
from tests.audit.memory_store import MemoryStore
from tests.audit.peers.authority import Authority
from tests.audit.samples import OTHER_KEY, SIGNER, event, log_of
from tests.docs.audit_example import example
from tests.docs.pages import DOCS, ROOT, section

PAGE = (DOCS / "audit-log.md").read_text()


def test_every_field_is_described() -> None:
    rows = dict(
        re.findall(
            r"^\| `(\w+)` \| (always|) ?\|", section("audit-log.md", "Entries"), re.MULTILINE
        )
    )
    assert rows.keys() == {field.name for field in fields(Entry)}
    assert {name for name, always in rows.items() if not always} == OPTIONAL


def test_every_action_is_described_in_its_own_words() -> None:
    actions = section("audit-log.md", "Actions")
    rows = dict(re.findall(r"^\| `([a-z.-]+)` \| (.+) \|$", actions, re.MULTILINE))
    assert rows == {action.value: action.meaning for action in Action}


def test_reserved_actions_are_those_that_nothing_writes() -> None:
    _, _, reserved = section("audit-log.md", "Actions").partition("| Reserved |")
    source = "".join(path.read_text() for path in (ROOT / "gateway").rglob("*.py"))
    unwritten = {action.value for action in Action if f"Action.{action.name}" not in source}
    assert set(re.findall(r"^\| `([a-z.-]+)`", reserved, re.MULTILINE)) == unwritten


def test_closed_lists_are_whole() -> None:
    for kinds in (Outcome, ActorType, ObjectType):
        for kind in kinds:
            assert f"`{kind.value}`" in section("audit-log.md", "Entries")


def test_every_reason_is_described_and_none_else() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", section("audit-log.md", "Reasons"), re.MULTILINE)
    assert rows == [reason.value for reason in Reason]


def test_every_finding_of_time_is_described() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", section("audit-log.md", "Times"), re.MULTILINE)
    assert rows == [
        *(NOT_OF_EVENT_ID, RUNS_BACK, AHEAD, BEFORE_CHECKPOINT, BEFORE_STAMP, AFTER_STAMP)
    ]
    assert timedelta(minutes=5) == TOLERANCE


def test_every_finding_of_counters_is_described() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", section("audit-log.md", "Counters"), re.MULTILINE)
    assert rows == [SKIPS, REPEATS, MISSING, WITHOUT_AGENCY]


def test_every_claim_is_described() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", section("audit-log.md", "Evidence"), re.MULTILINE)
    assert set(rows) == set(CLAIMS)


def test_every_attack_names_tests_that_there_are() -> None:
    named = re.findall(r"`(test_\w+)`", section("audit-log.md", "What comes out"))
    written = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 30
    assert [name for name in named if f"def {name}(" not in written] == []


OWASP = frozenset(
    {
        *("authn_login_fail", "authn_token_created", "authn_token_revoked"),
        *("authz_admin", "authz_change", "authz_fail", "input_validation_fail"),
        *("sensitive_create", "sensitive_delete", "sensitive_read", "sensitive_update"),
        *("sys_startup", "user_archived", "user_created", "user_updated"),
        *("upload_complete", "upload_delete", "upload_stored", "upload_validation"),
    }
)
"""Terms of OWASP's Logging Vocabulary; others of it have nothing to do with this log."""


def test_every_action_has_its_place_in_other_vocabularies() -> None:
    rows = re.findall(
        r"^\| `([a-z.-]+)` \| (?:`([a-z_]+)`|none) \| (\d{4}) ([\w ]+), (\d+) (\w+) \|$",
        section("audit-log.md", "Other vocabularies"),
        re.MULTILINE,
    )
    assert [row[0] for row in rows] == [action.value for action in Action]
    assert {row[1] for row in rows} - {""} == OWASP
    assert [row[2:] for row in rows] == [
        (str(kind.uid), kind.name, str(activity), name)
        for kind, (activity, name) in (MAPPED[action] for action in Action)
    ]


def test_the_worked_example_is_what_the_code_makes() -> None:
    assert example() in PAGE


@pytest.mark.parametrize("size", [1, 3, 256, 300])
def test_the_verifier_of_the_page_verifies(tmp_path: Path, size: int) -> None:
    done = _verify(tmp_path, _exported(tmp_path, size))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{size} entries of ")


def test_the_verifier_of_the_page_notices_a_changed_entry(tmp_path: Path) -> None:
    folder = _exported(tmp_path, 3)
    bundle = folder / "tile" / "entries" / "000.p" / "3"
    bundle.write_bytes(bundle.read_bytes().replace(b"success", b"refused", 1))
    assert _verify(tmp_path, folder).returncode != 0


@pytest.mark.parametrize(
    ("counters", "found"),
    [
        ([None, 0, 1, 2], []),
        ([0, 2, 3], ["entry 1: POL-E23000001, 2 where 1 was next"]),
        ([1], ["entry 0: POL-E23000001, 1 where 0 was next"]),
        ([0, 0, 1], ["entry 1: POL-E23000001, 0 where 1 was next"]),
        ([0, None, 1], ["entry 1: POL-E23000001, None where 1 was next"]),
    ],
)
def test_the_verifier_of_the_page_names_a_missing_number(
    tmp_path: Path, counters: list[int | None], found: list[str]
) -> None:
    store = MemoryStore()
    for number, counter in enumerate(counters):
        store.enqueue(event(number, agency_counter=counter).to_bytes())
    sequence(store, signer=SIGNER)
    export_tiles(StoreSource(store), tmp_path / "log")
    done = _verify(tmp_path, tmp_path / "log")
    *told, verified = done.stdout.splitlines()
    assert told == found
    assert verified.startswith(f"{len(counters)} entries of ")


def _exported(tmp_path: Path, size: int) -> Path:
    export_tiles(StoreSource(log_of(size)), tmp_path / "log")
    return tmp_path / "log"


def _verify(tmp_path: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    script = tmp_path / "verify.py"
    script.write_text(program)
    return subprocess.run(
        [sys.executable, str(script), str(folder), SIGNER.vkey],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_stranger_verifies_a_timestamp_with_openssl_alone(tmp_path: Path) -> None:
    authority, note = Authority.make(tmp_path / "authority"), log_of(3).checkpoints[-1]
    (tmp_path / "root.pem").write_bytes(authority.root.read_bytes())
    (tmp_path / "tsa.tsr").write_bytes(authority.stamp(note))
    (tmp_path / "5431").write_bytes(note)
    (tmp_path / "log.vkey").write_text(f"{SIGNER.vkey}\n")
    done = _by_hand(tmp_path)
    assert (done.returncode, "Time stamp: " in done.stdout) == (0, True), done.stderr
    (tmp_path / "log.vkey").write_text(f"{OTHER_KEY.vkey}\n")
    assert _by_hand(tmp_path).returncode != 0
    (tmp_path / "log.vkey").write_text(f"{SIGNER.vkey}\n")
    (tmp_path / "tsa.tsr").write_bytes(authority.stamp(note + b"\n"))
    assert _by_hand(tmp_path).returncode != 0


def _by_hand(folder: Path) -> "subprocess.CompletedProcess[str]":
    """The lines of the page, but for those that fetch."""
    (script,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for line in script.splitlines() if not line.startswith("curl ")]
    return subprocess.run(
        ["sh", "-e", "-c", "\n".join(lines)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
