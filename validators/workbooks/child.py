"""The process that reads a workbook: its bytes on stdin, what is `told` of them on stdout.

Its memory and time are bounded where the system can: 1.5 GiB and two minutes. On a system without
such limits (Windows) it still keeps a reader's crash from whoever asked.
"""

import json
import sys

from validators.workbooks.precheck import MOST_PACKED_BYTES
from validators.workbooks.telling import told

try:
    import resource
except ModuleNotFoundError:
    resource = None  # type: ignore[assignment]

MEMORY_BYTES = 3 << 29
SECONDS = 120


def main() -> None:
    """Read stdin to its end and say what is in it."""
    _limit()
    for message in told(sys.stdin.buffer.read(MOST_PACKED_BYTES + 1)):
        sys.stdout.write(json.dumps(message, ensure_ascii=True))
        sys.stdout.write("\n")
    sys.stdout.flush()


def _limit() -> None:
    if resource is None:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # It has no business with any file: what is in the workbook is personal data.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    main()
