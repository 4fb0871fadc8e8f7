"""The sequencer process: one at a time puts waiting entries into the log, some times a second.

It never stops for good. Where the database or the signer is away it tries again; where the log
contradicts what was signed it refuses to go on, says so each time, and waits for an operator. Where
there are witnesses, what was signed is published once enough of them have cosigned it; they are
asked beside the work, so that a slow one holds up publication and nothing else. Timestamps of what
is published are asked for beside that, and hold up nothing.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from threading import Event
from time import monotonic

import structlog

from audit.checkpoint import claimed_checkpoint
from audit.errors import AuditError
from audit.sequencer import prove_consistency, sequence_once
from gateway.errors import ServiceFailed
from gateway.flow.stamping import Stamping
from gateway.settings import Settings
from gateway.store.log import PostgresLog, sequencer_lock
from gateway.wiring.sequencer import SequencerServices, sequencer_services
from gateway.witnesses import Panel

PAUSE_SECONDS = 0.1
STANDBY_SECONDS = 1.0
TROUBLE_SECONDS = 5.0
PUBLISH_SECONDS = 0.5
STAMP_SECONDS = 5.0

log = structlog.get_logger("gateway.sequencer")


def run_sequencer(settings: Settings, stop: Event) -> None:
    """Sequence until `stop` is set."""
    services = sequencer_services(settings)
    with ThreadPoolExecutor(2) as beside:
        while not stop.is_set():
            try:
                with sequencer_lock(services.database) as held:
                    if held:
                        _drain(services, stop, beside)
            except ServiceFailed as error:
                log.warning("sequencer.waits", error_code=error.code, detail=error.detail)
            except AuditError as error:
                # Integrity is in doubt: an operator must look before anything is signed again.
                log.critical("sequencer.refuses", error_code=error.code, detail=str(error))
                stop.wait(TROUBLE_SECONDS)
            stop.wait(STANDBY_SECONDS)
    services.database.dispose()


class _Beside:
    """A task in a thread of its own, again and again, never twice at once."""

    def __init__(self, pool: Executor, task: Callable[[], None], *, seconds: float) -> None:
        self._pool = pool
        self._task = task
        self._seconds = seconds
        self._running: Future[None] | None = None
        self._next_at = 0.0

    def turn(self) -> None:
        """Begin it again if it has ended and its time has come; raises what it raised."""
        if self._running is not None and self._running.done():
            self._running.result()
            self._running = None
        if self._running is None and monotonic() >= self._next_at:
            self._running = self._pool.submit(self._task)
            self._next_at = monotonic() + self._seconds


def _drain(services: SequencerServices, stop: Event, pool: Executor) -> None:
    publish = partial(publish_newest, services.log, services.panel)
    beside = [_Beside(pool, publish, seconds=PUBLISH_SECONDS)]
    if services.stamping is not None:
        stamp = partial(stamp_newest, services.stamping)
        beside.append(_Beside(pool, stamp, seconds=STAMP_SECONDS))
    while not stop.is_set():
        sequence_once(services.log, signer=services.signer)
        for each in beside:
            each.turn()
        # Also after a full hand: one checkpoint over many entries costs as much as over one.
        stop.wait(PAUSE_SECONDS)


def publish_newest(store: PostgresLog, panel: Panel | None) -> None:
    """Have the newest checkpoint cosigned and publish it, if it is not published.

    Too few witnesses are told of in the log, and it is tried again with the next checkpoint.
    """
    head, newest = store.head(), store.publication()
    if head is None or (panel is None and newest is None):
        return
    size = claimed_checkpoint(head).size
    if newest is not None and claimed_checkpoint(newest).size >= size:
        return
    try:
        note = head if panel is None else _cosigned(store, panel, head)
    except ServiceFailed as error:
        log.error("log.unwitnessed", error_code=error.code, detail=error.detail, size=size)
        return
    store.publish(size, note)


def stamp_newest(stamping: Stamping) -> None:
    """Have the newest published checkpoint stamped; whatever fails is told of, and ends nothing."""
    try:
        stamping.stamp_newest()
    except Exception as error:  # noqa: BLE001 - nobody waits for a stamp, and everybody for the log
        log.error("log.unstamped", error=type(error).__name__)


def _cosigned(store: PostgresLog, panel: Panel, head: bytes) -> bytes:
    note, missing = panel.cosigned(head, lambda old, new: prove_consistency(store, old, new))
    if missing:
        log.warning("witness.missing", detail="; ".join(missing))
    return note
