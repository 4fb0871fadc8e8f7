"""The one composition root: settings in, the services of each kind of process out.

Time and randomness enter here and nowhere deeper. The web process is given no private
key but the one that promises.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from os import urandom
from pathlib import Path
from secrets import token_urlsafe
from ssl import create_default_context
from time import monotonic
from urllib.parse import urlsplit

from audit.errors import AuditError
from audit.keyring import LogKeys
from audit.mirror import Mirror
from audit.policy import Policy
from audit.promise import Promiser
from audit.signing import TreeSigner
from crypto import Certificate, Keyring, Scratch, load_certificate, read_certificate
from gateway.clock import AgreedClock
from gateway.errors import SettingsRefused
from gateway.flow.access import Access
from gateway.flow.certificates import Certificates
from gateway.flow.dryruns import DryRuns
from gateway.flow.enrolment import Enrolment
from gateway.flow.expiry import ExpiryWatch
from gateway.flow.intake import Intake
from gateway.flow.judge import Judge
from gateway.flow.linkage import Linkage
from gateway.flow.mailboxes import Mailboxes
from gateway.flow.mailing import Mailing
from gateway.flow.papers import Papers
from gateway.flow.pepper import Pepper
from gateway.flow.pressure import Pressure, Room
from gateway.flow.process import Processor
from gateway.flow.proofs import LogReading
from gateway.flow.quarantine import Quarantine
from gateway.flow.rehearsal import Rehearsal
from gateway.flow.release import ManifestSigner, Releases
from gateway.flow.repair import Repair
from gateway.flow.retrieve import Retrieval
from gateway.flow.shares import Share, Shares
from gateway.flow.sshkeys import SshKeys
from gateway.flow.stamping import Stamping
from gateway.flow.submissions import Submissions
from gateway.flow.trail import AuditTrail
from gateway.flow.uploads import Uploads
from gateway.mail import PostOffice
from gateway.scanner import Scanner
from gateway.settings import Settings
from gateway.signer import RemoteSigner
from gateway.spool import Names, Spool
from gateway.store.database import Database
from gateway.store.jobs import JobQueue
from gateway.store.log import PostgresLog
from gateway.store.logbucket import LogBucket
from gateway.store.migrate import migrate
from gateway.store.objects import ObjectStore
from gateway.timestamps import Authorities, read_authorities
from gateway.witnesses import Panel
from validators.linkage import PEPPER_BYTES
from validators.rules.attachments import Scan, unscanned
from validators.standard import load_standard, load_standards

LOCAL_PART = "submissions"
"""The gateway's address is this at the host of PUBLIC_URL; Web Key Directory serves its key."""

PSEUDONYM_KEY_BYTES = 32

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class WebServices:
    """What the HTTPS face needs."""

    access: Access
    shares: Shares
    intake: Intake
    uploads: Uploads
    submissions: Submissions
    dry_runs: DryRuns
    releases: Releases
    retrieval: Retrieval
    proofs: LogReading
    database: Database
    objects: ObjectStore
    clock: Clock
    log_verifier: str
    certificate: bytes
    certificate_text: str
    public_url: str
    behind_proxy: bool
    checker_folder: Path | None


@dataclass(frozen=True, slots=True)
class WorkerServices:
    """What takes submissions to their end state, signs manifests and warns."""

    clock: Clock
    database: Database
    database_url: str
    jobs: JobQueue
    processor: Processor
    rehearsal: Rehearsal
    uploads: Uploads
    manifests: ManifestSigner
    expiry: ExpiryWatch
    linkage: Linkage
    mailing: Mailing
    concurrency: int


@dataclass(frozen=True, slots=True)
class SequencerServices:
    """What puts entries into the log."""

    database: Database
    log: PostgresLog
    signer: TreeSigner
    panel: Panel | None
    stamping: Stamping | None


