"""The sequencer process: one at a time puts waiting entries into the log, some times a second.

It never stops for good. Where the database or the signer is away it tries again; where the log
contradicts what was signed it refuses to go on, says so each time, and waits for an operator. Where
there are witnesses, what was signed is published once enough of them have cosigned it; they are
asked beside the work, so that a slow one holds up publication and nothing else.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import monotonic

import structlog

from audit.checkpoint import claimed_checkpoint
from audit.errors import AuditError
from audit.sequencer import prove_consistency, sequence_once
from gateway.errors import ServiceFailed
from gateway.settings import Settings
from gateway.store.log import PostgresLog, sequencer_lock
from gateway.wiring import SequencerServices, sequencer_services
from gateway.witnesses import Panel

PAUSE_SECONDS = 0.1
STANDBY_SECONDS = 1.0
TROUBLE_SECONDS = 5.0
PUBLISH_SECONDS = 0.5

log = structlog.get_logger("gateway.sequencer")


def run_sequencer(settings: Settings, stop: Event) -> None:
    """Sequence until `stop` is set."""
    services = sequencer_services(settings)
    with ThreadPoolExecutor(1) as beside:
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


def _drain(services: SequencerServices, stop: Event, beside: ThreadPoolExecutor) -> None:
    publishing: Future[None] | None = None
    next_at = 0.0
    while not stop.is_set():
        sequence_once(services.log, signer=services.signer)
        if publishing is not None and publishing.done():
            publishing.result()
            publishing = None
        if publishing is None and monotonic() >= next_at:
            publishing = beside.submit(publish_newest, services.log, services.panel)
            next_at = monotonic() + PUBLISH_SECONDS
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


def _cosigned(store: PostgresLog, panel: Panel, head: bytes) -> bytes:
    note, missing = panel.cosigned(head, lambda old, new: prove_consistency(store, old, new))
    if missing:
        log.warning("witness.missing", detail="; ".join(missing))
    return note
