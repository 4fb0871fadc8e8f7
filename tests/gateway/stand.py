"""A gateway on real servers, with agencies that have real keys, for the tests that meet one.

`Stand` runs the same code as the processes do, in this process: the WSGI application, the processor
and the sequencer, each when the test says so. What it owns is what an operator would make by hand.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from secrets import token_bytes, token_hex
from threading import Thread
from time import sleep
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZipFile

from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from audit.entry import Entry
from audit.keys import Signer
from audit.promise import delegated
from audit.sequencer import sequence_once
from audit.signing import SignedEdge
from crypto import (
    Certificate,
    Keyring,
    generate_key,
    load_certificate,
    public_part,
    sign_and_encrypt,
    sign_detached,
    unseal,
)
from gateway.cli.keys import make_ssh_host_key
from gateway.errors import ServiceFailed
from gateway.records import SCOPES, Principal, Role, State
from gateway.settings import Process, Settings
from gateway.signer import SignerServer
from gateway.store.dryruns import unchecked
from gateway.store.jobs import CHECK, PROCESS, SIGN, in_hand
from gateway.store.log import PostgresLog, sequencer_lock
from gateway.store.objects import Bucket
from gateway.store.submissions import find_submission, unprocessed
from gateway.web import create_app
from gateway.wiring.admin import AdminServices, admin_services
from gateway.wiring.sequencer import SequencerServices, sequencer_services
from gateway.wiring.web import WebServices, web_services
from gateway.wiring.worker import WorkerServices, worker_services
from tests.validators import samples
from validators.building import BuiltPackage, Rows, build_package
from validators.standard import Standard, load_standard

ADMINISTRATOR = Principal(
    subject="administrator",
    role=Role.ADMINISTRATOR,
    scopes=SCOPES[Role.ADMINISTRATOR],
    auth_method="cli",
)
POLICE, OTHER_POLICE, COUNCIL = "POL-E23000020", "POL-E23000012", "LA-E10000019"
ORIGIN = "log.gateway.test"


@dataclass(frozen=True)
class Keys:
    """Every key of a gateway and its vault, in files as the settings name them."""

    folder: Path
    gateway: Certificate
    vault: Keyring
    log: Signer

    def environ(self) -> dict[str, str]:
        """The settings that name these files, for a gateway of its own."""
        own = token_hex(4)
        return {
            "PSEUDONYM_KEY_FILE": str(self.folder / "pseudonym.key"),
            "GATEWAY_CERTIFICATE_FILE": str(self.folder / "gateway-certificate.asc"),
            "GATEWAY_KEY_FILE": str(self.folder / "gateway-key.asc"),
            "LINKAGE_PEPPER_FILE": str(self.folder / "linkage.pepper"),
            "VAULT_CERTIFICATE_FILE": str(self.folder / "vault-certificate.asc"),
            "PROMISE_KEY_FILE": str(self.folder / "promise.key"),
            "LOG_KEY_FILE": str(self.folder / "log.skey"),
            "LOG_VERIFIER_FILE": str(self.folder / "log.vkey"),
            "LOG_MEMORY_FILE": str(self.folder / f"log-memory-{own}"),
            "SIGNER_SOCKET": str(self.folder / f"signer-{own}"),
            "SFTP_HOST_KEY_FILE": str(self.folder / "ssh-host-key"),
            "SFTP_SPOOL_FOLDER": str(self.folder / "spool"),
        }


def development(servers: Mapping[str, str], keys: Keys, *, bucket_prefix: str) -> dict[str, str]:
    """The settings of a gateway for trying out, on these servers and with these keys."""
    return {
        **servers,
        **keys.environ(),
        "S3_BUCKET_PREFIX": bucket_prefix,
        "GATEWAY_ENV": "development",
        "PUBLIC_URL": "http://gateway.test",
        "VAULT_RETENTION_DAYS": "1",
    }


def make_keys(folder: Path, *, gateway: bytes | None = None) -> Keys:
    """Make all keys under `folder`, or all but the gateway's."""
    made = datetime.now(UTC) - timedelta(hours=1)
    gateway = gateway or generate_key(
        "CTDS gateway <submissions@gateway.test>", now=made, valid_for=timedelta(days=365)
    )
    vault = generate_key("Vault <vault@staff.test>", now=made, valid_for=None)
    log = Signer.generate(ORIGIN)
    for name, content in {
        "gateway-key.asc": gateway,
        "gateway-certificate.asc": public_part(gateway),
        "vault-certificate.asc": public_part(vault),
        "log.skey": log.skey().encode(),
        "log.vkey": log.vkey.encode(),
        "promise.key": delegated(log, Signer.generate(f"{ORIGIN}/promises")).encode(),
        "pseudonym.key": token_hex(32).encode(),
        "linkage.pepper": token_hex(32).encode(),
    }.items():
        path = folder / name
        path.write_bytes(content)
        path.chmod(0o600)
    make_ssh_host_key(folder)
    (folder / "spool").mkdir(mode=0o700)
    return Keys(folder, load_certificate(public_part(gateway)), Keyring.load([vault]), log)


