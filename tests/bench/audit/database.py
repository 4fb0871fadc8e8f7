"""The log on PostgreSQL: what the outbox costs a submission, how fast it is drained, how soon.

A submission's transaction is that of `gateway.flow.intake`, with sixteen writers in four processes,
each for an agency of its own (`writers` measures what those of one agency wait for each other). It
is measured in turns: without any audit; with the outbox, which is ours; and with the tree kept by
the writers themselves, under a lock, as a log without an outbox would have it (`inline`). The
sequencer is timed with its signer in a process of its own, over a log that grows to a million.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from threading import Thread
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from audit.entry import event_id_of
from audit.sequencer import prove_inclusion, sequence_once
from gateway.flow.intake import Arrived
from gateway.records import Channel, Principal, Role
from gateway.settings import Process, Settings
from gateway.store.database import Database, raw_connection
from gateway.store.log import PostgresLog
from gateway.store.objects import Stored
from gateway.wiring.sequencer import sequencer_services
from gateway.wiring.web import WebServices, web_services
from tests.bench.audit.inline import COLLECTED, TABLES, key_at_hand, with_signer
from tests.bench.audit.made import entries
from tests.bench.measure import Line, peak_mb
from tests.bench.stand import standing
from tests.gateway.processes import Processes
from tests.gateway.stand import Stand
from validators.standard import load_standard

WRITERS, PROCESSES = 16, 4
AGENCIES = tuple(islice(sorted(load_standard().agencies), WRITERS))
ROUNDS, SECONDS = 7, 4.0
LEAVES = 1_000_000
FEW = 1_000
RATE = 20_000
PROOFS = 200
LOAD, LOAD_SECONDS = 200, 20.0
MOST_DELAY = 1.0
Way = Callable[[Session], None]
"""What becomes of the entry of a transaction, at its end."""


def bench_database(folder: Path) -> Iterator[Line]:
    """Every case of this module."""
    with _stand(folder) as stand:
        yield from _transactions(stand, folder)
        yield _delay(stand, folder)
        yield from _sequencing(stand)


@contextmanager
def _stand(folder: Path) -> Iterator[Stand]:
    with standing(folder) as stand:
        for agency in AGENCIES:
            stand.sender(agency)
        with stand.database.transaction() as session:
            session.execute(text(TABLES))
        yield stand


def _transactions(stand: Stand, folder: Path) -> Iterator[Line]:
    # A signer that knows another tree than the log's own: the one that the writers keep.
    own = {"SIGNER_SOCKET": str(folder / "inline"), "LOG_MEMORY_FILE": str(folder / "inline.json")}
    settings = {**stand.environ, **own}
    environ = folder / "environ.json"
    environ.write_text(json.dumps(settings))
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    with _signer(settings):
        for _ in range(ROUNDS):
            for way in WAYS:
                rates[way].append(_all_writers(way, environ))
                print(f"{way}: {rates[way][-1]:.0f}/s", file=sys.stderr)
    rate = {way: median(found) for way, found in rates.items()}
    case = f"submission transactions, {WRITERS} writers, with the outbox"
    for theirs, target in (("without", 0.7), ("at hand", 3.0), ("inline", 3.0)):
        yield Line(
            *(case, AGAINST[theirs], rate["outbox"], rate[theirs], "tx/s", "higher", target),
            peak_mb=0.0,
        )


def _all_writers(way: str, environ: Path) -> float:
    command = [sys.executable, "-m", "tests.bench.audit.database", way, str(environ)]
    running = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE)
        for number in range(PROCESSES)
    ]
    return sum(float(process.communicate()[0]) for process in running)


class _Writing:
    """Records submissions that were received, one transaction each, in one of three ways."""

    def __init__(self, services: WebServices, way: Way) -> None:
        self._services = services
        self._way = way

    def one(self, number: int) -> str:
        """Record one; return its event id."""
        agency = AGENCIES[number % len(AGENCIES)]
        by = Principal("bench", Role.SUBMITTER, frozenset(), agency)
        stored = Stored("bench", size=10_000, sha256=uuid4().hex * 2)
        arrived = Arrived(uuid4(), stored, Channel.HTTPS)
        with self._services.database.transaction() as session:
            taken = self._services.intake.record(session, arrived, by=by)
            self._way(session)
        return str(taken.submission.event_id)


def _without(session: Session) -> None:
    session.info.pop(COLLECTED)


def _outbox(session: Session) -> None:
    del session  # what intake does is all there is to do


WAYS: dict[str, Callable[[Settings], Way]] = {
    "without": lambda _: _without,
    "outbox": lambda _: _outbox,
    "at hand": lambda _: key_at_hand().keep,
    "inline": lambda settings: with_signer(sequencer_services(settings).signer).keep,
}
AGAINST = {
    "without": "the same without any audit",
    "at hand": "the tree kept in the transaction, the log's key in every writer",
    "inline": "the tree kept in the transaction, signed by the signer's process",
}


def _write(way: str, environ: Path, number: int) -> float:
    """Write for some seconds with the writers of one process; return transactions a second."""
    given = json.loads(environ.read_text())
    services = web_services(Settings.load(given, Process.WEB))
    keep = WAYS[way](Settings.load(given, Process.SEQUENCER))
    mine = WRITERS // PROCESSES
    first = number * mine
    writing, done = _Writing(services, keep), [0] * mine
    writing.one(0)  # connections are there before the clock runs
    end = time.perf_counter() + SECONDS

    def writer(slot: int) -> None:
        while time.perf_counter() < end:
            writing.one(first + slot)
            done[slot] += 1

    threads = [Thread(target=writer, args=(slot,)) for slot in range(len(done))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / SECONDS


def _delay(stand: Stand, folder: Path) -> Line:
    """From the commit of an entry to the checkpoint that covers it, at a steady load."""
    stand.sequence()
    committed: dict[str, datetime] = {}
    with Processes(stand.environ, folder, workers=0) as running:
        services = web_services(Settings.load(stand.environ, Process.WEB))
        writing, began = _Writing(services, _outbox), time.perf_counter()
        for number in range(int(LOAD * LOAD_SECONDS)):
            time.sleep(max(0.0, began + number / LOAD - time.perf_counter()))
            event_id = writing.one(number)
            committed[event_id] = datetime.now(UTC)
        while _waiting(stand.database):
            time.sleep(0.1)
        peak = peak_mb(running.pids)
    delays = sorted(_delays(stand.database, committed))
    p99 = quantiles(delays, n=100)[98]
    case = f"from commit to checkpoint at {LOAD} submissions/s, 99th percentile"
    return Line(case, "1 s", p99, MOST_DELAY, "s", "lower", 1.0, peak)


def _waiting(database: Database) -> int:
    with database.transaction() as session:
        return session.execute(text("SELECT count(*) FROM audit_outbox")).scalar_one()


def _delays(database: Database, committed: dict[str, datetime]) -> Iterator[float]:
    query = """
        SELECT entry, (SELECT min(signed_at) FROM log_checkpoint WHERE size > index)
        FROM log_leaf
    """
    with database.transaction() as session:
        for entry, signed_at in session.execute(text(query)):
            at = committed.get(event_id_of(entry))
            if at is not None:
                yield (signed_at - at).total_seconds()


def _sequencing(stand: Stand) -> Iterator[Line]:
    """Drain an outbox of a million, and prove what is in the log before and after."""
    log = PostgresLog(stand.database)
    stand.sequence()
    services = sequencer_services(Settings.load(stand.environ, Process.SEQUENCER))
    with _signer(stand.environ):
        _fill(stand.database, FEW)
        _drain(log, services.signer)
        few = _proofs(log, FEW)
        _fill(stand.database, LEAVES)
        seconds = _drain(log, services.signer)
    many = _proofs(log, LEAVES)
    services.database.dispose()
    case = f"sequencing {LEAVES:,} entries, with the signer's process"
    yield Line(case, f"{RATE:,} entries/s", LEAVES / seconds, RATE, "entries/s", "higher", 1.0, 0.0)
    case = f"inclusion proof from PostgreSQL, {LEAVES:,} leaves"
    yield Line(case, f"the same at about {FEW:,}", many, few, "us", "lower", 2.0, 0.0)


@contextmanager
def _signer(environ: Mapping[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "gateway", "signer", "serve"]
    process = subprocess.Popen(command, env=dict(environ))
    try:
        while not Path(environ["SIGNER_SOCKET"]).is_socket():
            time.sleep(0.05)
        time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait()


def _fill(database: Database, count: int) -> None:
    with database.transaction() as session, raw_connection(session).cursor() as cursor:
        copy_into = "COPY audit_outbox (event_id, entry) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(copy_into) as copy:
            copy.set_types(["uuid", "bytea"])
            for entry in entries(count):
                copy.write_row((UUID(event_id_of(entry)), entry))


def _drain(log: PostgresLog, signer: object) -> float:
    began = time.perf_counter()
    while sequence_once(log, signer=signer) is not None:  # type: ignore[arg-type]
        pass
    return time.perf_counter() - began


def _proofs(log: PostgresLog, size: int) -> float:
    """The median of proving one leaf under the newest checkpoint, in microseconds."""
    head, took = log.head(), []
    assert head is not None
    for round_ in range(PROOFS):
        began = time.perf_counter()
        prove_inclusion(log, round_ * size // PROOFS, head)
        took.append((time.perf_counter() - began) * 1e6)
    return median(took)


if __name__ == "__main__":
    print(_write(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
