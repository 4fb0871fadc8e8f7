"""Receipts and reports by mail: the same octets as over HTTPS, to one mailbox, and nothing else."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import pytest
import structlog
from sqlalchemy import text

from crypto import unseal
from gateway import worker
from gateway.errors import (
    MailOverdue,
    NotFound,
    NotReady,
    RequestRefused,
    ServiceFailed,
    SettingsRefused,
)
from gateway.flow import mailing
from gateway.records import State
from gateway.settings import Process, Settings
from gateway.store.jobs import MAIL, in_hand
from gateway.wiring.worker import worker_services
from tests.gateway.cli.shell import Shell
from tests.gateway.mailserver import Keeping, Taken, mail_server, speaking
from tests.gateway.processes import Processes, free_port
from tests.gateway.stand import (
    ADMINISTRATOR,
    COUNCIL,
    OTHER_POLICE,
    POLICE,
    Keys,
    Sender,
    Stand,
    fresh,
)
from tests.gateway.working import eventually, running
from tests.validators import samples

MAILBOX, SENDER = "returns@agency.test", "receipts@gateway.test"
PORT = free_port()


@pytest.fixture(scope="module")
def environ(environ: dict[str, str]) -> dict[str, str]:
    """The settings of a gateway that mails."""
    return {**environ, "SMTP_URL": f"smtp://127.0.0.1:{PORT}", "MAIL_FROM": SENDER}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell at the gateway's own machine, or at the agency's."""
    return Shell(monkeypatch, capsys)


@pytest.fixture
def taken() -> Iterator[Taken]:
    """What arrived at a mail server that runs for one test."""
    kept = Taken()
    with mail_server(Keeping(kept), port=PORT):
        yield kept


@pytest.fixture
def sender(stand: Stand) -> Iterator[Sender]:
    """An agency with a mailbox."""
    sender = stand.sender(POLICE)
    stand.admin.mailboxes.set(POLICE, MAILBOX, by=ADMINISTRATOR)
    yield sender
    with stand.database.transaction() as session:
        session.execute(text("DELETE FROM agency_mailbox"))
        session.execute(text("DELETE FROM given_up_mail"))
        session.execute(text("DELETE FROM procrastinate_jobs"))


def waiting(stand: Stand) -> set[UUID]:
    with stand.database.transaction() as session:
        return in_hand(session, MAIL)


def settled(stand: Stand, sender: Sender, message: bytes) -> UUID:
    """A submission that came to its end, and whose mail waits."""
    submission = stand.send(sender, message)
    stand.settle()
    assert submission in waiting(stand)
    return submission


def spoiled(sender: Sender) -> bytes:
    """A package whose one row goes back, with its value in the full report."""
    records = samples.children(1, seed=fresh())
    records["CASE"][0]["sex"] = "Quillfeather"
    return sender.encrypt(sender.package(records).data)


def attachments(mail: EmailMessage) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in mail.iter_attachments():
        content: Any = part.get_content()
        assert part.get_content_type() == "application/octet-stream"
        found[str(part.get_filename())] = content
    return found


