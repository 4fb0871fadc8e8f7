"""Large reports in /outbox, and clients that open them and do as they like."""

import time
from io import BytesIO
from uuid import UUID

import paramiko
from sqlalchemy import text

from gateway.store.objects import Bucket
from tests.gateway.sftp.conftest import Person
from tests.gateway.sftp.test_attacks import session
from tests.gateway.sftp.test_clients import arrived, sftp_put
from tests.gateway.sftp.test_crowds import memory_mb
from tests.gateway.stand import Stand

LARGEST_MB = 120
"""What a process may grow by: its pieces, the answers under way, and what threads hold."""


def large_report(stand: Stand, person: Person, content: bytes) -> tuple[UUID, str]:
    """A submission whose report with values is this large; answer its id and where it lies."""
    file = person.message()
    sftp_put(person, file)
    submission = arrived(stand, person, file)
    stand.settle()
    key = f"{person.sender.agency_id}/report-{submission}.json.pgp"
    stand.admin.objects.put(Bucket.REPORTS, key, BytesIO(content))
    with stand.database.transaction() as held:
        held.execute(
            text("UPDATE submission SET report_key = :key WHERE id = :id"),
            {"key": key, "id": submission},
        )
    return submission, key


def path_of(sftp: paramiko.SFTPClient, submission: UUID, kind: str = "report.pgp") -> str:
    names = sftp.listdir("/outbox")
    [name] = [each for each in names if each.endswith(f"{submission}.{kind}")]
    return f"/outbox/{name}"


def read_once(stand: Stand, person: Person, content: bytes) -> tuple[str, float]:
    """Where a large report lies, and what the process holds that a piece was read from."""
    submission, _ = large_report(stand, person, content)
    with session(person) as sftp:
        path = path_of(sftp, submission)
        sftp.open(path, "rb").read(1)
        return path, memory_mb(person.door)


def opened(
    transport: paramiko.Transport, path: str, window: int
) -> tuple[paramiko.SFTPClient, paramiko.SFTPFile]:
    channel = transport.open_session(window_size=window, timeout=10)
    channel.invoke_subsystem("sftp")
    sftp = paramiko.SFTPClient(channel)
    return sftp, sftp.open(path, "rb")


def never() -> None:
    time.sleep(600)
