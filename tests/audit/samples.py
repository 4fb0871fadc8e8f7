"""Events, keys and logs for the tests. All of it is fixed: no clock and no randomness."""

from datetime import UTC, datetime, timedelta
from typing import Any

from audit.actions import Action
from audit.entry import Entry
from audit.note import Signer
from tests.audit.careless import sequence
from tests.audit.memory_store import MemoryStore

ORIGIN = "log.gateway.example"
START = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


def seed(fill: int) -> Any:
    """A source of "randomness" that always gives the same byte."""
    return lambda size: bytes([fill]) * size


SIGNER = Signer.generate(ORIGIN, seed(7))
OTHER_KEY = Signer.generate(ORIGIN, seed(8))
OTHER_LOG = Signer.generate("other.example", seed(9))


def event_id(number: int) -> str:
    """A UUID of version 7 that carries the time of the number-th event."""
    return id_at(START + timedelta(milliseconds=number), number)


def id_at(time: datetime, number: int) -> str:
    """A UUID of version 7 that carries a time."""
    digits = f"{round(time.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}-7d3e-8f00-{number:012x}"


def event(number: int, **changes: Any) -> Entry:
    """The number-th event of a busy day."""
    return Entry(
        **{
            "event_id": event_id(number),
            "time": START + timedelta(milliseconds=number),
            "action": Action.SUBMISSION_RECEIVED,
            "outcome": "success",
            "actor": f"{number:032x}",
            "actor_type": "agency",
            "auth_method": "token",
            "source": "5" * 32,
            "agency": "POL-E23000001",
            "object_type": "submission",
            "object_id": f"00000000-0000-4000-8000-{number:012x}",
            "object_sha256": f"{number:064x}",
            "request_id": f"{number:016x}",
            "standard": "CTDS 1.0",
            "software": "ctds-gateway/0.1.0",
        }
        | changes
    )


def fill(store: Any, start: int, stop: int, *, signer: Signer = SIGNER) -> None:
    """Let the events from `start` to before `stop` happen, and sequence them at once."""
    for number in range(start, stop):
        store.enqueue(event(number).to_bytes())
    sequence(store, signer=signer, limit=100_000)


def log_of(*sizes: int, signer: Signer = SIGNER) -> MemoryStore:
    """A log with one checkpoint at each of these sizes."""
    store, done = MemoryStore(), 0
    for size in sizes:
        fill(store, done, size, signer=signer)
        done = size
    return store
