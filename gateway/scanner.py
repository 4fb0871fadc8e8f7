"""Malware in attachments, looked for by ClamAV's daemon.

A document goes to clamd over a Unix socket (INSTREAM, clamd(8)), in chunks that each have their
length before them. Whatever is not a plain "OK" or "FOUND" is no verdict: then the submission
waits, as it does for any other service, and is never taken unscanned.
"""

import re
import socket
from pathlib import Path

from gateway.errors import ServiceFailed

_CHUNK = 1 << 16
_LENGTH_BYTES = 4
_LONGEST_REPLY = 4096
_CLEAN = re.compile(rb"stream: OK\0")
_FOUND = re.compile(rb"stream: [^\0]+ FOUND\0")


class Scanner:
    """One clamd; a connection for each document."""

    def __init__(self, address: Path, *, patience: float = 150) -> None:
        """`patience` in seconds is more than clamd itself gives a document (MaxScanTime, 120)."""
        self._address = str(address)
        self._patience = patience

    def finds_malware(self, document: bytes) -> bool:
        """Tell whether a document is known malware, or cannot be looked through to its end.

        Raises ServiceFailed where clamd does not answer, or not with a verdict.
        """
        try:
            reply = self._scanned(document)
        except OSError as error:
            raise _no_verdict(type(error).__name__) from error
        if _CLEAN.fullmatch(reply):
            return False
        if _FOUND.fullmatch(reply):
            return True
        raise _no_verdict("another reply")

    def _scanned(self, document: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(self._patience)
            line.connect(self._address)
            line.sendall(b"zINSTREAM\0")
            for start in range(0, len(document), _CHUNK):
                chunk = document[start : start + _CHUNK]
                line.sendall(len(chunk).to_bytes(_LENGTH_BYTES) + chunk)
            line.sendall(bytes(_LENGTH_BYTES))
            return _until_closed(line)


def _until_closed(line: socket.socket) -> bytes:
    reply = b""
    while (more := line.recv(_LONGEST_REPLY)) and len(reply) < _LONGEST_REPLY:
        reply += more
    return reply


def _no_verdict(detail: str) -> ServiceFailed:
    return ServiceFailed(
        "scanner-unavailable",
        "Attachments cannot be scanned for malware at the moment.",
        "Nothing needs to be done: submissions with attachments wait until they can be.",
        detail=detail,
    )
