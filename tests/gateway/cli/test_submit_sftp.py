"""`gateway submit` with an SSH key, against the gateway's own SFTP process; and both channels."""

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from audit.receipt import Receipt
from crypto import sign_and_encrypt
from gateway.cli import failures
from gateway.client import (
    Access,
    Address,
    Channel,
    ClientError,
    GatewayClient,
    HostKeyRefused,
    Https,
    Kind,
    Refused,
    Unreachable,
    Upload,
)
from gateway.client.sftp import BLOCK, Sftp
from gateway.client.tries import TRIES
from tests.gateway.cli.conftest import QUARTER, Desk
from tests.gateway.cli.relay import relay
from tests.gateway.cli.scripted import Answer, scripted
from tests.gateway.cli.shell import Done, Shell
from tests.gateway.processes import Processes, free_port
from tests.gateway.sftp.conftest import make_ssh_key
from tests.gateway.stand import POLICE, Keys, fresh

pytestmark = pytest.mark.journey


@dataclass(frozen=True)
class Office:
    """A running gateway, and how it is commanded and reached."""

    url: str
    sftp_port: int
    env_file: Path
    keys: Keys
    running: Processes

    @property
    def host_key(self) -> str:
        """The fingerprint of its SSH host key, as ssh-keygen tells it."""
        return fingerprint(self.keys.folder / "ssh-host-key")


@dataclass(frozen=True)
class Person:
    """Somebody at an agency's desk who has an SSH key and, for comparing, a token."""

    desk: Desk
    office: Office
    ssh_key: Path
    token: Path

    def sftp(self, port: int | None = None) -> tuple[object, ...]:
        """The options of the SFTP channel."""
        address = f"sftp://127.0.0.1:{port or self.office.sftp_port}"
        return (
            *("--sftp", address, "--ssh-key", self.ssh_key),
            *("--host-key", self.office.host_key),
        )

    def submit(self, package: Path, *options: object) -> Done:
        """Run `gateway submit`, with an SSH key alone."""
        return self.desk.shell("submit", package, "--key", self.desk.key, *self.sftp(), *options)

    def asks(self, *command: object) -> Done:
        """Run a command over HTTPS, which must succeed."""
        given = ("--url", self.office.url, "--token-file", self.token)
        return self.desk.shell.well(*command, *given)

    def listed(self) -> list[dict[str, object]]:
        """Every submission of the agency."""
        done = self.asks("submissions", "list", "--limit", "200", "--json")
        found: list[dict[str, object]] = done.json()["submissions"]
        return found

    def access(self, port: int | None = None) -> Access:
        """What the client library needs."""
        address = Address("127.0.0.1", port or self.office.sftp_port, "ctds")
        key, none = self.ssh_key.read_text(), self.desk.folder / "none"
        return Access(address, key, None, (self.office.host_key,), none)

    def over_sftp(self) -> "closing[Sftp]":
        """The channel itself, in a session of its own."""
        return closing(Sftp(self.access()))

    def over_https(self) -> "closing[Https]":
        """The other one."""
        return closing(Https(GatewayClient(self.office.url, self.token.read_text().strip())))


def fingerprint(key: Path) -> str:
    """SHA-256 of a public key, from OpenSSH."""
    command = ["ssh-keygen", "-l", "-E", "sha256", "-f", key]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[1]


