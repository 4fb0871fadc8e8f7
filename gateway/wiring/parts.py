"""What several kinds of process are made of."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from os import urandom
from pathlib import Path
from secrets import token_urlsafe
from time import monotonic

from audit.errors import AuditError
from audit.keyring import LogKeys
from audit.promise import Promiser
from gateway.clock import AgreedClock
from gateway.errors import SettingsRefused
from gateway.flow.access import Access
from gateway.flow.intake import Intake
from gateway.flow.pressure import Pressure, Room
from gateway.flow.proofs import LogReading
from gateway.flow.trail import AuditTrail
from gateway.flow.uploads import Uploads
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.log import PostgresLog
from gateway.store.objects import ObjectStore

PSEUDONYM_KEY_BYTES = 32

Clock = Callable[[], datetime]


def now() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


def agreed_clock(database: Database) -> AgreedClock:
    """The clock, as long as the database agrees."""
    return AgreedClock(database.now, clock=now, monotonic=monotonic)


def database_of(settings: Settings) -> Database:
    """The database, with a pool of its own."""
    return Database(settings.database_url)


def objects_of(settings: Settings) -> ObjectStore:
    """The object store."""
    return ObjectStore(
        endpoint_url=settings.s3_endpoint_url,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key,
        region=settings.s3_region,
        bucket_prefix=settings.s3_bucket_prefix,
        retention_days=settings.vault_retention_days,
    )


def trail_of(settings: Settings, clock: Clock) -> AuditTrail:
    """The writer of audit entries."""
    return AuditTrail(
        pseudonym_key=pseudonym_key(settings),
        software=f"ctds-gateway/{version('ctds-gateway')}",
        clock=clock,
        random_bytes=urandom,
    )


def pseudonym_key(settings: Settings) -> bytes:
    """The key under which the log names people."""
    return key_from("PSEUDONYM_KEY_FILE", settings.pseudonym_key_file, PSEUDONYM_KEY_BYTES)


def key_from(setting: str, file: Path | None, size: int) -> bytes:
    """The octets of a key that a file holds as hexadecimal digits."""
    path = required(file)
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except ValueError:
        key = b""
    if len(key) != size:
        raise SettingsRefused([f"{setting}: {path} must hold {2 * size} hexadecimal digits."])
    return key


def log_keys(settings: Settings) -> LogKeys:
    """The log's own keys."""
    return LogKeys.from_text(settings.log_verifier_file.read_text("ascii"))


def access_of(database: Database, trail: AuditTrail, clock: Clock) -> Access:
    """Who checks access tokens, and issues them."""
    return Access(database, trail, clock=clock, token_secret=lambda: token_urlsafe(32))


def proofs_of(settings: Settings, database: Database, trail: AuditTrail) -> LogReading:
    """What is read of the log."""
    return LogReading(database, PostgresLog(database), trail, promiser_of(settings))


def pressure_of(settings: Settings, database: Database, objects: ObjectStore) -> Pressure:
    """What says whether there is room."""
    room = Room(settings.max_waiting, settings.max_waiting_of_an_agency)
    return Pressure(database, objects, room, clock=monotonic)


def promiser_of(settings: Settings) -> Promiser:
    """Who promises receipts."""
    path = required(settings.promise_key_file)
    try:
        return Promiser.from_text(path.read_text("utf-8"))
    except (AuditError, UnicodeDecodeError):
        fault = (
            f"PROMISE_KEY_FILE: {path} holds no promise key; `gateway keys init promise` makes one."
        )
        raise SettingsRefused([fault]) from None


def uploads_of(
    settings: Settings, database: Database, objects: ObjectStore, intake: Intake, clock: Clock
) -> Uploads:
    """What takes uploads in pieces."""
    limit = settings.max_upload_bytes
    return Uploads(database, objects, intake, max_bytes=limit, clock=clock)


def required(path: Path | None) -> Path:
    """A path that this kind of process has."""
    if path is None:
        raise ValueError("settings were loaded for another kind of process")
    return path