def body(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    content: str = part.get_content()
    return content


# What is in a mail.


def test_an_accepted_submission(
    stand: Stand, sender: Sender, taken: Taken, tmp_path: Path, shell: Shell
) -> None:
    submission = settled(stand, sender, sender.message(2))
    stand.worker.mailing.send(submission)
    (mail,) = [taken.read()]
    assert taken.envelopes == [(SENDER, [MAILBOX])]
    assert mail["Subject"] == f"accepted: {submission}"
    assert mail["Message-ID"] == f"<{submission}@gateway.test>"
    assert mail["Auto-Submitted"] == "auto-generated"
    ((name, receipt),) = attachments(mail).items()
    assert name == f"{datetime.now(UTC):%Y-%m-%d}_{submission}.receipt.tlog-proof"
    assert receipt == stand.get(f"/v1/submissions/{submission}/receipt", sender).get_data()
    (tmp_path / name).write_bytes(receipt)
    log_key = stand.keys.folder / "log.vkey"
    shell.well("receipt", "verify", tmp_path / name, "--log-key", log_key)
    report = stand.client.get(
        f"/v1/submissions/{submission}/report",
        headers={**sender.headers, "Accept": "text/plain"},
    )
    assert report.get_data(as_text=True) in body(mail).replace("\r\n", "\n")


def test_the_report_with_values_is_sealed_to_the_agency(
    stand: Stand, sender: Sender, taken: Taken
) -> None:
    submission = settled(stand, sender, spoiled(sender))
    stand.worker.mailing.send(submission)
    mail = taken.read()
    assert mail["Subject"] in (f"rejected: {submission}", f"accepted in part: {submission}")
    (full,) = [data for name, data in attachments(mail).items() if name.endswith(".report.pgp")]
    assert full == stand.get(f"/v1/submissions/{submission}/report.pgp", sender).get_data()
    plain = BytesIO()
    unseal(BytesIO(full), plain, keyring=sender.keyring, context=f"report-{submission}.json")
    assert b"Quillfeather" in plain.getvalue()
    assert "Quillfeather" not in body(mail)


def test_what_cannot_be_opened_is_told_of(stand: Stand, sender: Sender, taken: Taken) -> None:
    submission = settled(stand, sender, b"-----BEGIN PGP MESSAGE-----\n\nnot one\n")
    stand.worker.mailing.send(submission)
    mail = taken.read()
    assert mail["Subject"] == f"rejected: {submission}"
    assert "Rejected (" in body(mail)
    assert len(attachments(mail)) == 1


def test_a_report_that_is_too_large_stays_where_it_is(
    stand: Stand, sender: Sender, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailing, "LARGEST_REPORT", 10)
    submission = settled(stand, sender, spoiled(sender))
    stand.worker.mailing.send(submission)
    assert len(attachments(taken.read())) == 1
    assert "too large to be mailed" in body(taken.read())


def test_every_line_is_one_that_mail_servers_take(
    stand: Stand, sender: Sender, taken: Taken
) -> None:
    stand.worker.mailing.send(settled(stand, sender, spoiled(sender)))
    lines = taken.mails[-1].split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert taken.mails[-1].isascii()


# Whom it goes to, and whether at all.


def test_no_mailbox_no_mail(stand: Stand, taken: Taken) -> None:
    sender = stand.sender(COUNCIL)
    stand.send(sender, sender.message(1))
    stand.settle()
    assert waiting(stand) == set()


def test_a_dry_run_is_not_mailed(stand: Stand, sender: Sender, taken: Taken) -> None:
    stand.try_out(sender, sender.message(1))
    stand.settle()
    assert waiting(stand) == set()


def test_another_agency_gets_nothing(stand: Stand, sender: Sender, taken: Taken) -> None:
    stand.admin.enrolment.enrol(
        OTHER_POLICE, stand.sender(OTHER_POLICE).keyring.certificates[0].data, by=ADMINISTRATOR
    )
    stand.admin.mailboxes.set(OTHER_POLICE, "other@elsewhere.test", by=ADMINISTRATOR)
    stand.worker.mailing.send(settled(stand, sender, sender.message(1)))
    assert taken.envelopes == [(SENDER, [MAILBOX])]


@pytest.mark.parametrize("cause", ["removed", "suspended", "withdrawn", "unknown"])
def test_whoever_is_not_to_be_told_any_more_is_not(
    stand: Stand, sender: Sender, taken: Taken, cause: str
) -> None:
    submission = settled(stand, sender, sender.message(1))
    if cause == "removed":
        stand.admin.mailboxes.remove(POLICE, by=ADMINISTRATOR)
    if cause == "suspended":
        stand.admin.enrolment.suspend(POLICE, by=ADMINISTRATOR)
    if cause == "withdrawn":
        stand.client.post(f"/v1/submissions/{submission}/withdrawal", headers=sender.headers)
        assert stand.state(submission) is State.WITHDRAWN
    stand.worker.mailing.send(UUID(int=0) if cause == "unknown" else submission)
    assert taken.mails == []
    if cause == "suspended":
        stand.admin.enrolment.resume(POLICE, by=ADMINISTRATOR)


def test_a_mailbox_that_changed_meanwhile_is_the_one(
    stand: Stand, sender: Sender, taken: Taken
) -> None:
    submission = settled(stand, sender, sender.message(1))
    stand.admin.mailboxes.set(POLICE, "new@agency.test", by=ADMINISTRATOR)
    stand.worker.mailing.send(submission)
    assert taken.envelopes == [(SENDER, ["new@agency.test"])]


@pytest.mark.parametrize(
    "written",
    ["returns@agency.test\r\nBcc: thief@evil.test", "returns@agency.test,thief@evil.test", ""],
)
def test_what_somebody_wrote_into_the_database_is_not_believed(
    stand: Stand, sender: Sender, taken: Taken, written: str
) -> None:
    submission = settled(stand, sender, sender.message(1))
    with stand.database.transaction() as session:
        session.execute(text("UPDATE agency_mailbox SET address = :it"), {"it": written})
    with structlog.testing.capture_logs() as said:
        worker._mail(stand.worker, submission)
    assert taken.mails == []
    assert [(each["event"], each.get("error_code")) for each in said] == [
        ("job", None),
        ("mail.given-up", "mailbox-malformed"),
    ]
    assert "evil" not in str(said)


# What administrators do, and what the log has of it.


def test_each_change_of_a_mailbox_is_in_the_log_and_the_address_is_not(stand: Stand) -> None:
    stand.sender(COUNCIL)
    boxes = stand.admin.mailboxes
    assert boxes.find(COUNCIL) is None
    for address in ("one@agency.test", "one@agency.test", "two@agency.test"):
        boxes.set(COUNCIL, address, by=ADMINISTRATOR)
    assert boxes.find(COUNCIL) == "two@agency.test"
    boxes.remove(COUNCIL, by=ADMINISTRATOR)
    with pytest.raises(NotFound):
        boxes.remove(COUNCIL, by=ADMINISTRATOR)
    for attack in ("a@b.test\r\nBcc: c@d.test", "a@b.test,c@d.test"):
        with pytest.raises(RequestRefused):
            boxes.set(COUNCIL, attack, by=ADMINISTRATOR)
    with pytest.raises(NotFound):
        boxes.set("LA-E06000001", "one@agency.test", by=ADMINISTRATOR)
    with pytest.raises(NotFound):
        boxes.find("LA-E06000001")
    told = [each for each in stand.entries() if each.object_id == COUNCIL]
    assert [str(each.action) for each in told if "mailbox" in each.action] == [
        "mailbox.set",
        "mailbox.set",
        "mailbox.removed",
    ]
    assert not any(b"agency.test" in each.to_bytes() for each in stand.entries())


def test_the_command(stand: Stand, shell: Shell) -> None:
    stand.sender(COUNCIL)
    command, environ = ("agency", "mailbox", COUNCIL), stand.environ
    set_ = shell.well(*command, MAILBOX, "--reason", "agency-request", **environ)
    assert set_.out.split() == ["agency", COUNCIL, "mailbox", MAILBOX]
    assert shell.well(*command, "--json", **environ).json() == {
        "agency": COUNCIL,
        "mailbox": MAILBOX,
    }
    refused = shell.fails(7, *command, "a@b.test\nBcc: c@d.test", **environ)
    assert "c@d.test" not in refused.out + refused.err
    assert shell(*command, MAILBOX, "--remove", **environ).status == 2
    assert shell.well(*command, "--remove", "--json", **environ).json()["mailbox"] is None
    assert shell.well(*command, **environ).out.split() == ["agency", COUNCIL, "mailbox", "none"]
    entry = [each for each in stand.entries() if each.action == "mailbox.set"][-1]
    assert entry.reason_code == "agency-request"


# When it is tried, and when no more.


def test_before_the_receipt_there_is_no_mail(stand: Stand, sender: Sender, taken: Taken) -> None:
    submission = stand.send(sender, sender.message(1))
    stand.worker.processor.process(submission)
    with pytest.raises(NotReady):
        stand.worker.mailing.send(submission)
    assert taken.mails == []
    stand.sequence()
    stand.worker.mailing.send(submission)
    assert len(taken.mails) == 1


def test_a_rolled_back_judgement_mails_nothing(
    stand: Stand, sender: Sender, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = stand.send(sender, sender.message(1))

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr("gateway.flow.process.move", breaks)
    with pytest.raises(RuntimeError):
        stand.worker.processor.process(submission)
    monkeypatch.undo()
    assert waiting(stand) == set()
    stand.settle()
    assert waiting(stand) == {submission}


def test_a_server_that_is_away_is_tried_again_and_given_up_after_a_day(
    stand: Stand, sender: Sender
) -> None:
    submission = settled(stand, sender, sender.message(1))
    with structlog.testing.capture_logs() as said, pytest.raises(ServiceFailed):
        worker._mail(stand.worker, submission)
    assert said[-1]["event"] == "mail.waits"
    assert said[-1]["detail"] == "ConnectionRefusedError"
    with stand.database.transaction() as session:
        session.execute(
            text("UPDATE submission SET settled_at = :then WHERE id = :id"),
            {"then": datetime.now(UTC) - timedelta(hours=25), "id": submission},
        )
    with pytest.raises(MailOverdue):
        stand.worker.mailing.send(submission)
    with structlog.testing.capture_logs() as said:
        worker._mail(stand.worker, submission)
    assert said[-1]["event"] == "mail.given-up"
    assert said[-1]["error_code"] == "mail-overdue"
    assert MAILBOX not in str(said)
    assert stand.get(f"/v1/submissions/{submission}/receipt", sender).status_code == 200


def test_what_is_refused_for_good_is_not_tried_again(stand: Stand, sender: Sender) -> None:
    submission = settled(stand, sender, sender.message(1))
    handler = Keeping(Taken(), to_recipient=f"550 {MAILBOX} is nobody here")
    with mail_server(handler, port=PORT), structlog.testing.capture_logs() as said:
        worker._mail(stand.worker, submission)
    assert said[-1]["event"] == "mail.given-up"
    assert said[-1]["detail"] == "SMTPRecipientsRefused 550"
    assert MAILBOX not in str(said)


def give_up(stand: Stand, submission: UUID) -> None:
    """Have a worker give a mail up at once, as its mail server wants none of it."""
    with mail_server(Keeping(Taken(), to_recipient="550 nobody here"), port=PORT):
        worker._mail(stand.worker, submission)
    with stand.database.transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))


