"""deploy/postgres: the whole way of a submission with each process under its own role, and no more.

The scripts run as an operator runs them, against a real PostgreSQL.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from time import monotonic, sleep

import psycopg
import pytest
from psycopg import errors, sql
from sqlalchemy import make_url, text

from gateway.embedded import EmbeddedServers
from gateway.errors import Unauthenticated
from gateway.flow.enrolment import Change
from gateway.flow.quarantine import Delivery
from gateway.flow.sshkeys import PublicKey
from gateway.records import Channel, Role, State
from gateway.settings import Process, Settings
from gateway.store.database import Database
from gateway.store.stamps import StampPlace, add_stamp, newest_stamps
from gateway.web import create_app
from gateway.wiring.admin import admin_services
from gateway.wiring.mirror import mirror_services
from gateway.wiring.sequencer import sequencer_services
from gateway.wiring.sftp import sftp_services
from gateway.wiring.web import web_services
from gateway.wiring.worker import worker_services
from tests.gateway import owner
from tests.gateway.linking import remembered
from tests.gateway.mailserver import Keeping, Taken, mail_server
from tests.gateway.processes import free_port
from tests.gateway.sftp.conftest import make_ssh_key
from tests.gateway.stand import (
    ADMINISTRATOR,
    COUNCIL,
    OTHER_POLICE,
    POLICE,
    Keys,
    Stand,
    development,
    fresh,
    make_keys,
)
from tests.validators import samples

SCRIPTS = Path(__file__).parents[2] / "deploy" / "postgres"
ROLES = {
    Process.WEB: "gateway_web",
    Process.SFTP: "gateway_sftp",
    Process.WORKER: "gateway_worker",
    Process.SEQUENCER: "gateway_sequencer",
    Process.MIRROR: "gateway_mirror",
    Process.ADMIN: "gateway_admin",
}
PASSWORD = token_hex(8)
MAIL_PORT = free_port()
LOOP = """
import os
from threading import Event
from gateway.settings import Process, Settings
from gateway.{name} import run_{name}
run_{name}(Settings.load(os.environ, Process("{name}")), Event())
"""


class StandOfRoles(Stand):
    """A gateway whose every process logs in as its own role."""

    def __post_init__(self) -> None:
        owner = admin_services(Settings.load(self.environ, Process.ADMIN))
        owner.objects.prepare()
        owner.database.dispose()
        self.database = Database(self.environ["DATABASE_URL"])
        self.admin = admin_services(self.settings(Process.ADMIN))
        self.services = web_services(self.settings(Process.WEB))
        self.worker = worker_services(self.settings(Process.WORKER))
        self.sequencer = sequencer_services(self.settings(Process.SEQUENCER))
        self.app = create_app(self.services)
        self.client = self.app.test_client()

    def settings(self, process: Process) -> Settings:
        """The settings of one process, with its own role."""
        return Settings.load(self._environ_of(process), process)

    @contextmanager
    def running(self, process: Process) -> Iterator[None]:
        """A real process of this kind."""
        self.have_signer()
        code = LOOP.format(name=process)
        environ = {**os.environ, **self._environ_of(process)}
        with subprocess.Popen([sys.executable, "-c", code], env=environ) as started:
            try:
                yield
            finally:
                started.terminate()

    def _environ_of(self, process: Process) -> dict[str, str]:
        url = address(self.environ["DATABASE_URL"], process)
        return {**self.environ, "DATABASE_URL": url}


def address(url: str, process: Process) -> str:
    """The database's address for the role of a process."""
    role = make_url(url).set(username=ROLES[process], password=PASSWORD)
    return role.render_as_string(hide_password=False)


def plain(url: str) -> str:
    """The address as libpq reads it."""
    return url.replace("+psycopg", "", 1)


@pytest.fixture(scope="module")
def granted(servers: EmbeddedServers, database_url: str) -> str:
    """The module's database, after both scripts, the second run twice as after an upgrade."""
    with psycopg.connect(plain(servers.postgres.admin_url), autocommit=True) as superuser:
        superuser.execute((SCRIPTS / "roles.sql").read_text())
        for role in ROLES.values():
            superuser.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), PASSWORD)
            )
    for _ in range(2):
        with psycopg.connect(plain(database_url)) as owner:
            owner.execute((SCRIPTS / "grants.sql").read_text())
    return database_url


