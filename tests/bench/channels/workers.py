"""What a second worker brings where two cores do everything: submissions judged a second."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.measure import Line, middle
from tests.bench.sending import SENDERS, send_all
from tests.bench.stand import standing
from tests.gateway.processes import Processes
from tests.gateway.stand import Sender, Stand, fresh
from tests.validators import samples

AGENCIES = ("POL-E23000020", "POL-E23000012", "LA-E10000019", "LA-E06000015")
CHILDREN, A_ROUND, ROUNDS = 33, 100, 3


def bench_workers(folder: Path) -> Iterator[Line]:
    """The one case of this module."""
    with standing(folder) as stand:
        senders = [stand.sender(agency) for agency in AGENCIES]
        one, two = (_rate(stand, senders, folder, workers) for workers in (1, 2))
    case = f"submissions of {CHILDREN} children from upload to the log, two workers"
    yield Line(case, "one worker", two, one, "submissions/s", "higher", 1.0, 0.0)


def _rate(stand: Stand, senders: Sequence[Sender], folder: Path, workers: int) -> float:
    logs = folder / f"workers-{workers}"
    logs.mkdir()
    with Processes(stand.environ, logs, workers=workers) as running:
        send_all(stand, running.url, _messages(senders, SENDERS))
        return A_ROUND / middle(
            send_all(stand, running.url, _messages(senders, A_ROUND)) for _ in range(ROUNDS)
        )


def _messages(senders: Sequence[Sender], count: int) -> list[tuple[Sender, bytes]]:
    of_each = [senders[number % len(senders)] for number in range(count)]
    return [
        (each, each.encrypt(each.package(samples.children(CHILDREN, seed=fresh())).data))
        for each in of_each
    ]