def test_a_mail_that_was_given_up_is_sent_again_when_an_operator_says_so(
    stand: Stand, sender: Sender
) -> None:
    submission = settled(stand, sender, sender.message(1))
    for _ in range(2):  # what is given up again is on the list again
        give_up(stand, submission)
        (listed,) = stand.admin.repair.given_up_mails()
        assert (listed.id, listed.agency_id) == (submission, POLICE)
        assert listed.error_code == "mail-refused"
        stand.admin.repair.mail_again([submission], by=ADMINISTRATOR)
        assert waiting(stand) == {submission}
        assert stand.admin.repair.given_up_mails() == []
    assert stand.about(submission)[-2:] == ["mail.retried", "mail.retried"]
    taken = Taken()
    with mail_server(Keeping(taken), port=PORT), running(stand):
        assert eventually(lambda: len(taken.mails) == 1)
        assert eventually(lambda: waiting(stand) == set())
    assert taken.envelopes == [(SENDER, [MAILBOX])]
    assert stand.admin.repair.given_up_mails() == []


def test_a_mail_that_is_sent_again_has_a_day_of_its_own(stand: Stand, sender: Sender) -> None:
    submission = settled(stand, sender, sender.message(1))
    give_up(stand, submission)
    with stand.database.transaction() as session:
        session.execute(
            text("UPDATE submission SET settled_at = :then WHERE id = :id"),
            {"then": datetime.now(UTC) - timedelta(days=40), "id": submission},
        )
    stand.admin.repair.mail_again([submission], by=ADMINISTRATOR)
    taken = Taken()
    with mail_server(Keeping(taken), port=PORT), running(stand):
        assert eventually(lambda: len(taken.mails) == 1)
    then = datetime.now(UTC) - timedelta(hours=25)
    with pytest.raises(MailOverdue):
        stand.worker.mailing.send(submission, asked_at=then)


