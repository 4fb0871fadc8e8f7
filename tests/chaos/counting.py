"""What became of the submissions: asked of the database, the vault and the log, not of the senders.

Lost is what was acknowledged and is not stored so that the vault's key opens it. Duplicated is a
move that happened twice, a package that is stored twice, and bytes that were acknowledged under two
names. Unaudited is a move without its entry in the log; the log itself is replayed whole, and what
an auditor would find there is counted as well.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from io import BytesIO

from sqlalchemy import text

from audit.counters import CounterFinding
from audit.replay import replay
from audit.tiles import StoreSource
from audit.times import Chronology
from crypto import unseal
from gateway.store.log import PostgresLog
from gateway.store.objects import Bucket
from gateway.store.submissions import find_by_bytes
from tests.gateway.stand import POLICE, Stand

STILL_SECONDS = 60.0
"""How long nothing may move while something waits; a long queue alone is no failure."""


def await_rest(stand: Stand) -> None:
    """Return when nothing waits any more: no submission, no entry. Give up when nothing moves."""
    query = text(
        "SELECT (SELECT count(*) FROM submission WHERE state = 'received'),"
        " (SELECT count(*) FROM audit_outbox)"
    )
    before, since = None, time.monotonic()
    while time.monotonic() < since + STILL_SECONDS:
        with stand.database.transaction() as session:
            left = session.execute(query).one()
        if not any(left):
            return
        if left != before:
            before, since = left, time.monotonic()
        time.sleep(0.2)
    raise TimeoutError(f"{left[0]} submissions and {left[1]} entries wait, and nothing moves")


def mistold(stand: Stand) -> tuple[int, int, int]:
    """How many entries the log has, misnumbered ones, and ones whose time cannot be true."""
    replayed = replay(
        StoreSource(PostgresLog(stand.database)),
        verifier=stand.keys.log.verifier,
        times=Chronology(now=datetime.now(UTC)),
    )
    misnumbered = sum(isinstance(each, CounterFinding) for each in replayed.findings)
    return replayed.entries, misnumbered, len(replayed.findings) - misnumbered


def lost(stand: Stand, acknowledged: Iterable[str]) -> int:
    """How many of some messages, by SHA-256, the gateway has not got as it said."""
    return sum(not _is_whole(stand, digest) for digest in acknowledged)


def _is_whole(stand: Stand, digest: str) -> bool:
    """Stored, and what the vault holds can be opened with the vault's key."""
    with stand.database.transaction() as session:
        found = find_by_bytes(session, POLICE, digest)
    if found is None or found.sealed_key is None or found.state != "stored":
        return False
    sealed = b"".join(stand.admin.objects.get(Bucket.VAULT, found.sealed_key))
    context = f"ctds-submission-{found.id}.zip"
    return unseal(BytesIO(sealed), BytesIO(), keyring=stand.keys.vault, context=context) > 0


def duplicated(stand: Stand) -> int:
    """Moves that happened twice, and packages that were stored twice."""
    query = text(
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM submission_transition"
        "        GROUP BY submission_id, to_state HAVING count(*) > 1) t)"
        " + (SELECT count(*) FROM (SELECT 1 FROM submission WHERE state = 'stored'"
        "    GROUP BY agency_id, package_id HAVING count(*) > 1) s)"
    )
    with stand.database.transaction() as session:
        return int(session.execute(query).scalar_one())


def unaudited(stand: Stand) -> int:
    """Moves whose entry is not in the log."""
    query = text(
        "SELECT count(*) FROM submission_transition t"
        " WHERE NOT EXISTS (SELECT 1 FROM log_leaf l WHERE l.event_id = t.event_id)"
    )
    with stand.database.transaction() as session:
        return int(session.execute(query).scalar_one())
