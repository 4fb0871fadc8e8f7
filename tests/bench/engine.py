"""The engine in a process of its own, so that its memory can be told from the benchmark's.

`python -m tests.bench.engine FOLDER OPERATION SOURCE TARGET` does the operation once for each line
on stdin, and answers each with the seconds it took and the peak of memory above the start, in MB.
FOLDER holds secret.asc (ours) and sender.asc.
"""

import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from crypto import (
    Keyring,
    Scratch,
    load_certificate,
    open_message,
    rewrap,
    seal,
    unseal,
    write_rewrapped,
)

CONTEXT = "bench"


def main(folder: Path, operation: str, source: Path, target: Path) -> None:
    """Answer until stdin ends."""
    keyring = Keyring.load([(folder / "secret.asc").read_bytes()])
    sender = load_certificate((folder / "sender.asc").read_bytes())
    run = _OPERATIONS[operation]
    gc.collect()
    before = _peak()
    for _ in sys.stdin:
        started = time.perf_counter()
        run(keyring, sender, source, target)
        took = time.perf_counter() - started
        print(json.dumps({"seconds": took, "mb": _peak() - before}), flush=True)


def _open(keyring: Keyring, sender: object, source: Path, target: Path) -> None:
    with source.open("rb") as message:
        make = partial(Scratch, folder=target.parent)
        now = datetime.now(UTC)
        opened = open_message(
            message, keyring=keyring, senders=[sender], now=now, make_scratch=make
        )
        opened.plaintext.close()


def _seal(keyring: Keyring, _: object, source: Path, target: Path) -> None:
    with source.open("rb") as plain, target.open("wb") as sink:
        now = datetime.now(UTC)
        seal(plain, sink, recipients=keyring.certificates, context=CONTEXT, now=now)


def _rewrap(keyring: Keyring, sender: object, source: Path, target: Path) -> None:
    with source.open("rb") as sealed:
        found = rewrap(sealed, keyring=keyring, recipients=[sender], now=datetime.now(UTC))
    target.write_bytes(found.session_keys)


def _rewrap_whole(keyring: Keyring, sender: object, source: Path, target: Path) -> None:
    with source.open("rb") as sealed, target.open("wb") as sink:
        found = rewrap(sealed, keyring=keyring, recipients=[sender], now=datetime.now(UTC))
        write_rewrapped(found, sealed, sink)


def _unseal(keyring: Keyring, _: object, source: Path, target: Path) -> None:
    with source.open("rb") as sealed, target.open("wb") as sink:
        make = partial(Scratch, folder=target.parent)
        unseal(sealed, sink, keyring=keyring, context=CONTEXT, make_scratch=make)


_OPERATIONS: dict[str, Callable[..., None]] = {
    "open": _open,
    "seal": _seal,
    "rewrap": _rewrap,
    "rewrap whole": _rewrap_whole,
    "unseal": _unseal,
}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    os.umask(0o077)
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
