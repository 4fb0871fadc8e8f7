"""What a supervisor runs ends when it is told to, at whichever moment that is."""

import subprocess
import sys

# The event's own lock is held, as it is for a moment in each of the loop's pauses.
TOLD = """
import os, signal, time
from gateway.cli import running
from gateway.settings import Process, Settings
def loop(settings, stop):
    with stop._cond:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.1)
    print(stop.wait(20))
running.environment, Settings.load = dict, lambda *_: None
running.run(loop, Process.MIRROR)
"""


def test_it_ends_though_it_is_told_in_the_middle_of_a_pause() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TOLD], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
