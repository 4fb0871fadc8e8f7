"""Small submissions end to end, against gpg that only decrypts and verifies the same bytes."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from crypto import Keyring
from gateway.embedded import EmbeddedServers
from tests.bench.gnupg import Gnupg
from tests.bench.measure import Line, middle, peak_mb
from tests.bench.sending import SENDERS, post, send_all
from tests.gateway.processes import Processes
from tests.gateway.stand import Sender, Stand, development, fresh, make_keys
from tests.validators import samples

AGENCIES = ("POL-E23000020", "POL-E23000012", "LA-E10000019", "LA-E06000015")
MESSAGE_BYTES = 10_000
CHILDREN = 33  # with a CASE, an EXPL and a DECN row each: just above that many bytes
ROUNDS = 3
A_ROUND = 120
ALGORITHMS = ("rsa3072", "ed25519")


def bench_submissions(folder: Path) -> Iterator[Line]:
    """Throughput against the loop, then the time from upload to report against one second."""
    for algorithm in ALGORITHMS:
        with _bench(folder / algorithm, algorithm) as bench:
            yield bench.throughput()
            yield bench.latency()


class _Bench:
    """One gateway and one gpg that hold the same keys."""

    def __init__(self, folder: Path, stand: Stand, processes: Processes, gnupg: Gnupg) -> None:
        self._folder = folder
        self._stand = stand
        self._processes = processes
        self._gnupg = gnupg
        self.algorithm = folder.name
        self.senders: list[Sender] = []

    def throughput(self) -> Line:
        """Submissions a second, from the first byte sent to the last entry in the log."""
        ours, theirs = [], []
        self._send_all(self._messages(SENDERS))  # what is done once is done before
        for number in range(ROUNDS):
            batch = self._messages(A_ROUND)
            theirs.append(A_ROUND / self._gnupg.decrypt_all(self._files(batch, number)))
            ours.append(A_ROUND / self._send_all(batch))
        return Line(
            case=f"{MESSAGE_BYTES // 1000} KB submissions end to end, {self.algorithm}",
            against="a loop of gpg --decrypt",
            ours=middle(ours),
            theirs=middle(theirs),
            unit="submissions/s",
            better="higher",
            target=1.0,
            peak_mb=peak_mb(self._processes.pids),
        )

    def latency(self) -> Line:
        """Seconds from the first byte sent to the report in hand, one at a time."""
        taken = []
        for sender, message in self._messages(30):
            started = time.perf_counter()
            submission = post(self._processes.url, sender, message)
            self._report(sender, submission)
            taken.append(time.perf_counter() - started)
        return Line(
            case=f"upload to report, median, {self.algorithm}",
            against="one second",
            ours=middle(taken),
            theirs=1.0,
            unit="s",
            better="lower",
            target=1.0,
            peak_mb=peak_mb(self._processes.pids),
        )

    def _messages(self, count: int) -> list[tuple[Sender, bytes]]:
        return [self._message(self.senders[n % len(self.senders)]) for n in range(count)]

    def _message(self, sender: Sender) -> tuple[Sender, bytes]:
        package = sender.package(samples.children(CHILDREN, seed=fresh()))
        message = sender.encrypt(package.data)
        if len(message) < MESSAGE_BYTES:
            raise ValueError(f"a message of {len(message)} bytes is too small for this case")
        return sender, message

    def _files(self, batch: Sequence[tuple[Sender, bytes]], number: int) -> list[Path]:
        paths = []
        for index, (_, message) in enumerate(batch):
            path = self._folder / f"message-{number}-{index}.pgp"
            path.write_bytes(message)
            paths.append(path)
        return paths

    def _send_all(self, batch: Sequence[tuple[Sender, bytes]]) -> float:
        return send_all(self._stand, self._processes.url, batch)

    def _report(self, sender: Sender, submission: str) -> None:
        url = f"{self._processes.url}/v1/submissions/{submission}/report"
        while True:
            answer = requests.get(url, headers=sender.headers, timeout=60)
            if answer.status_code == 200:
                if answer.json()["verdict"] != "accepted":
                    raise ValueError("the benchmark's own package was not accepted")
                return
            time.sleep(0.01)


@contextmanager
def _bench(folder: Path, algorithm: str) -> Iterator[_Bench]:
    keys, logs = folder / "keys", folder / "logs"
    for each in (keys, logs):
        each.mkdir(parents=True)
    gnupg = Gnupg(folder / "gnupg")
    gateway = gnupg.generate("Gateway <submissions@gateway.test>", _of_gpg(algorithm))
    made = make_keys(keys, gateway=gateway)
    with EmbeddedServers(folder / "servers") as servers:
        environ = development(servers.environ(), made, bucket_prefix="bench")
        stand = Stand(environ, made)
        with Processes(environ, logs, workers=2) as processes:
            bench = _Bench(folder, stand, processes, gnupg)
            for agency in AGENCIES:
                secret = gnupg.generate(f"{agency} <data@agency.test>", _of_gpg(algorithm))
                bench.senders.append(stand.sender(agency, keyring=Keyring.load([secret])))
            yield bench
        stand.close()
    gnupg.close()


def _of_gpg(algorithm: str) -> str:
    # gpg 2.2 makes rsa3072 where nothing else is asked for.
    return "default" if algorithm == "rsa3072" else "future-default"
