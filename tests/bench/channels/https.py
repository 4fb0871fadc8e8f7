"""HTTPS: one large body against nginx, tus against one request, and what large ones leave behind.

nginx takes the same body by PUT, writes it to a disk and is done; ours hashes it, puts it into the
object store and commits before it answers. Plain HTTP on loopback: TLS is nginx's in both cases.
"""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.client import GatewayClient, Upload
from tests.bench.channels.made import message
from tests.bench.channels.small import AGENCIES, UNLIMITED, WHAT, acknowledged_a_second
from tests.bench.measure import Line, middle, peak_mb
from tests.bench.stand import standing
from tests.gateway.processes import Processes, free_port
from tests.gateway.stand import Sender

ROUNDS = 3
SMALL_MB, LARGE_MB = 1, 2000
MOST_GROWTH = 1.2
LEFT_AFTERWARDS = 0.6

NGINX = """
daemon off;
user root root;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    client_max_body_size 0;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/kept;
        dav_methods PUT;
    }}
}}
"""


def bench_https(folder: Path, megabytes: int) -> Iterator[Line]:
    """Every case of this module."""
    with standing(folder) as stand:
        senders = [stand.sender(agency) for agency in AGENCIES]
        (folder / "web").mkdir()
        environ = {**stand.environ, **UNLIMITED}
        with Processes(environ, folder / "web", workers=0) as running:
            before = _often(running, senders)
        with Processes(environ, folder / "web", workers=0) as running:
            yield from _memory(running, senders[0], folder)
        with Processes(environ, folder / "web", workers=0) as running, _nginx(folder) as url:
            yield from _large(running, senders[0], url, folder, megabytes)
            after = _often(running, senders)
    yield Line(
        *(f"{WHAT}, right after large ones", "before them"),
        *(after, before, "submissions/s", "higher", LEFT_AFTERWARDS, 0.0),
    )


def _often(running: Processes, senders: Sequence[Sender]) -> float:
    return middle(acknowledged_a_second(running.urls, senders) for _ in range(ROUNDS))


def _memory(running: Processes, sender: Sender, folder: Path) -> Iterator[Line]:
    """What the web process held at the most: for a small file first, then for a large one."""
    peaks = []
    for megabytes in (SMALL_MB, LARGE_MB):
        file = _made(folder, megabytes)
        _post(running.url, sender, file)
        peaks.append(peak_mb([running.pid("web")]))
        file.unlink()
    case = f"memory of the web process, a body of {LARGE_MB} MB"
    against = f"after one of {SMALL_MB} MB"
    yield Line(case, against, peaks[1], peaks[0], "MB", "lower", MOST_GROWTH, peaks[1])


def _large(
    running: Processes, sender: Sender, nginx: str, folder: Path, megabytes: int
) -> Iterator[Line]:
    client = GatewayClient(running.url, sender.headers["Authorization"].removeprefix("Bearer "))
    ways: dict[str, Callable[[Path], object]] = {
        "nginx": lambda file: _curl("PUT", f"{nginx}/body.pgp", file),
        "ours": lambda file: _post(running.url, sender, file),
        "tus": lambda file: client.submit(Upload.of(file)),
    }
    took: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, send in ways.items():
            file = _made(folder, megabytes)  # the same bytes would be the same submission
            began = time.perf_counter()
            send(file)
            took[way].append(time.perf_counter() - began)
            file.unlink()
    rate = {way: megabytes / middle(found) for way, found in took.items()}
    peak = peak_mb([running.pid("web")])
    for case, ours, theirs, against, target in (
        ("in one request", "ours", "nginx", "nginx writing the body to a disk", 0.5),
        ("over tus", "tus", "ours", "the same in one request", 0.8),
    ):
        yield Line(
            *(f"one file of {megabytes} MB {case}", against),
            *(rate[ours], rate[theirs], "MB/s", "higher", target, peak),
        )


def _made(folder: Path, megabytes: int) -> Path:
    file = folder / f"body-{megabytes}.pgp"
    file.write_bytes(message(megabytes * 1_000_000))
    return file


def _post(url: str, sender: Sender, file: Path) -> None:
    headers = {**sender.headers, "Content-Type": "application/pgp-encrypted"}
    _curl("POST", f"{url}/v1/submissions", file, headers)


def _curl(method: str, url: str, file: Path, headers: dict[str, str] | None = None) -> None:
    given = [part for name, value in (headers or {}).items() for part in ("-H", f"{name}: {value}")]
    command = ["curl", "-fsS", "-o", "/dev/null", "-X", method, "-T", str(file), *given, url]
    subprocess.run(command, check=True)


@contextmanager
def _nginx(folder: Path) -> Iterator[str]:
    own, port = folder / "nginx", free_port()
    (own / "kept").mkdir(parents=True)
    (own / "nginx.conf").write_text(NGINX.format(folder=own, port=port))
    process = subprocess.Popen(["nginx", "-p", str(own), "-c", str(own / "nginx.conf")])
    time.sleep(1)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