@dataclass(frozen=True, slots=True)
class MirrorServices:
    """What copies the log to where nobody can remove it."""

    database: Database
    bucket: LogBucket
    mirror: Mirror
    seconds: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """How many SFTP sessions one process holds."""

    all_agencies: int
    one_agency: int


@dataclass(frozen=True, slots=True)
class SftpServices:
    """What the SFTP face needs."""

    ssh_keys: SshKeys
    intake: Intake
    dry_runs: DryRuns
    papers: Papers
    spool: Spool
    database: Database
    certificate_text: str
    log_verifier: str
    max_upload_bytes: int
    sessions: Sessions
    host_key_files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class AdminServices:
    """What administrators do at the command line."""

    database: Database
    objects: ObjectStore
    enrolment: Enrolment
    certificates: Certificates
    access: Access
    ssh_keys: SshKeys
    mailboxes: Mailboxes
    repair: Repair

    def prepare(self) -> None:
        """Bring the database to the current schema and make the buckets that are missing."""
        migrate(self.database)
        self.objects.prepare()


def web_services(settings: Settings) -> WebServices:
    """The services of one web process."""
    database, objects = _database(settings), _objects(settings)
    clock = _clock(database)
    trail = _trail(settings, clock)
    jobs, armored = JobQueue(), settings.gateway_certificate_file.read_bytes()
    quarantine = Quarantine(objects, max_bytes=settings.max_upload_bytes)
    pressure = _pressure(settings, database, objects)
    intake = Intake(database, quarantine, jobs, trail, pressure, clock=clock)
    return WebServices(
        access=_access(database, trail, clock),
        shares=_shares(settings),
        intake=intake,
        uploads=_uploads(settings, database, objects, intake, clock),
        submissions=Submissions(database, objects, trail, clock=clock),
        dry_runs=DryRuns(database, objects, quarantine, jobs, trail, pressure, clock=clock),
        releases=Releases(database, jobs, trail, clock=clock),
        retrieval=Retrieval(database, objects, trail),
        proofs=_proofs(settings, database, trail),
        database=database,
        objects=objects,
        clock=clock,
        log_verifier=settings.log_verifier_file.read_text("ascii").strip(),
        certificate=read_certificate(armored, now=_now()).data,
        certificate_text=armored.decode("ascii"),
        public_url=settings.public_url,
        behind_proxy=settings.production,
        checker_folder=settings.checker_folder,
    )


def worker_services(settings: Settings) -> WorkerServices:
    """The services of one worker process."""
    database, objects = _database(settings), _objects(settings)
    clock = _clock(database)
    trail = _trail(settings, clock)
    keyring = Keyring.load([_required(settings.gateway_key_file).read_bytes()])
    jobs, quarantine = JobQueue(), Quarantine(objects, max_bytes=settings.max_upload_bytes)
    pressure = _pressure(settings, database, objects)
    intake = Intake(database, quarantine, jobs, trail, pressure, clock=clock)
    linkage = Linkage(database, _pepper(settings), clock=clock)
    judge = Judge(
        database,
        objects,
        load_standards(),
        linkage=linkage,
        keyring=keyring,
        vault=_vault(settings),
        make_scratch=partial(Scratch, folder=settings.scratch_folder),
        scan=_scan(settings),
        clock=clock,
    )
    return WorkerServices(
        clock=clock,
        database=database,
        database_url=settings.database_url,
        jobs=jobs,
        processor=Processor(
            database, trail, judge, jobs, certificates=load_certificate, clock=clock
        ),
        rehearsal=Rehearsal(
            database, objects, trail, judge, certificates=load_certificate, clock=clock
        ),
        uploads=_uploads(settings, database, objects, intake, clock),
        manifests=ManifestSigner(
            database, PostgresLog(database), trail, keyring=keyring, clock=clock
        ),
        expiry=ExpiryWatch(database, trail, clock=clock),
        linkage=linkage,
        mailing=Mailing(
            database,
            objects,
            PostgresLog(database),
            _post_office(settings),
            host=_host(settings),
            clock=clock,
        ),
        concurrency=settings.worker_concurrency,
    )


