"""The sheets of a workbook, row by row, read by a child process that may die of it.

Whatever becomes of the child, the sender gets a clause: a workbook that costs more memory or time
than a return needs ends the child and nothing else. Where there are no processes, in a browser, the
page itself is the sandbox, and the same code reads in place; if it dies of that, the page begins
anew and says so here (`reader_died`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Thread
from typing import BinaryIO

from validators.workbooks.precheck import MOST_PACKED_BYTES, WorkbookRefused
from validators.workbooks.telling import told

NumberedRow = tuple[int, list[str]]

_DIED = (
    "the workbook takes more memory or time to read than a return can need; delete what stands far "
    "from the data, or send CSV files"
)
# No more of the environment than a program needs to start: the rest may hold secrets.
_ENVIRONMENT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME")

_dead: ContextVar[bool] = ContextVar("dead", default=False)


@contextmanager
def reader_died() -> Iterator[None]:
    """Within, every workbook gets the clause of one whose reader died: in a browser, it did."""
    token = _dead.set(True)
    try:
        yield
    finally:
        _dead.reset(token)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet and its rows from row 1 on; they can be read until the next sheet is asked for."""

    name: str
    rows: Iterator[NumberedRow]


def read_sheets(workbook: BinaryIO) -> Iterator[Sheet]:
    """Yield the sheets in their order; raises WorkbookRefused, also while rows are read."""
    data = workbook.read(MOST_PACKED_BYTES + 1)
    with _lines(data) as lines:
        yield from _Said(lines).sheets()


class _Said:
    """What the child says, cut into sheets."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._next: str | None = None

    def sheets(self) -> Iterator[Sheet]:
        while (name := self._sheet()) is not None:
            rows = self._rows()
            yield Sheet(name, rows)
            for _ in rows:
                pass

    def _sheet(self) -> str | None:
        said = self._next or next(self._lines, "")
        self._next = None
        try:
            message = json.loads(said)
        except ValueError:
            raise WorkbookRefused(_DIED) from None
        if "refused" in message:
            raise WorkbookRefused(message["refused"])
        if "end" in message:
            return None
        return str(message["sheet"])

    def _rows(self) -> Iterator[NumberedRow]:
        for said in self._lines:
            if not said.startswith("["):
                self._next = said
                return
            try:
                number, cells = json.loads(said)
            except ValueError:
                break  # the child died in the middle of a line
            yield number, cells
        raise WorkbookRefused(_DIED)


@contextmanager
def _lines(data: bytes) -> Iterator[Iterator[str]]:
    if _dead.get():
        yield iter(())
        return
    if sys.platform == "emscripten":
        yield (json.dumps(message) for message in told(data))
        return
    with _child() as child:
        assert child.stdin is not None
        assert child.stdout is not None
        # Written from the side: a child that dies early must not leave us writing for ever.
        writer = Thread(target=_write, args=(child.stdin, data), daemon=True)
        writer.start()
        try:
            yield (line.decode("ascii") for line in child.stdout)
        finally:
            child.kill()
            writer.join()


def _write(stdin: BinaryIO, data: bytes) -> None:
    with suppress(BrokenPipeError, ConnectionResetError, OSError), stdin:
        stdin.write(data)


@contextmanager
def _child() -> Iterator["subprocess.Popen[bytes]"]:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # -I: nothing of the folder or user that we happen to run in is imported.
    command = [sys.executable, "-I", "-m", "validators.workbooks.child"]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as child:
        yield child
