"""The web process: the HTTPS face."""

from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from crypto import read_certificate
from gateway.flow.access import Access
from gateway.flow.dryruns import DryRuns
from gateway.flow.intake import Intake
from gateway.flow.proofs import LogReading
from gateway.flow.quarantine import Quarantine
from gateway.flow.release import Releases
from gateway.flow.retrieve import Retrieval
from gateway.flow.shares import Share, Shares
from gateway.flow.submissions import Submissions
from gateway.flow.uploads import Uploads
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.jobs import JobQueue
from gateway.store.objects import ObjectStore
from gateway.wiring.parts import (
    Clock,
    access_of,
    agreed_clock,
    database_of,
    now,
    objects_of,
    pressure_of,
    proofs_of,
    trail_of,
    uploads_of,
)


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


def web_services(settings: Settings) -> WebServices:
    """The services of one web process."""
    database, objects = database_of(settings), objects_of(settings)
    clock = agreed_clock(database)
    trail = trail_of(settings, clock)
    jobs, armored = JobQueue(), settings.gateway_certificate_file.read_bytes()
    quarantine = Quarantine(objects, max_bytes=settings.max_upload_bytes)
    pressure = pressure_of(settings, database, objects)
    intake = Intake(database, quarantine, jobs, trail, pressure, clock=clock)
    return WebServices(
        access=access_of(database, trail, clock),
        shares=_shares(settings),
        intake=intake,
        uploads=uploads_of(settings, database, objects, intake, clock),
        submissions=Submissions(database, objects, trail, clock=clock),
        dry_runs=DryRuns(database, objects, quarantine, jobs, trail, pressure, clock=clock),
        releases=Releases(database, jobs, trail, clock=clock),
        retrieval=Retrieval(database, objects, trail),
        proofs=proofs_of(settings, database, trail),
        database=database,
        objects=objects,
        clock=clock,
        log_verifier=settings.log_verifier_file.read_text("ascii").strip(),
        certificate=read_certificate(armored, now=now()).data,
        certificate_text=armored.decode("ascii"),
        public_url=settings.public_url,
        behind_proxy=settings.production,
        checker_folder=settings.checker_folder,
    )


def _shares(settings: Settings) -> Shares:
    share = Share(settings.max_rate_of_an_agency, settings.max_requests_of_an_agency)
    return Shares(share, clock=monotonic)
