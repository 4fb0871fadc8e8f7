"""The sequencer process: one at a time puts waiting entries into the log, some times a second.

It never stops for good. Where the database is away it tries again; where the log contradicts what
was signed it refuses to go on, says so each time, and waits for an operator.
"""

from threading import Event

import structlog

from audit.errors import AuditError
from audit.sequencer import sequence_once
from gateway.errors import ServiceFailed
from gateway.settings import Settings
from gateway.store.log import sequencer_lock
from gateway.wiring import SequencerServices, sequencer_services

PAUSE_SECONDS = 0.1
STANDBY_SECONDS = 1.0
TROUBLE_SECONDS = 5.0

log = structlog.get_logger("gateway.sequencer")


def run_sequencer(settings: Settings, stop: Event) -> None:
    """Sequence until `stop` is set."""
    services = sequencer_services(settings)
    while not stop.is_set():
        try:
            with sequencer_lock(services.database) as held:
                if held:
                    _drain(services, stop)
        except ServiceFailed as error:
            log.warning("sequencer.waits", error_code=error.code, detail=error.detail)
        except AuditError as error:
            # Integrity is in doubt: an operator must look before anything is signed again.
            log.critical("sequencer.refuses", error_code=error.code, detail=str(error))
            stop.wait(TROUBLE_SECONDS)
        stop.wait(STANDBY_SECONDS)
    services.database.dispose()


def _drain(services: SequencerServices, stop: Event) -> None:
    while not stop.is_set():
        sequence_once(services.log, signer=services.signer, memory=services.memory)
        # Also after a full hand: one checkpoint over many entries costs as much as over one.
        stop.wait(PAUSE_SECONDS)
