"""Small submissions over HTTPS: how many are acknowledged in a second, by servers that do no other.

Servers and disk are fresh: what large bodies leave to be written would be measured with them.
`acknowledged_a_second` is for whoever asks how it is afterwards.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.channels.made import message
from tests.bench.measure import Line, middle
from tests.bench.stand import standing
from tests.gateway.processes import Processes
from tests.gateway.stand import Sender, Stand

AGENCIES = ("POL-E23000020", "POL-E23000012", "LA-E10000019", "LA-E06000015")
CLIENTS, SECONDS, WARM_SECONDS, ROUNDS = 8, 10.0, 2.0, 3
SIZE = 10_000
RATE = 200
UNLIMITED = {
    "MAX_RATE_OF_AN_AGENCY": "100000",
    "MAX_WAITING": "1000000",
    "MAX_WAITING_OF_AN_AGENCY": "1000000",
}
"""What four agencies may send is not what is measured."""
WHAT = f"{SIZE // 1000} KB submissions acknowledged"


def bench_small(folder: Path) -> Iterator[Line]:
    """Every case of this module: one web process, and two as an installation has them."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    with standing(folder) as stand:
        senders = [stand.sender(agency) for agency in AGENCIES]
        for _ in range(ROUNDS):
            for webs, found in rates.items():
                found.append(_rate(stand, senders, folder, webs))
    one, two = map(middle, rates.values())
    for case, rate in ((f"{WHAT}, one web process", one), (f"{WHAT}, two web processes", two)):
        yield Line(case, f"{RATE}/s", rate, RATE, "submissions/s", "higher", 1.0, 0.0)
    case = f"{WHAT}, two web processes"
    yield Line(case, "one web process", two, one, "submissions/s", "higher", 1.0, 0.0)


def acknowledged_a_second(urls: Sequence[str], senders: Sequence[Sender]) -> float:
    """By clients that each keep one connection and send one after the other.

    Counted once they have been at it for a moment: connections are there, statements prepared.
    """
    begin = time.perf_counter() + WARM_SECONDS
    end = begin + SECONDS

    def client(number: int) -> int:
        parts = urlsplit(urls[number // len(senders) % len(urls)])
        connection, done = HTTPConnection(parts.hostname or "", parts.port), 0
        headers = {**senders[number % len(senders)].headers}
        headers["Content-Type"] = "application/pgp-encrypted"
        while time.perf_counter() < end:
            connection.request("POST", "/v1/submissions", message(SIZE), headers)
            answer = connection.getresponse()
            if answer.status != 201:
                raise RuntimeError(answer.read())
            answer.read()
            done += time.perf_counter() > begin
        connection.close()
        return done

    with ThreadPoolExecutor(CLIENTS) as threads:
        return sum(threads.map(client, range(CLIENTS))) / SECONDS


def _rate(stand: Stand, senders: Sequence[Sender], folder: Path, webs: int) -> float:
    (logs := folder / f"webs-{webs}").mkdir(exist_ok=True)
    environ = {**stand.environ, **UNLIMITED}
    with Processes(environ, logs, workers=0, webs=webs) as running:
        return acknowledged_a_second(running.urls, senders)