@pytest.fixture(scope="module")
def stand(
    servers: EmbeddedServers,
    granted: str,
    bucket_prefix: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[StandOfRoles]:
    """A gateway of separate roles."""
    keys: Keys = make_keys(tmp_path_factory.mktemp("keys"))
    environ = {
        **development(servers.environ(), keys, bucket_prefix=bucket_prefix),
        "DATABASE_URL": granted,
        "SMTP_URL": f"smtp://127.0.0.1:{MAIL_PORT}",
        "MAIL_FROM": "gateway@gateway.test",
    }
    running = StandOfRoles(environ, keys)
    yield running
    running.close()
    running.database.dispose()


def test_every_process_can_do_its_work(stand: StandOfRoles) -> None:
    sender = stand.sender(POLICE)
    sent = stand.send(sender, sender.message(2))
    with stand.running(Process.WORKER), stand.running(Process.SEQUENCER):
        _await(lambda: stand.state(sent) is State.STORED)
        _await(lambda: stand.get(f"/v1/submissions/{sent}/receipt", sender).status_code == 200)
        assert stand.report(sender, sent)["verdict"] == "accepted"

        asks, decides = stand.as_role(Role.ANALYST), stand.as_role(Role.ANALYST)
        body = {"name": "roles-2026", "purpose": "Quarterly figures for the annual report"}
        asked = stand.client.post("/v1/releases", json=body, headers=asks)
        release = f"/v1/releases/{asked.get_json()['id']}"
        decided = stand.client.post(
            f"{release}/decision", json={"decision": "approve"}, headers=decides
        )
        assert decided.status_code == 200, decided.get_data(as_text=True)
        _await(lambda: stand.client.get(f"{release}/manifest", headers=asks).status_code == 200)
        fetched = stand.client.get(f"{release}/objects/{sent}", headers=asks)
        assert fetched.status_code == 200
        assert remembered(stand, sent) == 2
        answer = stand.client.post(f"/v1/submissions/{sent}/withdrawal", headers=sender.headers)
        assert answer.get_json()["state"] == "withdrawn"
        # The web process may not look there, and what it withdraws is forgotten all the same.
        assert remembered(stand, sent) == 0


def test_the_mirror_can_do_its_work(stand: StandOfRoles) -> None:
    stand.sender(POLICE)
    stand.sequence()
    services = mirror_services(stand.settings(Process.MIRROR))
    found = services.mirror.catch_up()
    assert found is not None
    assert services.bucket.newest(0) == found.size
    services.database.dispose()


def test_a_worker_mails_what_an_administrator_lets_it(stand: StandOfRoles) -> None:
    sender = stand.sender(COUNCIL)
    boxes = stand.admin.mailboxes
    for address in ("one@agency.test", "two@agency.test"):
        boxes.set(COUNCIL, address, by=ADMINISTRATOR)
    sent = stand.send(sender, sender.message(1))
    stand.settle()
    taken = Taken()
    with mail_server(Keeping(taken), port=MAIL_PORT):
        stand.worker.mailing.send(sent)
        boxes.remove(COUNCIL, by=ADMINISTRATOR)
        stand.worker.mailing.send(sent)
    assert [recipients for _, recipients in taken.envelopes] == [["two@agency.test"]]


def test_operators_list_given_up_mails_and_have_them_sent_again_as_the_worker(
    stand: StandOfRoles,
) -> None:
    sender = stand.sender(COUNCIL)
    sent = stand.send(sender, sender.message(1))
    stand.settle()
    url = address(stand.environ["DATABASE_URL"], Process.WORKER)
    operator = admin_services(Settings.load({**stand.environ, "DATABASE_URL": url}, Process.ADMIN))
    for _ in range(2):
        stand.worker.mailing.give_up(sent, "mail-overdue")
        stand.worker.mailing.give_up(sent, "mail-refused")
        assert [each.error_code for each in operator.repair.given_up_mails()] == ["mail-refused"]
        operator.repair.mail_again([sent], by=ADMINISTRATOR)
    assert operator.repair.given_up_mails() == []
    operator.database.dispose()


def test_other_ends_and_dry_runs_need_no_more(stand: StandOfRoles) -> None:
    sender = stand.sender(OTHER_POLICE)
    rejected = stand.send(sender, sender.encrypt(b"not a ZIP archive"))
    stand.settle()
    assert stand.state(rejected) is State.REJECTED

    first = sender.package(samples.children(2, seed=fresh()))
    replaced = stand.send(sender, sender.encrypt(first.data))
    stand.settle()
    named = first.manifest["submission_id"]
    second = sender.package(
        samples.children(2, seed=fresh()), submission_type="REPLACEMENT", replaces=named
    )
    stand.send(sender, sender.encrypt(second.data))
    stand.settle()
    shown = stand.get(f"/v1/submissions/{replaced}", sender).get_json()
    assert shown["superseded_by"] is not None

    tried = stand.try_out(sender, sender.message(1))
    stand.settle()
    assert stand.get(f"/v1/dry-runs/{tried}/report", sender).get_json()["verdict"] == "accepted"
    with stand.database.transaction() as session:
        session.execute(text("UPDATE dry_run SET expires_at = now()"))
    assert stand.worker.rehearsal.remove_expired() == 1
    assert stand.worker.linkage.forget_old() == 0

    failed = stand.send(sender, sender.message(1))
    stand.worker.processor.fail(failed, "worker-lost")
    assert stand.state(failed) is State.FAILED


def test_an_administrator_can_suspend_and_revoke(stand: StandOfRoles) -> None:
    sender = stand.sender(COUNCIL)
    stand.admin.enrolment.enrol(COUNCIL, sender.keyring.certificates[0].data, by=ADMINISTRATOR)
    stand.admin.enrolment.suspend(COUNCIL, by=ADMINISTRATOR)
    assert stand.get("/v1/submissions", sender).status_code == 401
    issued = stand.admin.access.issue(
        "auditor-1", Role.AUDITOR, agency_id=None, valid_for=timedelta(1), by=ADMINISTRATOR
    )
    stand.admin.access.revoke(issued.id, by=ADMINISTRATOR)
    stand.admin.enrolment.revoke(sender.keyring.fingerprints[0], by=ADMINISTRATOR)


def test_an_administrator_updates_lists_and_traces_certificates(stand: StandOfRoles) -> None:
    sender = stand.sender(POLICE)
    keyring = sender.keyring
    longer = owner.extended(keyring, datetime.now(UTC) + timedelta(20))
    result = stand.admin.enrolment.enrol(POLICE, longer, by=ADMINISTRATOR)
    assert result.change is Change.UPDATED
    sent = stand.send(sender, sender.message(1))
    stand.settle()
    assert stand.worker.expiry.warn()
    assert stand.get(f"/v1/submissions/{sent}", sender).get_json()["notice"]
    listed = stand.admin.certificates.list(POLICE)
    assert keyring.fingerprints[0] in [each.fingerprint for each in listed]
    traced = stand.admin.certificates.exposure(
        keyring.fingerprints[0], since=None, by=ADMINISTRATOR
    )
    assert [each.id for each in traced] == [sent]


def test_the_sftp_process_can_do_its_work(stand: StandOfRoles, tmp_path: Path) -> None:
    sender = stand.sender(POLICE)
    make_ssh_key(tmp_path / "key")
    key = PublicKey.parse((tmp_path / "key.pub").read_text())
    day = timedelta(days=1)
    stand.admin.ssh_keys.enrol(
        key, agency_id=POLICE, subject="upload", valid_for=day, by=ADMINISTRATOR
    )
    environ = {
        **stand.environ,
        "DATABASE_URL": address(stand.environ["DATABASE_URL"], Process.SFTP),
        "SFTP_HOST_KEY_FILE": str(tmp_path / "key"),
        "SFTP_SPOOL_FOLDER": str(tmp_path),
    }
    tmp_path.chmod(0o700)
    services = sftp_services(Settings.load(environ, Process.SFTP))
    by = services.ssh_keys.authenticate(key.fingerprint, source="192.0.2.1", request_id=None)

    def delivery(message: bytes) -> Delivery:
        return Delivery(BytesIO(message), len(message), Channel.SFTP, digests={})

    message = sender.message(1)
    sent = services.intake.receive(delivery(message), by=by).submission
    assert services.intake.receive(delivery(message), by=by).repeated
    services.dry_runs.receive(delivery(sender.message(1)), by=by)
    stand.settle()
    papers = services.papers.lay_out(by=by, known={})
    assert len([name for name in papers if str(sent.id) in name]) == 4
    assert [name for name in papers if "sandbox" in name]
    for paper in papers.values():
        assert services.papers.take(paper, by=by)
    assert stand.state(sent.id) is State.STORED
    stand.admin.ssh_keys.revoke(key.fingerprint, by=ADMINISTRATOR)
    with pytest.raises(Unauthenticated):
        services.ssh_keys.authenticate(key.fingerprint, source=None, request_id=None)
    services.database.dispose()


FORBIDDEN = {
    Process.WEB: (
        "INSERT INTO log_timestamp VALUES (1, 'tsa', '', '', now())",
        "DELETE FROM agency_counter",
        "UPDATE agency_counter SET agency_id = ''",
        "UPDATE log_leaf SET entry = ''",
        "DELETE FROM log_checkpoint",
        "INSERT INTO log_leaf VALUES (0, gen_random_uuid(), '', '')",
        "DELETE FROM audit_outbox",
        "UPDATE audit_outbox SET entry = ''",
        "INSERT INTO access_token SELECT * FROM access_token",
        "UPDATE access_token SET revoked_at = NULL",
        "INSERT INTO certificate SELECT * FROM certificate",
        "UPDATE agency SET suspended_at = NULL",
        "UPDATE submission SET sha256 = ''",
        "UPDATE submission SET sealed_sha256 = ''",
        "DELETE FROM submission",
        "UPDATE dry_run SET state = 'checked'",
        "DELETE FROM dry_run",
        "UPDATE release SET manifest = ''",
        "UPDATE release SET requested_by = 'somebody else'",
        "UPDATE submission_transition SET to_state = 'stored'",
        "CREATE TABLE mine (id int)",
        "SELECT * FROM remembered_record",
        "DELETE FROM remembered_record",
        "SELECT * FROM linkage_token",
        "SELECT * FROM linkage_pepper",
        "SELECT * FROM agency_mailbox",
        "UPDATE agency_mailbox SET address = 'thief@evil.test'",
    ),
    Process.SFTP: (
        "DELETE FROM agency_counter",
        "UPDATE agency_counter SET agency_id = ''",
        "UPDATE log_leaf SET entry = ''",
        "DELETE FROM audit_outbox",
        "UPDATE audit_outbox SET entry = ''",
        "SELECT * FROM access_token",
        "SELECT * FROM certificate",
        "INSERT INTO ssh_key SELECT * FROM ssh_key",
        "UPDATE ssh_key SET revoked_at = NULL",
        "UPDATE submission SET state = 'withdrawn'",
        "DELETE FROM submission",
        "SELECT * FROM release",
        "SELECT * FROM linkage_token",
        "SELECT * FROM agency_mailbox",
        "CREATE TABLE mine (id int)",
    ),
    Process.WORKER: (
        "SELECT * FROM log_timestamp",
        "DELETE FROM agency_counter",
        "UPDATE agency_counter SET agency_id = ''",
        "UPDATE agency_mailbox SET address = 'thief@evil.test'",
        "INSERT INTO agency_mailbox SELECT * FROM agency_mailbox",
        "UPDATE log_leaf SET entry = ''",
        "INSERT INTO log_checkpoint VALUES (1, '', now())",
        "DELETE FROM audit_outbox",
        "SELECT * FROM access_token",
        "INSERT INTO certificate SELECT * FROM certificate",
        "UPDATE submission SET agency_id = agency_id",
        "UPDATE submission SET received_at = now()",
        "UPDATE release SET state = 'approved'",
        "INSERT INTO submission SELECT * FROM submission",
        "INSERT INTO dry_run SELECT * FROM dry_run",
        "UPDATE dry_run SET sha256 = ''",
        "UPDATE dry_run SET expires_at = now()",
        "DELETE FROM submission",
        "UPDATE certificate SET data = ''",
        "DELETE FROM certificate_warning",
        "UPDATE remembered_record SET facts = ''",
        "UPDATE linkage_token SET token = ''",
        "DELETE FROM linkage_token",
        "UPDATE linkage_pepper SET name = ''",
        "DELETE FROM linkage_pepper",
    ),
    Process.SEQUENCER: (
        "SELECT * FROM agency_counter",
        "UPDATE agency_counter SET next = next + 1",
        "UPDATE log_leaf SET entry = ''",
        "DELETE FROM log_leaf",
        "UPDATE log_checkpoint SET note = ''",
        "TRUNCATE log_tile",
        "UPDATE log_timestamp SET token = ''",
        "DELETE FROM log_timestamp",
        "UPDATE audit_outbox SET entry = ''",
        "INSERT INTO audit_outbox (event_id, entry) VALUES (gen_random_uuid(), '')",
        "SELECT * FROM submission",
        "SELECT * FROM access_token",
        "SELECT * FROM linkage_token",
        "SELECT * FROM agency_mailbox",
    ),
    Process.MIRROR: (
        "UPDATE log_leaf SET entry = ''",
        "DELETE FROM log_leaf",
        "INSERT INTO log_leaf VALUES (0, gen_random_uuid(), '', '')",
        "INSERT INTO log_checkpoint VALUES (1, '', now())",
        "INSERT INTO log_publication VALUES (1, '', now())",
        "SELECT * FROM log_leaf",
        "SELECT * FROM log_tile",
        "SELECT * FROM audit_outbox",
        "INSERT INTO audit_outbox (event_id, entry) VALUES (gen_random_uuid(), '')",
        "SELECT * FROM submission",
        "SELECT * FROM access_token",
        "SELECT * FROM linkage_token",
        "CREATE TABLE mine (id int)",
    ),
    Process.ADMIN: (
        "DELETE FROM agency_counter",
        "UPDATE agency_counter SET agency_id = ''",
        "SELECT * FROM remembered_record",
        "SELECT * FROM linkage_token",
        "SELECT * FROM linkage_pepper",
        "SELECT * FROM submission",
        "SELECT report FROM submission",
        "SELECT report FROM dry_run",
        "SELECT records FROM submission",
        "UPDATE submission SET signer = NULL",
        "SELECT * FROM release",
        "SELECT * FROM log_leaf",
        "SELECT entry FROM audit_outbox",
        "UPDATE agency_mailbox SET agency_id = ''",
        "DELETE FROM access_token",
        "UPDATE access_token SET expires_at = now()",
        "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('gateway', 'x')",
    ),
}


def test_the_sequencer_keeps_timestamps_and_the_web_process_shows_them(
    stand: StandOfRoles,
) -> None:
    place = StampPlace(7, "tsa", datetime.now(UTC))
    with stand.sequencer.database.transaction() as session:
        add_stamp(session, place, note=b"note", token=b"token")
        assert newest_stamps(session) == {"tsa": place}
    assert stand.client.get("/v1/log/timestamps/7/tsa").data == b"token"
    assert stand.client.get("/v1/log/checkpoint/7").data == b"note"
    assert len(stand.client.get("/v1/log/timestamps").get_json()["timestamps"]) == 1


@pytest.mark.parametrize(
    ("process", "statement"),
    [(process, statement) for process, refused in FORBIDDEN.items() for statement in refused],
)
def test_no_role_holds_a_power_it_does_not_use(
    granted: str, process: Process, statement: str
) -> None:
    with (
        psycopg.connect(plain(address(granted, process))) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


@pytest.mark.parametrize("table", ["log_leaf", "log_tile", "log_checkpoint", "log_timestamp"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}"])
def test_not_even_the_owner_removes_from_the_log(granted: str, statement: str, table: str) -> None:
    with (
        psycopg.connect(plain(granted)) as owner,
        pytest.raises(errors.IntegrityConstraintViolation),
    ):
        owner.execute(sql.SQL(statement).format(sql.Identifier(table)))


def _await(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.1)
