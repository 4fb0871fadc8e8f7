"""The SFTP process: the SFTP face."""

from dataclasses import dataclass
from pathlib import Path

from gateway.flow.dryruns import DryRuns
from gateway.flow.intake import Intake
from gateway.flow.papers import Papers
from gateway.flow.quarantine import Quarantine
from gateway.flow.sshkeys import SshKeys
from gateway.flow.submissions import Submissions
from gateway.settings import Settings
from gateway.spool import Names, Spool
from gateway.store.database import Database
from gateway.store.jobs import JobQueue
from gateway.wiring.parts import (
    agreed_clock,
    database_of,
    objects_of,
    pressure_of,
    proofs_of,
    pseudonym_key,
    required,
    trail_of,
)


@dataclass(frozen=True, slots=True)
class Sessions:
    """How many SFTP sessions one process holds, and how long those that do nothing."""

    all_agencies: int
    one_agency: int
    idle_seconds: int
    agree_seconds: int


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


def sftp_services(settings: Settings) -> SftpServices:
    """The services of one SFTP process."""
    database, objects = database_of(settings), objects_of(settings)
    clock = agreed_clock(database)
    trail = trail_of(settings, clock)
    jobs, quarantine = JobQueue(), Quarantine(objects, max_bytes=settings.max_upload_bytes)
    pressure = pressure_of(settings, database, objects)
    submissions = Submissions(database, objects, trail, clock=clock)
    dry_runs = DryRuns(database, objects, quarantine, jobs, trail, pressure, clock=clock)
    proofs = proofs_of(settings, database, trail)
    return SftpServices(
        ssh_keys=SshKeys(database, trail, clock=clock),
        intake=Intake(database, quarantine, jobs, trail, pressure, clock=clock),
        dry_runs=dry_runs,
        papers=Papers(database, objects, submissions, dry_runs, proofs),
        spool=Spool(
            required(settings.sftp_spool_folder),
            Names(pseudonym_key(settings)),
            max_bytes=settings.max_upload_bytes,
            quota=settings.sftp_quota_bytes,
        ),
        database=database,
        certificate_text=settings.gateway_certificate_file.read_text("ascii"),
        log_verifier=settings.log_verifier_file.read_text("ascii"),
        max_upload_bytes=settings.max_upload_bytes,
        sessions=Sessions(
            settings.sftp_sessions,
            settings.sftp_sessions_of_an_agency,
            settings.sftp_idle_seconds,
            settings.sftp_agree_seconds,
        ),
        host_key_files=settings.sftp_host_key_files,
    )
