"""Submissions sent at once, and the wait until the gateway has done all that follows."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import requests
from sqlalchemy import text

from tests.gateway.stand import Sender, Stand

SENDERS = 8
_WAITING = text(
    "SELECT EXISTS (SELECT 1 FROM submission WHERE state = 'received')"
    " OR EXISTS (SELECT 1 FROM audit_outbox)"
)


def send_all(stand: Stand, url: str, batch: Sequence[tuple[Sender, bytes]]) -> float:
    """Send messages; return the seconds until all are in their end state and in the log."""
    started = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(lambda each: post(url, *each), batch))
    while _is_at_work(stand):
        time.sleep(0.02)
    return time.perf_counter() - started


def post(url: str, sender: Sender, message: bytes) -> str:
    """Send one; return its id."""
    headers = sender.headers | {"Content-Type": "application/pgp-encrypted"}
    answer = requests.post(f"{url}/v1/submissions", data=message, headers=headers, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _is_at_work(stand: Stand) -> bool:
    with stand.database.transaction() as session:
        return bool(session.execute(_WAITING).scalar_one())
