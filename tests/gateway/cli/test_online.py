"""The commands against a running gateway: its processes, real HTTP, PostgreSQL and S3."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from audit.checkpoint import Checkpoint
from audit.merkle import verify_consistency
from crypto import Keyring, generate_key, load_certificate, public_part, seal, sign_detached
from gateway.cli import failures
from tests.gateway import owner
from tests.gateway.cli.conftest import Desk
from tests.gateway.cli.shell import Done, Shell
from tests.gateway.processes import Processes
from tests.gateway.stand import COUNCIL, POLICE, Keys, fresh
from tests.validators import samples

pytestmark = pytest.mark.journey
PURPOSE = "Quarterly figures for the annual report"


@dataclass(frozen=True)
class Office:
    """A running gateway, and what its administrators need to command it."""

    url: str
    env_file: Path
    keys: Keys

    @property
    def log_key(self) -> Path:
        """The log's public key."""
        return self.keys.folder / "log.vkey"

    @property
    def certificate(self) -> Path:
        """The gateway's certificate."""
        return self.keys.folder / "gateway-certificate.asc"


@dataclass(frozen=True)
class Person:
    """Somebody at a shell, with a token in a file."""

    shell: Shell
    office: Office
    token: Path

    def __call__(self, *arguments: object) -> Done:
        """Run a command that asks the gateway."""
        return self.shell(*arguments, *self._given())

    def well(self, *arguments: object) -> Done:
        """Run one that must succeed."""
        return self.shell.well(*arguments, *self._given())

    def fails(self, status: int, *arguments: object) -> Done:
        """Run one that must fail."""
        return self.shell.fails(status, *arguments, *self._given())

    def _given(self) -> tuple[object, ...]:
        return ("--url", self.office.url, "--token-file", self.token)