def sequencer_services(settings: Settings) -> SequencerServices:
    """The services of the one sequencer."""
    database = _database(settings)
    log = PostgresLog(database)
    return SequencerServices(
        database=database,
        log=log,
        signer=RemoteSigner(
            _required(settings.signer_socket),
            _log_keys(settings),
        ),
        panel=_panel(settings),
        stamping=_stamping(settings, database, log),
    )


def mirror_services(settings: Settings) -> MirrorServices:
    """The services of one mirror."""
    database, bucket = _database(settings), _objects(settings).log()
    return MirrorServices(
        database=database,
        bucket=bucket,
        mirror=Mirror(PostgresLog(database), bucket, _log_keys(settings)),
        seconds=settings.mirror_seconds,
    )


def sftp_services(settings: Settings) -> SftpServices:
    """The services of one SFTP process."""
    database, objects = _database(settings), _objects(settings)
    clock = _clock(database)
    trail = _trail(settings, clock)
    jobs, quarantine = JobQueue(), Quarantine(objects, max_bytes=settings.max_upload_bytes)
    pressure = _pressure(settings, database, objects)
    submissions = Submissions(database, objects, trail, clock=clock)
    dry_runs = DryRuns(database, objects, quarantine, jobs, trail, pressure, clock=clock)
    proofs = _proofs(settings, database, trail)
    return SftpServices(
        ssh_keys=SshKeys(database, trail, clock=clock),
        intake=Intake(database, quarantine, jobs, trail, pressure, clock=clock),
        dry_runs=dry_runs,
        papers=Papers(database, objects, submissions, dry_runs, proofs),
        spool=Spool(
            _required(settings.sftp_spool_folder),
            Names(_pseudonym_key(settings)),
            max_bytes=settings.max_upload_bytes,
            quota=settings.sftp_quota_bytes,
        ),
        database=database,
        certificate_text=settings.gateway_certificate_file.read_text("ascii"),
        log_verifier=settings.log_verifier_file.read_text("ascii"),
        max_upload_bytes=settings.max_upload_bytes,
        sessions=Sessions(settings.sftp_sessions, settings.sftp_sessions_of_an_agency),
        host_key_files=settings.sftp_host_key_files,
    )