def test_mails_are_sent_again_all_or_none(stand: Stand, sender: Sender) -> None:
    submission, sent = (settled(stand, sender, sender.message(1)) for _ in range(2))
    give_up(stand, submission)
    before = stand.about(submission)
    for wrong in (UUID(int=0), sent, submission):
        with pytest.raises(NotFound, match=str(wrong)):
            stand.admin.repair.mail_again([submission, wrong], by=ADMINISTRATOR)
    assert [each.id for each in stand.admin.repair.given_up_mails()] == [submission]
    assert waiting(stand) == set()
    assert stand.about(submission) == before


def test_the_commands_for_what_was_given_up(stand: Stand, sender: Sender, shell: Shell) -> None:
    first, second, third = (settled(stand, sender, sender.message(1)) for _ in range(3))
    for submission in (first, second, third):
        give_up(stand, submission)
    environ = stand.environ
    listed = shell.well("mail", "list", "--json", **environ)
    assert [each["id"] for each in listed.json()["mails"]] == [
        str(each) for each in (first, second, third)
    ]
    table = shell.well("mail", "list", **environ).out
    assert f"{first}  {POLICE}  mail-refused" in table
    assert MAILBOX not in table + listed.out
    assert shell("mail", "retry", **environ).status == 2
    assert shell("mail", "retry", str(first), "--all", **environ).status == 2
    assert str(second) in shell.well("mail", "retry", str(second), **environ).out
    again = shell.fails(7, "mail", "retry", str(second), **environ)
    assert "not-found" in again.err
    both = shell.well("mail", "retry", "--all", "--json", **environ).json()
    assert both == {"mails": [{"id": str(first)}, {"id": str(third)}]}
    assert waiting(stand) == {first, second, third}
    assert shell.well("mail", "list", "--json", **environ).json() == {"mails": []}


