"""The mirror process: copies what the log has published to where nobody can remove it.

It never stops for good. Where the database or the object store is away it tries again; where what
is published does not extend what was mirrored (`audit.mirror`), or the bucket would let go of what
it is given, it writes nothing, says so each time, and waits for an operator. It may be killed at
any moment, and several may run at once.
"""

from threading import Event

import structlog

from audit.errors import AuditError
from gateway.errors import ServiceFailed, Unlocked
from gateway.settings import Settings
from gateway.wiring.mirror import MirrorServices, mirror_services

log = structlog.get_logger("gateway.mirror")


def run_mirror(settings: Settings, stop: Event) -> None:
    """Mirror until `stop` is set."""
    services = mirror_services(settings)
    while not stop.is_set():
        mirror_once(services)
        stop.wait(services.seconds)
    services.database.dispose()


def mirror_once(services: MirrorServices) -> None:
    """One round: whatever has been published since the last; failures are told of, not raised."""
    try:
        services.bucket.require_lock()
        head = services.mirror.catch_up()
        if head is not None:
            log.info("mirror.grown", size=head.size)
    except ServiceFailed as error:
        log.warning("mirror.waits", error_code=error.code, detail=error.detail)
    except (AuditError, Unlocked) as error:
        # Integrity is in doubt: an operator must look before anything more is taken.
        log.critical("mirror.refuses", error_code=error.code, detail=str(error))
