"""What commands print, as a person sees it."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from gateway.cli.output import print_facts, print_records

NARROW = 40
PROGRAM = """
import sys
from gateway.cli.output import print_table
print_table(["one", "other", "third"], [sys.argv[1:]])
"""


def on_a_terminal(columns: int, *arguments: str) -> str:
    """What a program writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    subprocess.run([sys.executable, "-c", *arguments], stdout=theirs, check=True)
    os.close(theirs)
    with os.fdopen(ours, "rb") as screen:
        return screen.read1(4096).decode()


def test_no_id_is_cut_off_however_narrow_the_terminal() -> None:
    ids = [str(uuid4()) for _ in range(3)]
    shown = on_a_terminal(NARROW, PROGRAM, *ids)
    assert all(each in shown for each in ids)


def test_a_time_is_told_to_the_second_whatever_form_it_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    moment = datetime(2026, 4, 9, 8, 30, 15, 123456, tzinfo=UTC)
    print_records(["at", "told"], [{"at": moment, "told": moment.isoformat()}])
    print_facts({"at": moment, "told": moment.isoformat()})
    said = capsys.readouterr().out
    assert said.count("2026-04-09T08:30:15+00:00") == 4