def test_a_worker_without_a_mail_server_says_so(stand: Stand, sender: Sender) -> None:
    submission = settled(stand, sender, sender.message(1))
    without = {k: v for k, v in stand.environ.items() if k not in ("SMTP_URL", "MAIL_FROM")}
    services = worker_services(Settings.load(without, Process.WORKER))
    with structlog.testing.capture_logs() as said, pytest.raises(ServiceFailed):
        worker._mail(services, submission)
    assert said[-1]["error_code"] == "mail-not-configured"
    services.database.dispose()


@pytest.mark.parametrize(
    ("error", "attempts", "seconds"),
    [
        (ServiceFailed("mail-waits", "Away.", "Wait."), 0, 1),
        (ServiceFailed("mail-waits", "Away.", "Wait."), 5, 32),
        (ServiceFailed("mail-waits", "Away.", "Wait."), 500, 3600),
        (NotReady("receipt-not-ready", "Soon.", "Wait."), 1, 2),
        (NotReady("receipt-not-ready", "Soon.", "Wait."), 500, 60),
        (ValueError(), 12, 3600),
    ],
)
def test_the_pauses_grow(error: Exception, attempts: int, seconds: int) -> None:
    job: Any = type("Job", (), {"attempts": attempts})()
    before = datetime.now(UTC)
    decision = worker._MailRetry().get_retry_decision(exception=error, job=job)
    assert decision.retry_at is not None
    assert abs((decision.retry_at - before).total_seconds() - seconds) < 1


# The worker itself.


def test_a_mail_server_that_hangs_holds_up_no_judging(stand: Stand, sender: Sender) -> None:
    """More mails than a worker has hands wait on a server that takes connections and is silent."""
    stuck = Event()

    def hangs(line: Any) -> None:
        stuck.set()
        line.recv(1)

    mails = [settled(stand, sender, sender.message(1)) for _ in range(3)]
    with speaking(hangs) as port:
        stand.environ["SMTP_URL"] = f"smtp://127.0.0.1:{port}"
        try:
            with running(stand):
                assert stuck.wait(20)
                began = time.monotonic()
                another = stand.send(sender, sender.message(1))
                assert eventually(lambda: stand.state(another) is State.STORED, seconds=10)
                assert time.monotonic() - began < 10
                assert set(mails) <= waiting(stand)
        finally:
            stand.environ["SMTP_URL"] = f"smtp://127.0.0.1:{PORT}"


def test_a_worker_mails_by_itself_and_once(stand: Stand, sender: Sender, taken: Taken) -> None:
    submission = stand.send(sender, sender.message(1))
    with running(stand):
        assert eventually(lambda: stand.state(submission) is State.STORED)
        stand.sequence()
        assert eventually(lambda: len(taken.mails) == 1)
        assert eventually(lambda: waiting(stand) == set())
        time.sleep(2)
    assert len(taken.mails) == 1