@dataclass(frozen=True)
class Sender:
    """An agency as it sits at its own desk: its key and its token."""

    agency_id: str
    keyring: Keyring
    token: str
    gateway: Certificate
    standard: Standard

    @property
    def headers(self) -> dict[str, str]:
        """What every request of this agency carries."""
        return {"Authorization": f"Bearer {self.token}"}

    def package(self, records: Mapping[str, Rows] | Path, **changed: object) -> BuiltPackage:
        """A package with a manifest that this agency signed."""
        now = datetime.now(UTC)
        return build_package(
            records,
            samples.manifest_fields(self.standard, self.agency_id) | changed,
            sign=lambda canonical: sign_detached(canonical, signer=self.keyring, now=now),
            now=now,
            submission_id=uuid4(),
        )

    def encrypt(self, plaintext: bytes, *, to: Certificate | None = None) -> bytes:
        """Signed by this agency, encrypted to the gateway."""
        sink = BytesIO()
        sign_and_encrypt(
            BytesIO(plaintext),
            sink,
            signer=self.keyring,
            recipients=[to or self.gateway],
            now=datetime.now(UTC),
        )
        return sink.getvalue()

    def message(self, count: int = 2, **changed: object) -> bytes:
        """A good package of invented children, encrypted."""
        return self.encrypt(self.package(samples.children(count, seed=fresh()), **changed).data)


def octets(size: int) -> bytes:
    """Octets that begin as a message does, and are none: the front door takes them."""
    return b"\xc1" + token_bytes(size - 1)


def fresh() -> int:
    """A seed that no other package has, so that record ids never meet."""
    return int(token_hex(4), 16)


