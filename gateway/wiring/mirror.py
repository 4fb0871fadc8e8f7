"""The mirror: copies the log to where nobody can remove it."""

from dataclasses import dataclass

from audit.mirror import Mirror
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.log import PostgresLog
from gateway.store.logbucket import LogBucket
from gateway.wiring.parts import database_of, log_keys, objects_of


@dataclass(frozen=True, slots=True)
class MirrorServices:
    """What copies the log to where nobody can remove it."""

    database: Database
    bucket: LogBucket
    mirror: Mirror
    seconds: int


def mirror_services(settings: Settings) -> MirrorServices:
    """The services of one mirror."""
    database, bucket = database_of(settings), objects_of(settings).log()
    return MirrorServices(
        database=database,
        bucket=bucket,
        mirror=Mirror(PostgresLog(database), bucket, log_keys(settings)),
        seconds=settings.mirror_seconds,
    )
