"""What administrators do at the command line."""

from dataclasses import dataclass

from gateway.flow.access import Access
from gateway.flow.certificates import Certificates
from gateway.flow.enrolment import Enrolment
from gateway.flow.mailboxes import Mailboxes
from gateway.flow.repair import Repair
from gateway.flow.sshkeys import SshKeys
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.jobs import JobQueue
from gateway.store.migrate import migrate
from gateway.store.objects import ObjectStore
from gateway.wiring.parts import access_of, agreed_clock, database_of, objects_of, trail_of
from validators.standard import load_standard


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


def admin_services(settings: Settings) -> AdminServices:
    """The services of an administrator's command."""
    database = database_of(settings)
    clock = agreed_clock(database)
    trail = trail_of(settings, clock)
    return AdminServices(
        database=database,
        objects=objects_of(settings),
        enrolment=Enrolment(database, trail, load_standard(), clock=clock),
        certificates=Certificates(database, trail, clock=clock),
        access=access_of(database, trail, clock),
        ssh_keys=SshKeys(database, trail, clock=clock),
        mailboxes=Mailboxes(database, trail, clock=clock),
        repair=Repair(database, JobQueue(), trail, clock=clock),
    )