@pytest.fixture(scope="module")
def office(
    environ: dict[str, str], keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """A gateway with every process."""
    folder = tmp_path_factory.mktemp("office")
    env_file = folder / "gateway.env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in environ.items()))
    command = [sys.executable, "-m", "gateway", "--env-file", str(env_file), "migrate"]
    subprocess.run(command, check=True, capture_output=True)
    with Processes(environ, folder, sftp=True) as running:
        yield Office(running.url, running.sftp_port, env_file, keys, running)


@pytest.fixture
def person(shell: Shell, desk: Desk, office: Office, tmp_path: Path) -> Person:
    """A data officer at the police, enrolled."""
    key, token = make_ssh_key(tmp_path / "ssh-key"), tmp_path / "token"
    for command in (
        ("agency", "enrol", POLICE, desk.certificate),
        ("sshkey", "add", POLICE, key.with_suffix(".pub"), "--subject", f"desk-{fresh():08x}"),
    ):
        shell.well("--env-file", office.env_file, *command)
    command = ("token", "issue", f"desk-{fresh():08x}", "--role", "submitter", "--agency", POLICE)
    token.write_text(shell.well("--env-file", office.env_file, *command).out)
    return Person(desk, office, key, token)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without known hosts, whoever runs the tests."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    return folder


# The whole way.


def test_an_ssh_key_is_all_that_is_needed(person: Person) -> None:
    desk = person.desk
    receipt, promise, message = (desk.folder / name for name in ("r.tlog-proof", "p", "m.pgp"))
    kept = ("--receipt", receipt, "--promise", promise, "--message", message)
    done = person.submit(desk.package(desk.records(3)), *kept)
    assert done.status == failures.OK, done
    assert done.out.startswith("ACCEPTED. 9 rows were accepted.")
    assert "It is safe now" in done.err

    digest = sha256(message.read_bytes()).hexdigest()
    [sent] = [each for each in person.listed() if each["sha256"] == digest]
    assert (sent["channel"], sent["state"]) == ("sftp", "stored")
    log_key = ("--log-key", person.office.keys.folder / "log.vkey", "--message", message)
    for proof in (receipt, promise):
        proven = desk.shell.well("receipt", "verify", proof, *log_key, "--json").json()
        assert (proven["submission"], proven["message"]) == (sent["id"], "the same bytes")


def test_what_is_kept_is_what_the_other_channel_gives(person: Person) -> None:
    desk = person.desk
    receipt, other = desk.folder / "r.tlog-proof", desk.folder / "other.tlog-proof"
    package = desk.package(desk.records(3, spoiled=1))
    done = person.submit(package, "--receipt", receipt, "--json")
    assert done.status == failures.IN_PART, done
    told = done.json()
    shown = person.asks("submissions", "show", told["id"], "--json").json()
    shown.pop("notice")
    report = told.pop("report")
    assert told == shown
    assert report == person.asks("submissions", "report", told["id"], "--json").json()
    person.asks("submissions", "receipt", told["id"], "--out", other)
    ours, theirs = (Receipt.from_text(each.read_text()) for each in (receipt, other))
    assert (ours.entry, ours.index) == (theirs.entry, theirs.index)


def test_of_one_checkpoint_both_channels_hand_over_the_same_receipt(person: Person) -> None:
    submission = person.submit(person.desk.package(person.desk.records(1)), "--json").json()
    with person.over_https() as https:
        received = https.find(Kind.SUBMISSION, submission["id"])
        assert received is not None
        for _ in range(20):  # each reading makes the log grow, so the second may meet a larger one
            with person.over_sftp() as sftp:
                ours, theirs = sftp.receipt(received), https.receipt(received)
                assert sftp.promise(received) == https.promise(received)
            if ours == theirs:
                return
    pytest.fail("twenty receipts, none like the other channel's")


def test_a_package_that_the_gateway_has_is_not_sent_again(person: Person) -> None:
    desk = person.desk
    package, receipt = desk.package(desk.records(3, spoiled=1)), desk.folder / "r.tlog-proof"
    first = person.submit(package, "--json")
    before = len(person.listed())
    again = person.submit(package, "--receipt", receipt)
    assert again.status == failures.IN_PART
    assert f"has this package already, as {first.json()['id']}" in again.err
    assert again.out.startswith("ACCEPTED IN PART.")
    assert receipt.exists()
    forced = person.submit(package, "--force")
    assert forced.status == failures.REJECTED
    assert len(person.listed()) == before + 1


def test_without_waiting_the_id_is_the_only_data(person: Person) -> None:
    done = person.submit(person.desk.package(person.desk.records()), "--no-wait")
    assert done.status == failures.OK, done
    person.asks("submissions", "show", done.out.strip())


@pytest.mark.parametrize("which", ["id", "package_id"])
def test_record_files_replace_what_came_back_in_part(person: Person, which: str) -> None:
    desk = person.desk
    files = desk.records(3, spoiled=1)
    first = person.submit(desk.package(files), "--json").json()
    files[0].write_text(files[0].read_text().replace(",Q,", ",F,"))
    facts = ("--profile", desk.profile, "--period", QUARTER, "--key", desk.key)
    done = desk.shell(
        "submit", *files, *facts, "--replaces", first[which], *person.sftp(), "--json"
    )
    assert done.status == failures.OK, done
    shown = person.asks("submissions", "show", first["id"], "--json").json()
    assert shown["superseded_by"] == done.json()["id"]


def test_a_package_that_does_not_name_what_it_replaces_is_not_sent(person: Person) -> None:
    """Over SFTP nobody would notice: the manifest is all that the gateway is told."""
    desk = person.desk
    first = person.submit(desk.package(desk.records(1)), "--json").json()
    before = len(person.listed())
    done = person.submit(desk.package(desk.records(1)), "--replaces", first["id"])
    assert done.status == failures.REJECTED, done
    assert first["package_id"] in done.err
    assert len(person.listed()) == before
    right = desk.package(desk.records(1), "--replaces", first["package_id"])
    done = person.submit(right, "--replaces", first["id"])
    assert done.status == failures.OK, done


def test_a_dry_run_goes_through_the_sandbox_and_counts_nothing(person: Person) -> None:
    package = person.desk.package(person.desk.records(3))
    before = person.listed()
    tried = person.submit(package, "--dry-run")
    assert tried.status == failures.OK, tried
    assert tried.out.startswith("ACCEPTED. 9 rows would be accepted.")
    assert "nothing was stored or counted" in tried.err
    assert person.listed() == before
    shown = person.submit(package, "--dry-run", "--json").json()
    assert (shown["state"], shown["report"]["verdict"]) == ("checked", "accepted")
    assert person.submit(package, "--json").json()["state"] == "stored"


def test_a_message_that_the_gateway_refuses_to_keep_says_why(person: Person) -> None:
    large = person.desk.folder / "large.pgp"
    large.write_bytes(_message(person, 33 << 20))
    with person.over_sftp() as sftp, pytest.raises(Refused) as refused:
        _send(sftp, Upload.of(large))
    assert refused.value.code == "too-large"


# Lines that break.


def test_a_line_that_breaks_is_gone_on_with(person: Person) -> None:
    """Most of the message goes over the line once, although the line breaks three times."""
    slept: list[float] = []
    seen: list[int] = []
    path = person.desk.folder / "m.pgp"
    path.write_bytes(_message(person, 12 * BLOCK))
    upload = Upload.of(path)
    with relay(person.office.sftp_port, *(4 * BLOCK,) * 3) as line:
        channel = Sftp(person.access(line.port), sleep=slept.append)
        received = channel.send(Kind.SUBMISSION, upload, replaces=None, progress=seen.append)
        channel.close()
    assert received.shown["sha256"] == upload.sha256.hex()
    assert line.connections >= 4
    assert line.sent < 1.5 * upload.size
    assert sum(seen) == upload.size
    assert slept
    assert max(slept) <= 2.0, "each break came after progress"
    assert [each["size"] for each in person.listed() if each["id"] == received.id] == [upload.size]


def test_a_gateway_that_is_killed_amid_a_message_has_it_in_the_end(person: Person) -> None:
    """Of a file whose process died nothing is kept, so the message begins anew."""
    path, seen = person.desk.folder / "m.pgp", []
    path.write_bytes(_message(person, 8 * BLOCK))
    upload = Upload.of(path)

    def kill_it_once(count: int) -> None:
        if sum(seen) < 4 * BLOCK <= sum(seen) + count and -1 not in map(_sign, seen):
            person.office.running.kill("sftp")
        seen.append(count)

    with person.over_sftp() as sftp:
        received = sftp.send(Kind.SUBMISSION, upload, replaces=None, progress=kill_it_once)
    assert received.shown["sha256"] == upload.sha256.hex()
    assert min(seen) < 0, "the bar goes back"
    assert sum(seen) == upload.size


def test_the_command_survives_a_line_that_breaks_at_any_place(person: Person) -> None:
    desk = person.desk
    message = desk.folder / "m.pgp"
    with relay(person.office.sftp_port, 2_000, 5_000, 9_000) as line:
        command = ("submit", desk.package(desk.records(20)), "--key", desk.key)
        done = desk.shell(*command, *person.sftp(line.port), "--message", message)
    assert done.status == failures.OK, done
    expected = sha256(message.read_bytes()).hexdigest()
    assert len([each for each in person.listed() if each["sha256"] == expected]) == 1


def test_the_same_octets_over_either_channel_are_one_submission(person: Person) -> None:
    path = person.desk.folder / "m.pgp"
    path.write_bytes(_message(person, 1000))
    upload = Upload.of(path)
    ids = set()
    for _ in range(2):
        with person.over_sftp() as sftp:
            ids.add(_send(sftp, upload))
    with person.over_https() as https:
        ids.add(_send(https, upload))
    assert len(ids) == 1


def test_a_gateway_that_stays_away_is_unreachable_after_all_tries(person: Person) -> None:
    slept: list[float] = []
    channel = Sftp(person.access(free_port()), sleep=slept.append)
    with pytest.raises(Unreachable, match=r"sftp://127\.0\.0\.1"):
        channel.certificate()
    channel.close()
    assert len(slept) == TRIES - 1
    assert slept == sorted(slept)


# Who is there.


def test_another_host_key_is_refused_before_anything_is_said(person: Person) -> None:
    wrong = "SHA256:" + b64encode(bytes(32)).decode().rstrip("=")
    pinned = ("--host-key", wrong)
    command = ("submit", person.desk.package(person.desk.records()), "--key", person.desk.key)
    given = person.sftp()[:-2]
    before = person.listed()
    done = person.desk.shell.fails(failures.UNTRUSTED, *command, *given, *pinned)
    assert "[host-key-refused]" in done.err
    assert person.office.host_key in done.err
    assert person.listed() == before


def test_a_host_key_that_nobody_pinned_is_never_accepted(person: Person, home: Path) -> None:
    command = ("submit", person.desk.package(person.desk.records()), "--key", person.desk.key)
    given = person.sftp()[:-2]
    shell = person.desk.shell
    assert "[host-key-refused]" in shell.fails(failures.UNTRUSTED, *command, *given).err
    assert not list((home / ".ssh").iterdir()), "and nothing is remembered"

    known, trusted = person.desk.folder / "known_hosts", person.office.host_key
    public = make_ssh_key(person.desk.folder / "other-host").with_suffix(".pub").read_text()
    at = f"[127.0.0.1]:{person.office.sftp_port}"
    known.write_text(f"{at} {public}")
    shell.fails(failures.UNTRUSTED, *command, *given, "--known-hosts", known)
    known.write_text("@revoked * " + _public(person.office))
    assert (
        "revoked" in shell.fails(failures.UNTRUSTED, *command, *given, "--known-hosts", known).err
    )
    known.write_text("nothing\n")
    shell.fails(failures.USAGE, *command, *given, "--known-hosts", known)
    known.write_text(f"{at} ssh-rsa AAAA\n")
    shell.fails(failures.UNTRUSTED, *command, *given, "--known-hosts", known)

    known.write_text(f"{at} {_public(person.office)}")
    shell.well(*command, *given, "--known-hosts", known, "--dry-run")
    known.write_text(f"{at} {public}")
    wrong = shell(*command, *given, "--known-hosts", known, GATEWAY_HOST_KEY=trusted)
    assert wrong.status == failures.UNTRUSTED, "the command line wins over the environment"
    (home / ".ssh" / "known_hosts").write_text(f"{at} {_public(person.office)}")
    shell.well(*command, *given, "--dry-run")


def test_the_key_is_not_shown_to_whoever_has_another_host_key(person: Person) -> None:
    with relay(person.office.sftp_port) as line:
        access = replace(person.access(line.port), fingerprints=(fingerprint(person.ssh_key),))
        with closing(Sftp(access)) as channel, pytest.raises(HostKeyRefused):
            channel.certificate()
        assert line.connections == 1, "and it is not tried again"


def test_a_key_that_is_not_enrolled_is_told_so(person: Person, tmp_path: Path) -> None:
    stranger = replace(person, ssh_key=make_ssh_key(tmp_path / "stranger"))
    done = stranger.submit(person.desk.package(person.desk.records()))
    assert done.status == failures.REFUSED, done
    assert "[ssh-key-refused]" in done.err
    assert "administrators" in done.err


def test_a_key_with_a_passphrase_is_opened_with_it(person: Person, tmp_path: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", "long and dull", "-f", person.ssh_key],
        check=True,
    )
    package = person.desk.package(person.desk.records())
    passphrase = tmp_path / "passphrase"
    for wrong in ("", "another\n"):
        passphrase.write_text(wrong)
        given = ("--ssh-passphrase-file", passphrase) if wrong else ()
        done = person.submit(package, *given)
        assert done.status == failures.USAGE, done
        assert "[ssh-key-unusable]" in done.err
    passphrase.write_text("long and dull\n")
    assert person.submit(package, "--ssh-passphrase-file", passphrase).status == failures.OK


def test_a_key_that_others_can_read_is_not_used(person: Person) -> None:
    person.ssh_key.chmod(0o644)
    done = person.submit(person.desk.package(person.desk.records()))
    assert done.status == failures.FAILED
    assert "chmod 600" in done.err


# What became of it.


def test_what_was_sent_is_looked_at_with_the_key_alone(person: Person) -> None:
    desk = person.desk
    sent = person.submit(desk.package(desk.records(3, spoiled=1)), "--json").json()

    def asks(*command: object) -> Done:
        return desk.shell.well(*command, *person.sftp())

    [newest] = asks("submissions", "list", "--limit", "1", "--json").json()["submissions"]
    assert newest["id"] == sent["id"]
    assert sent["id"] in asks("submissions", "list").out
    shown = asks("submissions", "show", sent["id"], "--json").json()
    assert shown == {name: value for name, value in sent.items() if name != "report"}
    told = asks("submissions", "report", sent["id"])
    assert told.out == person.asks("submissions", "report", sent["id"]).out
    receipt, full = desk.folder / "r.tlog-proof", desk.folder / "report.pgp"
    asks("submissions", "receipt", sent["id"], "--out", receipt)
    log_key = ("--log-key", person.office.keys.folder / "log.vkey")
    desk.shell.well("receipt", "verify", receipt, *log_key)
    asks("submissions", "report", sent["id"], "--full", full)
    assert "'Q'" in desk.shell.well("report", full, "--key", desk.key).out


def test_a_dry_run_is_looked_at_with_the_key_alone(person: Person) -> None:
    desk = person.desk
    package = desk.package(desk.records(3, spoiled=1))
    tried = person.submit(package, "--dry-run", "--json").json()
    full = desk.folder / "tried.pgp"
    command = ("dry-runs", "report", tried["id"], "--full", full, "--json", *person.sftp())
    assert desk.shell.well(*command).json() == tried["report"]
    assert "'Q'" in desk.shell.well("report", full, "--key", desk.key).out
    listed = desk.shell.well("dry-runs", "list", "--json", *person.sftp()).json()["dry_runs"]
    assert tried["id"] in [each["id"] for each in listed]


def test_the_list_is_turned_over_page_by_page(person: Person) -> None:
    for _ in range(3):
        person.submit(person.desk.package(person.desk.records(1)))
    with person.over_sftp() as sftp, person.over_https() as https:
        before: str | None = None
        for _ in range(3):
            ours, theirs = (
                channel.page(Kind.SUBMISSION, limit=1, before=before) for channel in (sftp, https)
            )
            assert ours["submissions"] == theirs["submissions"]
            before = ours["next_before"]


def test_what_is_not_there_is_told_so(person: Person) -> None:
    for command in (("submissions", "report"), ("submissions", "receipt"), ("dry-runs", "show")):
        done = person.desk.shell.fails(failures.REFUSED, *command, str(uuid4()), *person.sftp())
        assert "[not-found]" in done.err


# What was given.


@pytest.mark.parametrize(
    "address",
    [
        *("gateway.example.org", "https://gateway.example.org", "sftp://", "sftp://h:port"),
        *("sftp://h:99999", "sftp://u:secret@h", "sftp://h/inbox", "sftp://h?x", "sftp://h#x"),
    ],
)
def test_what_is_no_address_is_told_so_and_not_repeated(address: str) -> None:
    with pytest.raises(ClientError) as refused:
        Address.of(address)
    assert refused.value.code == "sftp-address-malformed"
    assert "secret" not in str(refused.value)


def test_an_address_is_a_host_and_a_port() -> None:
    assert Address.of("sftp://h") == Address("h", 22, "ctds")
    assert Address.of("sftp://me@[::1]:2222/") == Address("::1", 2222, "me")
    assert str(Address.of("sftp://[::1]:2222")) == "sftp://[::1]:2222"


@pytest.mark.parametrize("wrong", ["", "SHA256:", "MD5:00:11", "a" * 43, f"SHA256:{'a' * 44}"])
def test_what_is_no_fingerprint_is_told_so(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(ClientError) as refused:
        Access(Address("h", 22, "u"), "key", None, (wrong,), tmp_path)
    assert refused.value.code == "host-key-malformed"


def test_half_of_what_sftp_needs_is_told_so(person: Person) -> None:
    package = person.desk.package(person.desk.records())
    for half in (person.sftp()[:2], person.sftp()[2:4]):
        done = person.desk.shell("submit", package, "--key", person.desk.key, *half)
        assert done.status == failures.USAGE
        assert "GATEWAY_S" in done.err


def test_without_the_library_https_works_and_sftp_says_what_to_install(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == "asyncssh"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    for name in ("gateway.client.sftp", "gateway.client.line"):
        monkeypatch.delitem(sys.modules, name)
    done = _with_both(person, person.office.url)
    assert done.status == failures.OK, done
    done = person.submit(person.desk.package(person.desk.records()))
    assert done.status == failures.USAGE
    assert "pip install 'ctds-gateway[sftp]'" in done.err


# Which channel.


def test_both_given_it_goes_over_https(person: Person) -> None:
    done = _with_both(person, person.office.url)
    assert done.status == failures.OK, done
    assert "SFTP" not in done.err
    assert _channel_of(person, done) == "https"


def test_where_https_does_not_answer_it_goes_over_sftp(person: Person) -> None:
    done = _with_both(person, f"http://127.0.0.1:{free_port()}")
    assert done.status == failures.OK, done
    assert "does not answer" in done.err
    assert "Going on over SFTP, at sftp://127.0.0.1:" in done.err
    assert _channel_of(person, done) == "sftp"


def test_where_a_proxy_lets_no_upload_pass_it_goes_over_sftp(person: Person) -> None:
    """Looking is let through, and the upload is answered with a page of the proxy's."""
    certificate = person.office.keys.folder / "gateway-certificate.asc"
    nothing = Answer(200, b'{"submissions": []}')
    with scripted(nothing, Answer(403, b"<html>Not here</html>")) as proxy:
        done = _with_both(person, proxy.url, "--gateway-certificate", certificate)
    assert [asked.method for asked in proxy.asked] == ["GET", "POST"]
    assert done.status == failures.OK, done
    assert "Going on over SFTP" in done.err
    assert _channel_of(person, done) == "sftp"


def test_what_the_gateway_refuses_is_not_asked_over_another_channel(person: Person) -> None:
    problem = {"code": "unauthenticated", "title": "No.", "mend": "Ask."}
    before = person.listed()
    with scripted(Answer(401, json.dumps(problem).encode())) as gateway:
        done = _with_both(person, gateway.url)
    assert done.status == failures.REFUSED
    assert "SFTP" not in done.err
    assert person.listed() == before


def test_a_bad_host_key_ends_it_also_where_https_is_away(person: Person) -> None:
    package = person.desk.package(person.desk.records())
    done = person.desk.shell(
        *("submit", package, "--key", person.desk.key, "--token-file", person.token),
        *("--url", f"http://127.0.0.1:{free_port()}", *person.sftp()[:-2]),
    )
    assert done.status == failures.UNTRUSTED
    assert "[host-key-refused]" in done.err


def test_the_environment_names_the_channel(person: Person) -> None:
    package = person.desk.package(person.desk.records())
    done = person.desk.shell(
        *("submit", package, "--key", person.desk.key),
        GATEWAY_SFTP=f"sftp://127.0.0.1:{person.office.sftp_port}",
        GATEWAY_SSH_KEY=str(person.ssh_key),
        GATEWAY_HOST_KEY=person.office.host_key,
    )
    assert done.status == failures.OK, done


def _with_both(person: Person, url: str, *options: object) -> Done:
    given = ("--url", url, "--token-file", person.token, "--json")
    return person.submit(person.desk.package(person.desk.records(1)), *given, *options)


def _channel_of(person: Person, done: Done) -> str:
    return str(person.asks("submissions", "show", done.json()["id"], "--json").json()["channel"])


def _send(channel: Channel, upload: Upload) -> str:
    return channel.send(Kind.SUBMISSION, upload, replaces=None, progress=lambda _: None).id


def _message(person: Person, size: int) -> bytes:
    """A whole message, encrypted to the gateway, of what no zip makes smaller; no package."""
    sink, now = BytesIO(), datetime.now(UTC)
    content = BytesIO(Random(fresh()).randbytes(size))
    recipients = [person.office.keys.gateway]
    sign_and_encrypt(content, sink, signer=person.desk.keyring, recipients=recipients, now=now)
    return sink.getvalue()


def _sign(count: int) -> int:
    return -1 if count < 0 else 1


def _public(office: Office) -> str:
    command = ["ssh-keygen", "-y", "-f", office.keys.folder / "ssh-host-key"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
