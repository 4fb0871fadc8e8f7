"""A worker: takes submissions to their end state, and is the one that reads what is in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from os import urandom
from pathlib import Path
from ssl import create_default_context
from urllib.parse import urlsplit

from crypto import Certificate, Keyring, Scratch, load_certificate, read_certificate
from gateway.errors import SettingsRefused
from gateway.flow.expiry import ExpiryWatch
from gateway.flow.intake import Intake
from gateway.flow.judge import Judge
from gateway.flow.linkage import Linkage
from gateway.flow.mailing import Mailing
from gateway.flow.pepper import Pepper
from gateway.flow.process import Processor
from gateway.flow.quarantine import Quarantine
from gateway.flow.rehearsal import Rehearsal
from gateway.flow.release import ManifestSigner
from gateway.flow.uploads import Uploads
from gateway.mail import PostOffice
from gateway.scanner import Scanner
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.jobs import JobQueue
from gateway.store.log import PostgresLog
from gateway.wiring.parts import (
    Clock,
    agreed_clock,
    database_of,
    key_from,
    now,
    objects_of,
    pressure_of,
    required,
    trail_of,
    uploads_of,
)
from validators.linkage import PEPPER_BYTES
from validators.rules.attachments import Scan, unscanned
from validators.standard import load_standards


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


def worker_services(settings: Settings) -> WorkerServices:
    """The services of one worker process."""
    database, objects = database_of(settings), objects_of(settings)
    clock = agreed_clock(database)
    trail = trail_of(settings, clock)
    keyring = Keyring.load([required(settings.gateway_key_file).read_bytes()])
    jobs, quarantine = JobQueue(), Quarantine(objects, max_bytes=settings.max_upload_bytes)
    pressure = pressure_of(settings, database, objects)
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
        uploads=uploads_of(settings, database, objects, intake, clock),
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


def _pepper(settings: Settings) -> Pepper:
    secret = key_from("LINKAGE_PEPPER_FILE", settings.linkage_pepper_file, PEPPER_BYTES)
    return Pepper(secret, random_bytes=urandom)


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


def _vault(settings: Settings) -> Sequence[Certificate]:
    files = settings.vault_certificate_files
    return [read_certificate(file.read_bytes(), now=now()) for file in files]
