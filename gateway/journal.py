"""The operational log: JSON lines on stderr, one canonical event a request or job.

Never payloads, names or query text. An exception appears by its type only, since a message or a
trace may quote data. This is not the audit log, and nothing in it is evidence.
"""

import logging
import sys

import structlog


def configure() -> None:
    """Set up structlog, and let the libraries speak in the same form from WARNING upward."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Guarded()], force=True)


class _Guarded(logging.Handler):
    """Says which library complained and about what kind of fault, never in the library's words."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger("library").log(
            record.levelno,
            "library",
            logger=record.name,
            place=f"{record.module}:{record.lineno}",
            error=record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None,
        )
