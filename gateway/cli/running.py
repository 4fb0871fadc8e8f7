"""Around a process that runs until it is told to stop, whichever it is."""

from collections.abc import Callable
from threading import Event

from gateway import journal
from gateway.cli.environment import environment
from gateway.cli.stopping import told_to_stop
from gateway.settings import Process, Settings


def run(loop: Callable[[Settings, Event], None], process: Process) -> None:
    """Run a loop with the settings of its kind of process."""
    journal.configure()
    loop(Settings.load(environment(), process), told_to_stop())