@pytest.fixture(scope="module")
def office(
    environ: dict[str, str], keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """A gateway that was prepared by `gateway migrate`, and runs."""
    folder = tmp_path_factory.mktemp("office")
    env_file = folder / "gateway.env"
    env_file.write_text("# settings\n" + "".join(f"{k}={v}\n" for k, v in environ.items()))
    command = [sys.executable, "-m", "gateway", "--env-file", str(env_file), "migrate"]
    for _ in range(2):  # repeating it must be safe
        subprocess.run(command, check=True, capture_output=True)
    with Processes(environ, folder) as running:
        yield Office(running.url, env_file, keys)


class Administration:
    """Enrols and admits, as an administrator does at the shell."""

    def __init__(self, shell: Shell, office: Office, folder: Path) -> None:
        self._shell = shell
        self._office = office
        self._folder = folder

    def well(self, *arguments: object) -> Done:
        """Run an administrator's command."""
        return self._shell.well("--env-file", self._office.env_file, *arguments)

    def admit(self, role: str, *options: object) -> Person:
        """A new person in a role."""
        name = f"{role}-{fresh():08x}"
        issued = self.well("token", "issue", name, "--role", role, *options)
        token = self._folder / name
        token.write_text(issued.out)
        return Person(self._shell, self._office, token)

    def sender(self, desk: Desk) -> Person:
        """A submitter of the desk's agency, whose key is enrolled."""
        self.well("agency", "enrol", POLICE, desk.certificate)
        return self.admit("submitter", "--agency", POLICE)


@pytest.fixture
def admin(shell: Shell, office: Office, tmp_path: Path) -> Administration:
    """The administrators' shell."""
    return Administration(shell, office, tmp_path)


@pytest.fixture
def sender(admin: Administration, desk: Desk) -> Person:
    """A submitter at the desk."""
    return admin.sender(desk)


def _submit(person: Person, desk: Desk, package: Path, *options: object) -> Done:
    return person("submit", package, "--key", desk.key, *options)


def _sent(person: Person, desk: Desk, count: int = 2) -> str:
    """The id of a new submission that was stored."""
    done = _submit(person, desk, desk.package(desk.records(count)), "--json")
    assert done.status == failures.OK, done
    assert done.json()["state"] == "stored"
    return str(done.json()["id"])


def _released(admin: Administration, asks: Person, decides: Person) -> str:
    """The id of a release of everything, approved by the second person."""
    command = ("release", "request", f"figures-{fresh():08x}", "--purpose", PURPOSE)
    release = str(asks.well(*command, "--json").json()["id"])
    decides.well("release", "approve", release)
    return release


def _fetch(person: Person, release: str, out: Path, *options: object) -> tuple[object, ...]:
    office = person.office
    trusted = ("--gateway-certificate", office.certificate, "--log-key", office.log_key)
    return ("release", "fetch", release, "--out", out, *trusted, *options)


@pytest.fixture
def vault_key(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the vault's key file; the stand keeps that key as a keyring only."""
    path = tmp_path / "vault-key.asc"
    path.write_text("the vault's key")
    monkeypatch.setattr("gateway.cli.opening.load_key", lambda *_: office.keys.vault)
    return path


def test_a_token_is_shown_once_on_stdout_and_nothing_else_is(admin: Administration) -> None:
    done = admin.well("token", "issue", f"a-{fresh()}", "--role", "auditor")
    assert done.out.startswith("ctds_")
    assert len(done.out.split()) == 1
    assert done.out.strip() not in done.err


def test_from_the_record_files_to_the_receipt(sender: Person, desk: Desk, office: Office) -> None:
    receipt, message = desk.folder / "r.tlog-proof", desk.folder / "m.pgp"
    package = desk.package(desk.records(3))
    done = _submit(sender, desk, package, "--receipt", receipt, "--message", message)
    assert done.status == failures.OK, done
    assert done.out.startswith("ACCEPTED. 9 rows were accepted.")

    command = ("receipt", "verify", receipt, "--log-key", office.log_key, "--json")
    proven = desk.shell.well(*command, "--message", message).json()
    assert proven["action"] == "submission.received"
    assert proven["message"] == "the same bytes"
    mistaken = desk.shell.fails(failures.USAGE, *command, "--message", package)
    assert "is a package" in mistaken.err

    submission = proven["submission"]
    listed = sender.well("submissions", "list", "--json").json()["submissions"]
    assert submission in [each["id"] for each in listed]
    assert submission in sender.well("submissions", "list").out
    shown = sender.well("submissions", "show", submission, "--json").json()
    assert (shown["state"], shown["records"], shown["sha256"]) == ("stored", 9, proven["sha256"])
    assert sender.well("submissions", "report", submission).out == done.out
    again = desk.folder / "again.tlog-proof"
    sender.well("submissions", "receipt", submission, "--out", again)
    desk.shell.well("receipt", "verify", again, "--log-key", office.log_key)


def test_a_receipt_that_is_there_stops_a_second_sending(sender: Person, desk: Desk) -> None:
    """The package would arrive a second time, only to be rejected as known."""
    receipt = desk.folder / "r.tlog-proof"
    receipt.write_text("of an earlier sending")
    before = len(sender.well("submissions", "list", "--json").json()["submissions"])
    done = _submit(sender, desk, desk.package(desk.records()), "--receipt", receipt)
    assert done.status == failures.FAILED
    assert "Nothing was sent" in done.err
    assert "gateway submissions list" in done.err
    assert len(sender.well("submissions", "list", "--json").json()["submissions"]) == before


def test_a_report_that_quotes_nothing_has_no_form_with_values(sender: Person, desk: Desk) -> None:
    done = _submit(sender, desk, desk.package(desk.records()), "--json")
    full = desk.folder / "report.pgp"
    told = sender("submissions", "report", done.json()["id"], "--full", full)
    assert told.status == failures.REFUSED
    assert told.out.startswith("ACCEPTED.")
    assert "quotes one" in told.err
    assert not full.exists()


def test_record_files_are_packaged_on_the_way(sender: Person, desk: Desk) -> None:
    files = desk.records(2)
    done = sender("submit", *files, "--key", desk.key, "--json")
    assert done.status == failures.USAGE, "whose they are, and of which quarter?"
    assert "--profile" in done.err
    facts = ("--profile", desk.profile, "--period", "2026Q1")
    done = sender("submit", *files, *facts, "--key", desk.key, "--json")
    assert done.status == failures.OK, done
    assert done.json()["records"] == 6


def test_without_waiting_the_id_is_the_only_data(sender: Person, desk: Desk) -> None:
    done = _submit(sender, desk, desk.package(desk.records()), "--no-wait")
    assert done.status == failures.OK, done
    sender.well("submissions", "show", done.out.strip())


def test_bad_rows_come_back_and_the_full_report_opens_with_the_agencys_key(
    sender: Person, desk: Desk
) -> None:
    package = desk.package(desk.records(3, spoiled=1))
    done = _submit(sender, desk, package, "--json")
    assert done.status == failures.IN_PART, done
    submission, report = done.json()["id"], done.json()["report"]
    assert report["verdict"] == "accepted-in-part"
    assert "'Q'" not in json.dumps(report)

    full = desk.folder / "report.pgp"
    sender.well("submissions", "report", submission, "--full", full)
    read = desk.shell.well("report", full, "--key", desk.key)
    assert read.out.startswith("ACCEPTED IN PART.")
    assert "went back" in read.out
    assert f"({samples.AGENCY_ID}), 1 January 2026 to 31 March 2026" in read.out
    assert "'Q'" in read.out
    page = desk.folder / "report.html"
    desk.shell.well("report", full, "--key", desk.key, "--format", "html", "--out", page)
    assert "&#39;Q&#39;" in page.read_text()
    assert page.stat().st_mode & 0o077 == 0


def test_a_full_report_opens_with_its_own_key_alone(desk: Desk, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    other = generate_key("Other <data@other.test>", now=now, valid_for=None)
    (tmp_path / "other.asc").write_bytes(other)
    sealed = tmp_path / "report.pgp"
    with sealed.open("wb") as sink:
        mine = [load_certificate(public_part(desk.key.read_bytes()))]
        seal(BytesIO(b'{"verdict": "rejected"}'), sink, recipients=mine, context="x", now=now)
    assert desk.shell("report", sealed).status == failures.USAGE, "with nothing to open it"
    told = desk.shell("report", sealed, "--key", tmp_path / "other.asc")
    assert (told.status, told.out) == (failures.USAGE, "")
    assert "another key" in told.err
    told = desk.shell("report", sealed, "--key", desk.key)
    assert (told.status, told.out) == (failures.USAGE, "")
    assert "no report" in told.err


def test_what_would_be_rejected_is_not_sent_unless_forced(sender: Person, desk: Desk) -> None:
    package = desk.package(desk.records(1, spoiled=1)[:1])
    before = len(sender.well("submissions", "list", "--json").json()["submissions"])
    kept = _submit(sender, desk, package)
    assert kept.status == failures.REJECTED
    assert kept.out.startswith("REJECTED.")
    assert "Nothing was sent" in kept.err
    assert len(sender.well("submissions", "list", "--json").json()["submissions"]) == before
    forced = _submit(sender, desk, package, "--force", "--json")
    assert (forced.status, forced.json()["state"]) == (failures.REJECTED, "rejected")


def test_a_package_that_the_gateway_has_is_not_sent_again(sender: Person, desk: Desk) -> None:
    """Whoever is not sure whether it arrived runs the same command again, and is told."""
    package = desk.package(desk.records(3, spoiled=1))
    first = _submit(sender, desk, package, "--json")
    receipt = desk.folder / "r.tlog-proof"
    again = _submit(sender, desk, package, "--receipt", receipt)
    assert again.status == failures.IN_PART
    assert f"has this package already, as {first.json()['id']}" in again.err
    assert again.out.startswith("ACCEPTED IN PART.")
    assert f"Package {first.json()['package_id']}" in again.out
    assert receipt.exists()
    forced = _submit(sender, desk, package, "--force")
    assert forced.status == failures.REJECTED
    assert "there is nothing to do: it was received" in " ".join(forced.out.split())


@pytest.mark.parametrize("which", ["id", "package_id"])
def test_record_files_replace_what_came_back_in_part(
    sender: Person, desk: Desk, which: str
) -> None:
    files = desk.records(3, spoiled=1)
    first = _submit(sender, desk, desk.package(files), "--json").json()
    assert first["verdict"] == "accepted-in-part"
    cases = files[0].read_text().replace(",Q,", ",F,")
    files[0].write_text(cases)
    facts = ("--profile", desk.profile, "--period", "2026Q1", "--key", desk.key)
    done = sender("submit", *files, *facts, "--replaces", first[which], "--json")
    assert done.status == failures.OK, done
    shown = sender.well("submissions", "show", first["id"], "--json").json()
    assert shown["superseded_by"] == done.json()["id"]


def test_a_package_replaces_another_as_the_guide_says(sender: Person, desk: Desk) -> None:
    files = desk.records(2)
    first = _submit(sender, desk, desk.package(files), "--json").json()
    package = desk.package(files, "--replaces", first["package_id"])
    desk.shell.well("validate", package)
    tried = _submit(sender, desk, package, "--dry-run")
    assert tried.status == failures.OK, tried
    done = _submit(sender, desk, package, "--json")
    assert done.status == failures.OK, done
    shown = sender.well("submissions", "show", first["id"], "--json").json()
    assert shown["superseded_by"] == done.json()["id"]


def test_what_is_withdrawn_can_be_sent_as_new(sender: Person, desk: Desk) -> None:
    files = desk.records(2)
    first = _submit(sender, desk, desk.package(files), "--json").json()
    sender.well("submissions", "withdraw", first["id"], "--yes")
    done = _submit(sender, desk, desk.package(files), "--json")
    assert done.status == failures.OK, done
    assert "CT-025" not in done.json()["report"]["totals"]


def test_what_replaces_nothing_that_is_here_is_not_sent(sender: Person, desk: Desk) -> None:
    files = (*desk.records(1), "--profile", desk.profile, "--period", "2026Q1", "--key", desk.key)
    done = sender("submit", *files, "--replaces", str(uuid4()))
    assert done.status == failures.REFUSED, done
    for wrong in (("--type", "REPLACEMENT"), ("--type", "TEST", "--replaces", str(uuid4()))):
        assert sender("submit", *files, *wrong).status in (failures.USAGE, failures.REFUSED)


def test_a_dry_run_prints_the_report_and_counts_nothing(sender: Person, desk: Desk) -> None:
    package = desk.package(desk.records(3))
    before = sender.well("submissions", "list", "--limit", "200", "--json").json()
    tried = _submit(sender, desk, package, "--dry-run")
    assert tried.status == failures.OK, tried
    assert tried.out.startswith("ACCEPTED. 9 rows would be accepted.")
    assert "nothing was stored or counted" in tried.err
    assert "It is safe now" not in tried.err
    assert sender.well("submissions", "list", "--limit", "200", "--json").json() == before
    sent = _submit(sender, desk, package, "--json")
    assert (sent.status, sent.json()["state"]) == (failures.OK, "stored"), "and can still be sent"
    again = _submit(sender, desk, package, "--dry-run", "--json")
    assert again.status == failures.REJECTED
    assert "CT-008" in again.json()["report"]["totals"]


def test_a_dry_run_is_looked_at_later(sender: Person, desk: Desk) -> None:
    package = desk.package(desk.records(3, spoiled=1))
    done = _submit(sender, desk, package, "--dry-run", "--json")
    assert (done.status, done.json()["state"]) == (failures.IN_PART, "checked")
    dry_run = done.json()["id"]
    assert "'Q'" not in done.out
    listed = sender.well("dry-runs", "list", "--json").json()["dry_runs"]
    assert dry_run in [each["id"] for each in listed]
    assert dry_run in sender.well("dry-runs", "list").out
    assert dry_run in sender.well("dry-runs", "show", dry_run).out
    shown = sender.well("dry-runs", "show", dry_run, "--json").json()
    assert (shown["state"], shown["records"]) == ("checked", done.json()["records"])
    full = desk.folder / "tried.pgp"
    sender.well("dry-runs", "report", dry_run, "--full", full)
    read = desk.shell.well("report", full, "--key", desk.key)
    assert "would go back" in read.out
    assert "'Q'" in read.out
    queued = _submit(sender, desk, package, "--dry-run", "--no-wait")
    sender.well("dry-runs", "show", queued.out.strip())


def test_a_dry_run_has_no_receipt_and_replaces_nothing(sender: Person, desk: Desk) -> None:
    package = desk.package(desk.records(1))
    before = _tried(sender)
    for option in (("--receipt", desk.folder / "r"), ("--replaces", str(uuid4()))):
        done = _submit(sender, desk, package, "--dry-run", *option)
        assert done.status == failures.USAGE
        assert f"{option[0]} does not go with --dry-run" in done.err
    assert _tried(sender) == before


def _tried(sender: Person) -> list[str]:
    listed = sender.well("dry-runs", "list", "--json").json()["dry_runs"]
    return [each["id"] for each in listed]


def test_a_message_signed_by_an_unknown_key_is_rejected_with_words(
    sender: Person, desk: Desk, tmp_path: Path
) -> None:
    desk.shell.well("keys", "init", "agency", "--out", tmp_path / "other")
    stranger = tmp_path / "other" / "agency-key.asc"
    done = sender("submit", desk.package(desk.records()), "--key", stranger)
    assert done.status == failures.REJECTED, done
    assert "[unknown-signer]" in done.out
    assert "Traceback" not in done.err


def test_nothing_is_encrypted_to_another_key_than_the_one_pinned(
    sender: Person, desk: Desk
) -> None:
    before = len(sender.well("submissions", "list", "--json").json()["submissions"])
    package = desk.package(desk.records())
    pinned = ("--gateway-fingerprint", "0" * 40)
    sender.fails(failures.UNTRUSTED, "submit", package, "--key", desk.key, *pinned)
    assert len(sender.well("submissions", "list", "--json").json()["submissions"]) == before


def test_the_pinned_fingerprint_may_be_written_as_people_write_it(
    sender: Person, desk: Desk, office: Office
) -> None:
    name = office.keys.gateway.fingerprint.upper()
    spaced = " ".join(name[at : at + 4] for at in range(0, len(name), 4))
    done = _submit(sender, desk, desk.package(desk.records()), "--gateway-fingerprint", spaced)
    assert done.status == failures.OK, done


def test_a_withdrawn_submission_says_so(sender: Person, desk: Desk) -> None:
    submission = _sent(sender, desk)
    withdrawn = sender.well("submissions", "withdraw", submission, "--yes", "--json").json()
    assert withdrawn["state"] == "withdrawn"


@pytest.mark.parametrize(
    ("role", "command", "code"),
    [
        ("auditor", ("submissions", "list"), "forbidden"),
        ("analyst", ("submissions", "list"), "forbidden"),
        ("auditor", ("release", "list"), "forbidden"),
        ("administrator", ("release", "list"), "forbidden"),
    ],
)
def test_a_role_may_do_its_own_and_nothing_else(
    admin: Administration, role: str, command: tuple[str, ...], code: str
) -> None:
    assert f"[{code}]" in admin.admit(role).fails(failures.REFUSED, *command).err


def test_a_revoked_token_is_refused_at_once(
    admin: Administration, shell: Shell, office: Office, tmp_path: Path
) -> None:
    issued = admin.well("token", "issue", "leaver", "--role", "auditor", "--json").json()
    token = tmp_path / "token"
    token.write_text(issued["token"])
    person = Person(shell, office, token)
    person.well("audit", "verify", "--log-key", office.log_key)
    admin.well("token", "revoke", issued["id"])
    done = person.fails(failures.REFUSED, "audit", "verify", "--log-key", office.log_key)
    assert "[unauthenticated]" in done.err
    assert issued["token"] not in done.err


def test_a_suspended_agency_is_refused(
    admin: Administration, shell: Shell, office: Office, tmp_path: Path
) -> None:
    shell.well("keys", "init", "agency", "--out", tmp_path / "council")
    certificate = tmp_path / "council" / "agency-certificate.asc"
    enrolled = admin.well("agency", "enrol", COUNCIL, certificate, "--json").json()
    shown = shell.well("keys", "show", certificate, "--json").json()
    assert enrolled["fingerprint"] == shown["fingerprint"]
    person = admin.admit("submitter", "--agency", COUNCIL)
    person.well("submissions", "list")
    admin.well("agency", "suspend", COUNCIL)
    person.fails(failures.REFUSED, "submissions", "list")
    agencies = admin.well("agency", "list", "--json").json()["agencies"]
    assert {each["agency"]: each["state"] for each in agencies}[COUNCIL] == "suspended"


def test_the_life_of_a_certificate(
    admin: Administration, sender: Person, shell: Shell, office: Office, desk: Desk, tmp_path: Path
) -> None:
    again = admin.well("agency", "enrol", POLICE, desk.certificate, "--json").json()
    assert (again["result"], again["weaknesses"]) == ("unchanged", [])
    submission = _sent(sender, desk)
    used = admin.well("certificate", "exposure", again["fingerprint"], "--json").json()
    assert [(each["id"], each["use"]) for each in used["submissions"]] == [(submission, ["signed"])]
    assert submission in admin.well("certificate", "exposure", again["fingerprint"]).out
    none = ("certificate", "exposure", again["fingerprint"], "--since", "2999-01-01", "--json")
    assert admin.well(*none).json()["submissions"] == []

    soon = datetime.now(UTC) + timedelta(days=20, hours=1)
    shorter = tmp_path / "shorter.pgp"
    shorter.write_bytes(owner.extended(desk.keyring, soon))
    updated = admin.well("agency", "enrol", POLICE, shorter).out
    assert "result       updated" in updated
    command = ("agency", "certificates", POLICE, "--expiring", 30)
    assert f"{again['fingerprint']}  {POLICE}" in admin.well(*command).out
    assert "expires in 20 days" in admin.well(*command).out
    assert "Police <data@" not in admin.well(*command).out
    (listed,) = admin.well(*command, "--json").json()["certificates"]
    assert (listed["state"], listed["days_left"]) == ("expiring", 20)
    shown = sender.well("submissions", "show", submission)
    assert "ends on" in shown.err
    assert "notice" not in shown.out
    notice = sender.well("submissions", "show", submission, "--json").json()["notice"]
    assert notice["code"] == "certificate-expiring"

    gone = tmp_path / "gone.pgp"
    gone.write_bytes(owner.revoked(desk.keyring))
    said = admin.well("agency", "enrol", POLICE, gone)
    assert "is revoked." in said.err
    everything = admin.well("agency", "certificates", "--json").json()["certificates"]
    states = {each["fingerprint"]: each["state"] for each in everything}
    assert states[again["fingerprint"]] == "revoked"


def test_every_weakness_of_a_certificate_is_told(
    shell: Shell, office: Office, desk: Desk, tmp_path: Path
) -> None:
    weak = tmp_path / "weak.pgp"
    weak.write_bytes(owner.revoked(desk.keyring))
    command = ("--env-file", office.env_file, "agency", "enrol", POLICE, weak)
    done = shell.fails(failures.REJECTED, *command)
    assert "[certificate-refused]" in done.err
    assert {"[revoked]", "[no-signing-key]"} <= set(done.err.split())
    told = shell.fails(failures.REJECTED, *command, "--json").json()
    assert told["code"] == "certificate-refused"
    assert {"revoked", "no-signing-key"} <= {each["code"] for each in told["weaknesses"]}
    assert all(each["sentence"] for each in told["weaknesses"])


def test_what_is_no_fingerprint_is_not_looked_for(shell: Shell, office: Office) -> None:
    command = ("--env-file", office.env_file, "certificate", "exposure", "Police")
    shell.fails(failures.USAGE, *command)


def test_an_agency_that_is_not_in_the_register_is_not_enrolled(
    shell: Shell, office: Office, desk: Desk
) -> None:
    command = ("--env-file", office.env_file, "agency", "enrol", "LA-NOWHERE", desk.certificate)
    assert "[CT-003]" in shell.fails(failures.FAILED, *command).err


@pytest.mark.parametrize(
    ("command", "code", "hint"),
    [
        (("agency", "suspend", "LA-NOWHERE"), "not-found", "Check how it is written"),
        (("agency", "resume", POLICE), "not-found", "Check how it is written"),
        (("token", "revoke", str(UUID(int=1))), "not-found", "Check how it is written"),
        (("token", "issue", "x", "--role", "submitter"), "agency-needed", "--agency"),
        (
            ("token", "issue", "x", "--role", "auditor", "--agency", POLICE),
            "agency-not-allowed",
            "--agency",
        ),
    ],
)
def test_an_administrator_is_told_what_to_do_at_the_command(
    shell: Shell, office: Office, command: tuple[str, ...], code: str, hint: str
) -> None:
    done = shell.fails(failures.FAILED, "--env-file", office.env_file, *command)
    assert f"[{code}]" in done.err
    assert hint in done.err
    assert "belongs to you" not in done.err


def test_settings_that_are_missing_are_all_named_at_once(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty.env").write_text("")
    done = shell.fails(failures.FAILED, "--env-file", tmp_path / "empty.env", "migrate")
    assert "DATABASE_URL is not set." in done.err
    assert "S3_REGION is not set." in done.err


def test_two_people_release_and_staff_open_it(
    admin: Administration, sender: Person, desk: Desk, vault_key: Path
) -> None:
    submission = _sent(sender, desk, 4)
    asks, decides = admin.admit("analyst"), admin.admit("analyst")
    name = f"spring-{fresh():08x}"
    requested = asks.well("release", "request", name, "--purpose", PURPOSE, "--json").json()
    same = asks.fails(failures.REFUSED, "release", "approve", requested["id"])
    assert "[second-person-needed]" in same.err
    decides.well("release", "approve", requested["id"])
    assert name in asks.well("release", "list").out
    shown = asks.well("release", "show", requested["id"], "--json").json()
    assert shown["state"] == "approved"

    folder, out = desk.folder / "release", desk.folder / "opened"
    fetched = asks.well(*_fetch(asks, requested["id"], folder, "--json")).json()
    assert fetched["objects"] == shown["items"]
    opened = desk.shell.well(*_unseal(folder, vault_key, asks.office, out), "--json").json()
    assert opened["objects"] == fetched["objects"]
    cases = (out / submission / "CASE.jsonl").read_text().splitlines()
    assert len(cases) == 4
    assert out.stat().st_mode & 0o077 == 0
    assert [path for path in out.rglob("*") if path.stat().st_mode & 0o077] == []
    # Nothing that was opened is ever written over.
    desk.shell.fails(failures.FAILED, *_unseal(folder, vault_key, asks.office, out))


def test_a_request_for_a_release_says_what_is_wrong_with_it(admin: Administration) -> None:
    asks = admin.admit("analyst")
    command = ("release", "request", "Spring 2026", "--purpose", "none", "--from", "today")
    done = asks.fails(failures.REFUSED, *command)
    for told in ("name: Write 3 to 63", "purpose: Length must be", "period_start: Not a valid"):
        assert told in done.err


def test_a_refused_release_is_not_fetched(
    admin: Administration, sender: Person, desk: Desk
) -> None:
    _sent(sender, desk)
    asks, decides = admin.admit("analyst"), admin.admit("analyst")
    command = ("release", "request", f"no-{fresh():08x}", "--purpose", PURPOSE, "--json")
    release = asks.well(*command).json()["id"]
    assert decides.well("release", "refuse", release, "--json").json()["state"] == "refused"
    done = asks.fails(failures.REFUSED, *_fetch(asks, release, desk.folder / "release"))
    assert "[release-not-approved]" in done.err


@pytest.fixture
def fetched(admin: Administration, sender: Person, desk: Desk) -> tuple[Person, str, Path]:
    """An analyst, a release, and the folder that it was fetched into."""
    _sent(sender, desk)
    asks = admin.admit("analyst")
    release, folder = _released(admin, asks, admin.admit("analyst")), desk.folder / "release"
    asks.well(*_fetch(asks, release, folder))
    return asks, release, folder


def _first(folder: Path) -> tuple[dict[str, Any], Path]:
    manifest = json.loads((folder / "manifest.json").read_text())
    each: dict[str, Any] = manifest["objects"][0]
    return each, folder / f"{each['submission']}.pgp"


def test_fetching_again_notices_what_was_changed_since(
    fetched: tuple[Person, str, Path],
) -> None:
    asks, release, folder = fetched
    asks.well(*_fetch(asks, release, folder))
    _, sealed = _first(folder)
    data = bytearray(sealed.read_bytes())
    data[-1] ^= 1
    sealed.write_bytes(data)
    asks.fails(failures.UNTRUSTED, *_fetch(asks, release, folder))


def test_a_release_is_not_believed_under_another_certificate_or_log_key(
    fetched: tuple[Person, str, Path], desk: Desk, tmp_path: Path
) -> None:
    asks, release, _ = fetched
    out = tmp_path / "untrusted"
    command = ("release", "fetch", release, "--out", out)
    wrong = ("--gateway-certificate", desk.certificate, "--log-key", asks.office.log_key)
    asks.fails(failures.UNTRUSTED, *command, *wrong)
    desk.shell.well("keys", "init", "log", "--name", "log.gateway.test", "--out", tmp_path / "log")
    other = ("--log-key", tmp_path / "log" / "log.vkey")
    asks.fails(
        failures.UNTRUSTED, *command, "--gateway-certificate", asks.office.certificate, *other
    )
    assert not list(out.glob("*.pgp"))


def test_an_object_of_somebody_else_is_not_unsealed(
    fetched: tuple[Person, str, Path], desk: Desk, vault_key: Path
) -> None:
    # Whoever has the vault's certificate can seal, under any name: only the manifest's hash tells.
    analyst, _, folder = fetched
    each, sealed = _first(folder)
    forged = BytesIO()
    seal(
        BytesIO(b"forged"),
        forged,
        recipients=analyst.office.keys.vault.certificates,
        context=each["context"],
        now=datetime.now(UTC),
    )
    sealed.write_bytes(forged.getvalue())
    command = _unseal(folder, vault_key, analyst.office, desk.folder / "opened")
    desk.shell.fails(failures.UNTRUSTED, *command)
    assert not list((desk.folder / "opened").rglob("*.jsonl"))


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "..", "x/../../escaped", ""])
def test_a_manifest_cannot_lead_out_of_the_folder(
    desk: Desk, vault_key: Path, office: Office, name: str
) -> None:
    each = {"submission": name, "context": "c", "records": 1, "sealed_sha256": "0" * 64}
    release = _signed_by_the_gateway(desk, office, json.dumps({"objects": [each]}).encode())
    command = _unseal(release, vault_key, office, desk.folder / "opened")
    done = desk.shell.fails(failures.UNTRUSTED, *command)
    assert "manifest" in done.err


@pytest.mark.parametrize("text", ["{}", '{"objects": [{}]}', '{"objects": 7}', "[]", "\udcff"])
def test_what_is_no_manifest_is_not_trusted(
    desk: Desk, vault_key: Path, office: Office, text: str
) -> None:
    release = _signed_by_the_gateway(desk, office, text.encode(errors="surrogateescape"))
    command = _unseal(release, vault_key, office, desk.folder / "opened")
    desk.shell.fails(failures.UNTRUSTED, *command)


def test_a_manifest_that_the_gateway_did_not_sign_is_not_trusted(
    fetched: tuple[Person, str, Path], desk: Desk, vault_key: Path
) -> None:
    analyst, _, folder = fetched
    command = _unseal(folder, vault_key, analyst.office, desk.folder / "opened")
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"records":', '"records": '))
    desk.shell.fails(failures.UNTRUSTED, *command)
    (folder / "manifest.json.asc").unlink()
    desk.shell.fails(failures.UNTRUSTED, *command)


def _unseal(folder: Path, vault_key: Path, office: Office, out: Path) -> tuple[object, ...]:
    trusted = ("--gateway-certificate", office.certificate)
    return ("unseal", folder, "--key", vault_key, *trusted, "--out", out)


def _signed_by_the_gateway(desk: Desk, office: Office, manifest: bytes) -> Path:
    """A folder with a manifest of any content; even the gateway's word is checked for its form."""
    release = desk.folder / "release"
    release.mkdir()
    (release / "manifest.json").write_bytes(manifest)
    signer = Keyring.load([(office.keys.folder / "gateway-key.asc").read_bytes()])
    signature = sign_detached(manifest, signer=signer, now=datetime.now(UTC))
    (release / "manifest.json.asc").write_text(signature)
    return release


def test_an_auditor_verifies_exports_and_proves(
    admin: Administration, sender: Person, desk: Desk, office: Office
) -> None:
    _sent(sender, desk)
    auditor, kept = admin.admit("auditor"), desk.folder / "checkpoint"
    first = auditor.well("audit", "verify", "--log-key", office.log_key, "--keep", kept, "--json")
    _sent(sender, desk)
    command = ("audit", "verify", "--log-key", office.log_key, "--since", kept, "--json")
    later = auditor.well(*command).json()
    assert later["extends"] == first.json()["entries"] < later["entries"]

    folder = desk.folder / "log"
    exported = auditor.well("audit", "export", "--out", folder, "--json").json()
    offline = ("audit", "verify", "--folder", folder, "--log-key", office.log_key, "--json")
    assert desk.shell.well(*offline).json()["entries"] == exported["entries"]

    before = Checkpoint.verify(kept.read_bytes(), verifier=office.keys.log.verifier)
    after = Checkpoint.verify(
        (folder / "checkpoint").read_bytes(), verifier=office.keys.log.verifier
    )
    sizes = (before.size, after.size, "--log-key", office.log_key)
    proof = auditor.well("audit", "prove", "consistency", *sizes).json()
    verify_consistency(
        [bytes.fromhex(node) for node in proof["proof"]],
        old_size=before.size,
        new_size=after.size,
        old_root=before.root,
        new_root=after.root,
    )
    command = ("audit", "prove", "inclusion", 0, "--log-key", office.log_key)
    assert auditor.well(*command).out.startswith("c2sp.org/tlog-proof@v1\n")


def test_the_log_says_who_did_what_without_a_name(
    admin: Administration, office: Office, tmp_path: Path
) -> None:
    name = f"analyst-{fresh():08x}"
    admin.well("token", "issue", name, "--role", "analyst")
    auditor = admin.admit("auditor")
    told = auditor.well("audit", "verify", "--log-key", office.log_key, "--json").json()
    assert told["actions"]["token.issued"] >= 2
    folder = tmp_path / "log"
    auditor.well("audit", "export", "--out", folder)
    entries = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"token.issued" in entries
    assert name.encode() not in entries