def test_a_worker_that_dies_before_it_says_so_sends_the_same_mail_again(
    stand: Stand, sender: Sender, tmp_path: Path
) -> None:
    """kill -9 once the server has the mail: it comes again, and mail programs show it once."""
    taken, gateway = Taken(), Processes(stand.environ, tmp_path)

    def kill_the_sender() -> str:
        if len(taken.mails) == 1:
            os.killpg(gateway.pids[gateway.names.index("worker-0")], signal.SIGKILL)
        return "250 OK"

    with mail_server(Keeping(taken, to_data=kill_the_sender), port=PORT), gateway:
        submission = stand.send(sender, sender.message(1))
        assert eventually(lambda: len(taken.mails) == 2, seconds=60)
        assert eventually(lambda: waiting(stand) == set())
    first, second = taken.read(0), taken.read(1)
    assert first["Message-ID"] == second["Message-ID"] == f"<{submission}@gateway.test>"
    assert attachments(first).keys() == attachments(second).keys()
    assert len(taken.mails) == 2
    assert MAILBOX not in "".join(gateway.log(name) for name in gateway.names)


# Settings.


def loaded(environ: dict[str, str], **changed: str) -> list[str]:
    """The faults of these settings."""
    try:
        Settings.load({**environ, **changed}, Process.WORKER)
    except SettingsRefused as refused:
        return list(refused.faults)
    return []


def test_settings_of_mail_go_together(environ: dict[str, str], keys: Keys, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("pässword\n")
    secret.chmod(0o600)
    bare = {k: v for k, v in environ.items() if k not in ("SMTP_URL", "MAIL_FROM")}
    assert loaded(bare) == []
    assert loaded(environ) == []
    url = {"SMTP_URL": "smtps://user@mail.example.org"}
    both = {"SMTP_URL": "smtps://user:word@mail.example.org"}
    named = {"SMTP_PASSWORD_FILE": str(secret)}
    assert loaded(environ, **url, **named) == []
    assert loaded(environ, **both) == []
    one = ["SMTP_URL: a user has one password, in SMTP_PASSWORD_FILE or in the URL."]
    assert loaded(environ, **url) == one
    assert loaded(environ, **both, **named) == one
    assert loaded(environ, **named) == one
    assert loaded(bare, SMTP_URL="smtps://mail.example.org") == ["MAIL_FROM is not set."]
    assert loaded(bare, MAIL_FROM=SENDER) == ["SMTP_URL is not set."]
    (wrong,) = loaded(environ, SMTP_URL="smtp://SECRET:word@")
    assert "SECRET" not in wrong
    assert loaded(environ, MAIL_FROM="a@b.test\nBcc: c@d.test") == [
        "MAIL_FROM must be one plain address, such as gateway@example.org."
    ]
    with pytest.raises(SettingsRefused, match="ASCII"):
        worker_services(Settings.load({**environ, **url, **named}, Process.WORKER))
    secret.chmod(0o644)
    assert loaded(environ, **url, **named) == [
        f"SMTP_PASSWORD_FILE: {secret} must be readable by its owner only (chmod 600)."
    ]


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("smtp://127.0.0.1:25", True),
        ("smtp://[::1]:25", True),
        ("smtp://localhost", True),
        ("smtp://mail.example.org:25", False),
        ("smtp://127.0.0.1.example.org", False),
        ("smtp://10.0.0.1:25", False),
        ("smtps://mail.example.org", True),
        ("smtp+starttls://mail.example.org", True),
    ],
)
def test_production_sends_nothing_unencrypted_to_another_machine(
    environ: dict[str, str], url: str, safe: bool
) -> None:
    faults = loaded(environ, SMTP_URL=url, GATEWAY_ENV="production")
    told = "SMTP_URL must be smtps:// or smtp+starttls:// unless it is on this machine."
    assert (told in faults) is not safe


def test_no_other_process_reads_the_settings_of_mail(environ: dict[str, str]) -> None:
    for process in set(Process) - {Process.WORKER}:
        assert Settings.load(environ, process).mail is None
