"""How a process that runs for long is told to end: SIGTERM, or Ctrl-C."""

import signal
from _thread import start_new_thread
from threading import Event


def told_to_stop() -> Event:
    """An event that is set once this process is told to end."""
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        # A handler runs in the main thread, which may hold the event's lock at that very moment,
        # within `wait`: setting it there would wait for ever.
        signal.signal(name, lambda *_: start_new_thread(stop.set, ()))
    return stop
