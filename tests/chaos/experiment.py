"""Kill parts of a running gateway at random moments and count what became of the submissions.

Senders keep sending while processes, database and object store are killed and come back. A sender
that gets no answer sends the same bytes again, as an honest one does. Afterwards the gateway has a
while to recover; then every acknowledged submission must be in its end state exactly once, sealed,
and told in the log.
"""

import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from threading import Event, Lock, Thread

import paramiko
import requests
from sqlalchemy import text

from audit.counters import CounterFinding
from audit.replay import replay
from audit.tiles import StoreSource
from crypto import unseal
from gateway.embedded import EmbeddedServers
from gateway.flow.sshkeys import PublicKey
from gateway.store.log import PostgresLog
from gateway.store.objects import Bucket
from gateway.store.submissions import find_by_bytes
from tests.gateway.processes import Processes
from tests.gateway.sftp.conftest import make_ssh_key, put_and_hear
from tests.gateway.stand import ADMINISTRATOR, POLICE, Stand, development, make_keys

PATIENCE_SECONDS = 120.0
"""How long a sender tries to be acknowledged."""

Way = Callable[[bytes], bool]
"""Sends a message; whether it was acknowledged."""

STILL_SECONDS = 60.0
"""How long nothing may move while something waits; a long queue alone is no failure."""


@dataclass(frozen=True)
class Outcome:
    """What an experiment counted. Lost, duplicated, unaudited and misnumbered must be 0."""

    kills: dict[str, int]
    acknowledged: int
    unanswered: int
    lost: int
    duplicated: int
    unaudited: int
    misnumbered: int
    entries: int
    recovery_seconds: float

    def to_json(self, case: str) -> str:
        """One line of `make chaos`."""
        return json.dumps({"case": case, **asdict(self)})


def run_experiment(
    folder: Path, *, seconds: float, seed: int, victims: tuple[str, ...], senders: int = 3
) -> Outcome:
    """Send for `seconds` while killing `victims`, then recover and count."""
    with _gateway(folder) as (servers, stand, processes):
        traffic = _Traffic(stand, processes, folder)
        traffic.start(senders)
        kills = _kill_at_random(
            servers, processes, seconds=seconds, source=random.Random(seed), victims=victims
        )
        traffic.stop()
        started = time.monotonic()
        stand.close()  # its own connections ended with the database
        _await_rest(stand)
        return _count(stand, traffic, kills, time.monotonic() - started)


@contextmanager
def _gateway(folder: Path) -> Iterator[tuple[EmbeddedServers, Stand, Processes]]:
    keys, logs = folder / "keys", folder / "logs"
    for each in (keys, logs):
        each.mkdir(parents=True)
    with EmbeddedServers(folder / "servers") as servers:
        made = make_keys(keys)
        environ = development(servers.environ(), made, bucket_prefix="chaos")
        stand = Stand(environ, made)
        with Processes(environ, logs, sftp=True) as processes:
            yield servers, stand, processes
        stand.close()