def admin_services(settings: Settings) -> AdminServices:
    """The services of an administrator's command."""
    database = _database(settings)
    clock = _clock(database)
    trail = _trail(settings, clock)
    return AdminServices(
        database=database,
        objects=_objects(settings),
        enrolment=Enrolment(database, trail, load_standard(), clock=clock),
        certificates=Certificates(database, trail, clock=clock),
        access=_access(database, trail, clock),
        ssh_keys=SshKeys(database, trail, clock=clock),
        mailboxes=Mailboxes(database, trail, clock=clock),
        repair=Repair(database, JobQueue(), trail, clock=clock),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _clock(database: Database) -> AgreedClock:
    return AgreedClock(database.now, clock=_now, monotonic=monotonic)


def _database(settings: Settings) -> Database:
    return Database(settings.database_url)


def _objects(settings: Settings) -> ObjectStore:
    return ObjectStore(
        endpoint_url=settings.s3_endpoint_url,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key,
        region=settings.s3_region,
        bucket_prefix=settings.s3_bucket_prefix,
        retention_days=settings.vault_retention_days,
    )


def _trail(settings: Settings, clock: Clock) -> AuditTrail:
    return AuditTrail(
        pseudonym_key=_pseudonym_key(settings),
        software=f"ctds-gateway/{version('ctds-gateway')}",
        clock=clock,
        random_bytes=urandom,
    )


def _pseudonym_key(settings: Settings) -> bytes:
    return _key("PSEUDONYM_KEY_FILE", settings.pseudonym_key_file, PSEUDONYM_KEY_BYTES)


def _pepper(settings: Settings) -> Pepper:
    secret = _key("LINKAGE_PEPPER_FILE", settings.linkage_pepper_file, PEPPER_BYTES)
    return Pepper(secret, random_bytes=urandom)


def _key(setting: str, file: Path | None, size: int) -> bytes:
    """The octets of a key that a file holds as hexadecimal digits."""
    path = _required(file)
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except ValueError:
        key = b""
    if len(key) != size:
        raise SettingsRefused([f"{setting}: {path} must hold {2 * size} hexadecimal digits."])
    return key


def _scan(settings: Settings) -> Scan:
    """Production refuses to start a worker without a scanner."""
    address = settings.malware_scanner_socket
    return unscanned if address is None else Scanner(address).finds_malware


def _post_office(settings: Settings) -> PostOffice | None:
    """Without a mail server nothing is mailed."""
    mail = settings.mail
    if mail is None:
        return None
    server = mail.server
    if mail.password_file is not None:
        server = replace(server, password=_password(mail.password_file))
    return PostOffice(
        server,
        sender=mail.sender,
        calls_itself=_host(settings),
        context=create_default_context(),
    )


def _password(file: Path) -> str:
    try:
        return file.read_text("ascii").rstrip("\r\n")
    except UnicodeDecodeError:
        fault = f"SMTP_PASSWORD_FILE: {file} must hold a password of ASCII characters."
        raise SettingsRefused([fault]) from None


def _host(settings: Settings) -> str:
    return urlsplit(settings.public_url).hostname or "localhost"


def _panel(settings: Settings) -> Panel | None:
    policy = settings.witness_policy_file
    return None if policy is None else Panel(Policy.from_text(policy.read_text("utf-8")))


def _log_keys(settings: Settings) -> LogKeys:
    return LogKeys.from_text(settings.log_verifier_file.read_text("ascii"))


def _stamping(settings: Settings, database: Database, log: PostgresLog) -> Stamping | None:
    file = settings.timestamp_authorities_file
    if file is None:
        return None
    return Stamping(
        database,
        log,
        Authorities(read_authorities(file.read_text("utf-8"))),
        every=timedelta(seconds=settings.timestamp_seconds),
        clock=_clock(database),
    )


def _vault(settings: Settings) -> Sequence[Certificate]:
    files = settings.vault_certificate_files
    return [read_certificate(file.read_bytes(), now=_now()) for file in files]


def _access(database: Database, trail: AuditTrail, clock: Clock) -> Access:
    return Access(database, trail, clock=clock, token_secret=lambda: token_urlsafe(32))


def _proofs(settings: Settings, database: Database, trail: AuditTrail) -> LogReading:
    return LogReading(database, PostgresLog(database), trail, _promiser(settings))


def _pressure(settings: Settings, database: Database, objects: ObjectStore) -> Pressure:
    room = Room(settings.max_waiting, settings.max_waiting_of_an_agency)
    return Pressure(database, objects, room, clock=monotonic)


def _shares(settings: Settings) -> Shares:
    share = Share(settings.max_rate_of_an_agency, settings.max_requests_of_an_agency)
    return Shares(share, clock=monotonic)


def _promiser(settings: Settings) -> Promiser:
    path = _required(settings.promise_key_file)
    try:
        return Promiser.from_text(path.read_text("utf-8"))
    except (AuditError, UnicodeDecodeError):
        fault = (
            f"PROMISE_KEY_FILE: {path} holds no promise key; `gateway keys init promise` makes one."
        )
        raise SettingsRefused([fault]) from None


def _uploads(
    settings: Settings, database: Database, objects: ObjectStore, intake: Intake, clock: Clock
) -> Uploads:
    limit = settings.max_upload_bytes
    return Uploads(database, objects, intake, max_bytes=limit, clock=clock)


def _required(path: Path | None) -> Path:
    if path is None:
        raise ValueError("settings were loaded for another kind of process")
    return path