@dataclass
class Stand:
    """One gateway."""

    environ: dict[str, str]
    keys: Keys
    standard: Standard = field(default_factory=load_standard)
    _signer: SignerServer | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.admin: AdminServices = admin_services(self.settings(Process.ADMIN))
        self.admin.prepare()
        self.services: WebServices = web_services(self.settings(Process.WEB))
        self.worker: WorkerServices = worker_services(self.settings(Process.WORKER))
        self.sequencer: SequencerServices = sequencer_services(self.settings(Process.SEQUENCER))
        self.app = create_app(self.services)
        self.client: FlaskClient = self.app.test_client()
        self.database = self.admin.database

    def settings(self, process: Process) -> Settings:
        """The settings of one kind of process."""
        return Settings.load(self.environ, process)

    def close(self) -> None:
        """Give up every connection."""
        if self._signer is not None:
            self._signer.shutdown()
            self._signer.server_close()
        for services in (self.admin, self.services, self.worker, self.sequencer):
            services.database.dispose()

    def sender(self, agency_id: str = POLICE, *, keyring: Keyring | None = None) -> Sender:
        """Enrol an agency with a key of its own and give it a token."""
        keyring = keyring or new_keyring(agency_id)
        self.admin.enrolment.enrol(agency_id, keyring.certificates[0].data, by=ADMINISTRATOR)
        return Sender(
            agency_id=agency_id,
            keyring=keyring,
            token=self.token(Role.SUBMITTER, agency_id=agency_id),
            gateway=self.keys.gateway,
            standard=self.standard,
        )

    def token(
        self,
        role: Role,
        *,
        agency_id: str | None = None,
        subject: str | None = None,
        valid_for: timedelta = timedelta(hours=1),
    ) -> str:
        """A token for a person in a role."""
        issued = self.admin.access.issue(
            subject or f"{role}-{token_hex(3)}",
            role,
            agency_id=agency_id,
            valid_for=valid_for,
            by=ADMINISTRATOR,
        )
        return issued.secret

    def as_role(self, role: Role, *, subject: str | None = None) -> dict[str, str]:
        """The headers of a person who belongs to no agency."""
        return {"Authorization": f"Bearer {self.token(role, subject=subject)}"}

    def post(self, sender: Sender, message: bytes, **headers: str) -> TestResponse:
        """Upload a message as an agency does."""
        return self.client.post(
            "/v1/submissions",
            data=message,
            headers=sender.headers
            | {"Content-Type": "application/pgp-encrypted"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )

    def send(self, sender: Sender, message: bytes) -> UUID:
        """Upload a message that must be taken; return the submission's id."""
        answer = self.post(sender, message)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return UUID(answer.get_json()["id"])

    def post_dry_run(self, sender: Sender, message: bytes, **headers: str) -> TestResponse:
        """Upload a message that is to be tried out."""
        return self.client.post(
            "/v1/dry-runs",
            data=message,
            headers=sender.headers
            | {"Content-Type": "application/pgp-encrypted"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )

    def try_out(self, sender: Sender, message: bytes) -> UUID:
        """Try out a message that must be taken; return the dry run's id."""
        answer = self.post_dry_run(sender, message)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return UUID(answer.get_json()["id"])

    def settle(self) -> None:
        """Do what the worker and the sequencer do, until nothing is left to do."""
        for submission in self._waiting():
            try:
                self.worker.processor.process(submission)
            except ServiceFailed:
                # A worker of another process was faster, and has taken the ciphertext away.
                if submission in self._waiting():
                    raise
        with self.database.transaction() as session:
            dry_runs = in_hand(session, CHECK) | set(unchecked(session, before=datetime.now(UTC)))
        for dry_run in dry_runs:
            self.worker.rehearsal.process(dry_run)
        self.sequence()
        with self.database.transaction() as session:
            releases = in_hand(session, SIGN)
        for release in releases:
            self.worker.manifests.sign(release)
        self.sequence()

    def _waiting(self) -> list[UUID]:
        with self.database.transaction() as session:
            # One moment for both questions: a worker of another process may be at work.
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            waiting = unprocessed(session, before=datetime.now(UTC))
            assert set(waiting) <= in_hand(session, PROCESS), "a submission without a job"
        return waiting

    def sequence(self) -> None:
        """Put every waiting entry into the log, or wait until the sequencer that runs has."""
        services = self.sequencer
        while self._outbox():
            with sequencer_lock(services.database) as held:
                if held:
                    self.have_signer()
                    sequence_once(services.log, signer=services.signer)
                else:
                    sleep(0.05)

    def have_signer(self) -> None:
        """Start one beside us, unless there is one that answers."""
        address = Path(self.environ["SIGNER_SOCKET"])
        with socket.socket(socket.AF_UNIX) as connection:
            if connection.connect_ex(str(address)) == 0:
                return
        edge = SignedEdge([self.keys.log], Path(self.environ["LOG_MEMORY_FILE"]))
        self._signer = SignerServer(address, edge)
        Thread(target=self._signer.serve_forever, args=(0.05,), daemon=True).start()

    def _outbox(self) -> int:
        with self.database.transaction() as session:
            return session.execute(text("SELECT count(*) FROM audit_outbox")).scalar_one()

    def state(self, submission: UUID) -> State:
        """The state of a submission."""
        query = text("SELECT state FROM submission WHERE id = :id")
        with self.database.transaction() as session:
            return State(session.execute(query, {"id": submission}).scalar_one())

    def unsealed(self, submission: UUID) -> dict[str, bytes]:
        """The files that the vault holds of a submission, as its key opens them."""
        with self.database.transaction() as session:
            found = find_submission(session, submission)
        assert found is not None
        assert found.sealed_key is not None
        archive = BytesIO()
        with self.admin.objects.open(Bucket.VAULT, found.sealed_key) as sealed:
            context = f"ctds-submission-{submission}.zip"
            unseal(sealed, archive, keyring=self.keys.vault, context=context)
        with ZipFile(archive) as bundle:
            return {name: bundle.read(name) for name in bundle.namelist()}

    def entries(self) -> list[Entry]:
        """Every entry in the log, in order."""
        self.sequence()
        return [Entry.from_bytes(data) for data in PostgresLog(self.database).entries(0, 1 << 40)]

    def about(self, submission: UUID) -> list[str]:
        """The actions that the log tells of a submission, in order."""
        return [entry.action for entry in self.entries() if entry.object_id == str(submission)]

    def get(self, path: str, sender: Sender) -> TestResponse:
        """Ask as an agency."""
        return self.client.get(path, headers=sender.headers)

    def report(self, sender: Sender, submission: UUID) -> dict[str, Any]:
        """The report as the agency reads it."""
        answer = self.get(f"/v1/submissions/{submission}/report", sender)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: dict[str, Any] = answer.get_json()
        return found


def new_keyring(name: str, *, valid_for: timedelta | None = None) -> Keyring:
    """A key of an agency, an hour old."""
    made = datetime.now(UTC) - timedelta(hours=1)
    user_id = f"{name} <data@agency.test>"
    return Keyring.load([generate_key(user_id, now=made, valid_for=valid_for)])