class _Traffic:
    """Senders that do not give up: what was not acknowledged is sent again as it is."""

    def __init__(self, stand: Stand, processes: Processes, folder: Path) -> None:
        self._sender = stand.sender(POLICE)
        self._url = processes.url
        self._sftp = ("127.0.0.1", processes.sftp_port)
        self._key = _enrolled_key(stand, folder)
        self._stop = Event()
        self._lock = Lock()
        self._threads: list[Thread] = []
        self.acknowledged: set[str] = set()
        """The SHA-256 of each message of which a sender knows that it is safe."""
        self.unanswered = 0
        self.surprises: list[str] = []

    def start(self, count: int) -> None:
        ways = [self._over_https, self._over_sftp]
        self._threads = [
            Thread(target=self._send_on_and_on, args=(ways[number % 2],)) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Each sender finishes the message it is about."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send_on_and_on(self, way: Way) -> None:
        while not self._stop.is_set():
            self._send_until_acknowledged(self._sender.message(1), way)

    def _send_until_acknowledged(self, message: bytes, way: Way) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and not self.surprises:
            if way(message):
                with self._lock:
                    self.acknowledged.add(sha256(message).hexdigest())
                return
            self._note_unanswered()
        self.surprises.append("no acknowledgement in time")

    def _over_https(self, message: bytes) -> bool:
        headers = self._sender.headers | {"Content-Type": "application/pgp-encrypted"}
        try:
            answer = requests.post(
                f"{self._url}/v1/submissions", data=message, headers=headers, timeout=20
            )
        except requests.RequestException:
            return False
        if answer.status_code not in (200, 201, 503):
            self.surprises.append(f"{answer.status_code} {answer.text[:300]}")
        return answer.status_code in (200, 201)

    def _over_sftp(self, message: bytes) -> bool:
        try:
            # paramiko's own connecting would leave the socket open where nobody listens.
            line = socket.create_connection(self._sftp, timeout=20)
            with line, closing(paramiko.Transport(line)) as transport:
                transport.banner_timeout = transport.auth_timeout = 20
                transport.connect(username="ctds", pkey=self._key)
                sftp = paramiko.SFTPClient.from_transport(transport)
                if sftp is None:
                    return False
                sftp.get_channel().settimeout(20)
                put_and_hear(sftp, f"/inbox/{token_hex(8)}.pgp", message)
        except (OSError, EOFError, paramiko.SSHException):
            return False
        return True

    def _note_unanswered(self) -> None:
        with self._lock:
            self.unanswered += 1
        time.sleep(0.1)


def _enrolled_key(stand: Stand, folder: Path) -> paramiko.PKey:
    path = make_ssh_key(folder / "sender")
    stand.admin.ssh_keys.enrol(
        PublicKey.parse(path.with_suffix(".pub").read_text()),
        agency_id=POLICE,
        subject="upload",
        valid_for=timedelta(days=1),
        by=ADMINISTRATOR,
    )
    return paramiko.Ed25519Key.from_private_key_file(str(path))


def _kill_at_random(
    servers: EmbeddedServers,
    processes: Processes,
    *,
    seconds: float,
    source: random.Random,
    victims: tuple[str, ...],
) -> Counter[str]:
    kills: Counter[str] = Counter()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(source.uniform(0.2, 2.5))
        # Each in turn, in an order of chance: a short run must not miss one.
        victim = min(victims, key=lambda name: (kills[name], source.random()))
        if victim == "postgres":
            servers.postgres.kill()
            servers.postgres.start()
        elif victim == "objects":
            servers.objects.kill()
            servers.objects.start()
        else:
            processes.kill(victim)
        kills[victim] += 1
    processes.await_ready()
    return kills


def _await_rest(stand: Stand) -> None:
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


def _count(stand: Stand, traffic: _Traffic, kills: Counter[str], recovery: float) -> Outcome:
    if traffic.surprises:
        raise AssertionError(f"answers that no sender should get: {traffic.surprises[:3]}")
    replayed = replay(StoreSource(PostgresLog(stand.database)), verifier=stand.keys.log.verifier)
    return Outcome(
        kills=dict(kills),
        acknowledged=len(traffic.acknowledged),
        unanswered=traffic.unanswered,
        lost=sum(not _is_whole(stand, digest) for digest in traffic.acknowledged),
        duplicated=_duplicated(stand),
        unaudited=_unaudited(stand),
        misnumbered=sum(isinstance(each, CounterFinding) for each in replayed.findings),
        entries=replayed.entries,
        recovery_seconds=round(recovery, 1),
    )


def _is_whole(stand: Stand, digest: str) -> bool:
    """Stored, and what the vault holds can be opened with the vault's key."""
    with stand.database.transaction() as session:
        found = find_by_bytes(session, POLICE, digest)
    if found is None or found.sealed_key is None or found.state != "stored":
        return False
    sealed = b"".join(stand.admin.objects.get(Bucket.VAULT, found.sealed_key))
    context = f"ctds-submission-{found.id}.zip"
    return unseal(BytesIO(sealed), BytesIO(), keyring=stand.keys.vault, context=context) > 0


def _duplicated(stand: Stand) -> int:
    """Moves that happened twice, and packages that were stored twice."""
    query = text(
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM submission_transition"
        "        GROUP BY submission_id, to_state HAVING count(*) > 1) t)"
        " + (SELECT count(*) FROM (SELECT 1 FROM submission WHERE state = 'stored'"
        "    GROUP BY agency_id, package_id HAVING count(*) > 1) s)"
    )
    with stand.database.transaction() as session:
        return int(session.execute(query).scalar_one())


def _unaudited(stand: Stand) -> int:
    """Moves whose entry is not in the log."""
    query = text(
        "SELECT count(*) FROM submission_transition t"
        " WHERE NOT EXISTS (SELECT 1 FROM log_leaf l WHERE l.event_id = t.event_id)"
    )
    with stand.database.transaction() as session:
        return int(session.execute(query).scalar_one())
