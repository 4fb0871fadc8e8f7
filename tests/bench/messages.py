"""`make bench-crypto`: the OpenPGP engine against gpg, at four sizes, in turns.

Both read the same file on the same disk and leave the plaintext in one: gpg in the clear, we in
encrypted scratch. gpg starts a process for each message, as whoever calls it does; the engine is
warm, as it is in a worker.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.gnupg import QUIET, Gnupg
from tests.bench.measure import Line, middle

KB, MB, GB = 1000, 1000**2, 1000**3
SIZES = {"10 KB": 10 * KB, "1 MB": MB, "100 MB": 100 * MB, "1 GB": GB}
DECRYPT_TARGETS = {"10 KB": 0.5, "1 MB": 0.5, "100 MB": 0.9, "1 GB": 0.9}
ROUNDS = {"10 KB": 25, "1 MB": 25, "100 MB": 7, "1 GB": 3}
MEMORY_MB = 64
WARM_SECONDS = 0.020
PLAIN = ("--compress-algo", "none")


@dataclass(frozen=True)
class _Figures:
    ours: float
    theirs: float
    mb: float


class _Bench:
    """One gpg that owns the keys, and a folder of messages."""

    def __init__(self, folder: Path, gnupg: Gnupg) -> None:
        self.folder = folder
        self.gnupg = gnupg

    def file(self, name: str) -> Path:
        return self.folder / name

    def measure(
        self,
        operation: str,
        source: str,
        theirs: Callable[[], object],
        *,
        rounds: int,
        keys: str = "rsa3072",
    ) -> _Figures:
        """Both in turns, after one warm-up each."""
        command = (sys.executable, "-m", "tests.bench.engine", str(self.file(keys)), operation)
        with subprocess.Popen(
            [*command, str(self.file(source)), str(self.file("ours.out"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as engine:
            _ask(engine)
            theirs()
            pairs = [(_ask(engine), _timed(theirs)) for _ in range(rounds)]
            assert engine.stdin is not None
            engine.stdin.close()
        return _Figures(
            ours=middle(one["seconds"] for one, _ in pairs),
            theirs=middle(seconds for _, seconds in pairs),
            mb=max(one["mb"] for one, _ in pairs),
        )

    def decrypt(self, name: str, *, output: str = "") -> Callable[[], object]:
        target = output or str(self.file("theirs.out"))
        command = (*QUIET, "--yes", "--decrypt", "--output", target)
        return lambda: self.gnupg.run(*command, str(self.file(name)))

    def encrypt(self, name: str) -> Callable[[], object]:
        command = (*QUIET, "--yes", "--encrypt", "--recipient", "gateway-rsa3072", *PLAIN)
        output = ("--output", str(self.file("theirs.out")))
        return lambda: self.gnupg.run(*command, *output, str(self.file(name)))

    def decrypt_and_encrypt(self, name: str) -> Callable[[], object]:
        def both() -> None:
            self.decrypt(name)()
            self.gnupg.run(
                *(*QUIET, "--yes", "--encrypt", "--recipient", "sender-rsa3072", *PLAIN),
                *("--output", str(self.file("again.out")), str(self.file("theirs.out"))),
            )

        return both


def bench_messages(folder: Path) -> Iterator[Line]:
    """Every case, a line each."""
    gnupg = Gnupg(folder / "gnupg")
    try:
        bench = _prepared(folder, gnupg)
        yield from _decrypting(bench)
        yield from _warm(bench)
        yield from _sealing(bench)
    finally:
        gnupg.close()


def _decrypting(bench: _Bench) -> Iterator[Line]:
    for size in SIZES:
        message, target = _signed(bench, size, PLAIN), DECRYPT_TARGETS[size]
        found = bench.measure("open", message, bench.decrypt(message), rounds=ROUNDS[size])
        yield _line(f"decrypt and verify {size}", "gpg --decrypt to a file", found, target)
    yield _memory("decrypt and verify 1 GB", found)
    nowhere = bench.decrypt(message, output="/dev/null")
    found = bench.measure("open", message, nowhere, rounds=ROUNDS[size])
    yield _line(f"decrypt and verify {size}", "gpg --decrypt to /dev/null", found, 0.9)
    for case, name, options in (
        ("compressed text", "text", ("--compress-algo", "zlib")),
        ("armored", "100 MB", (*PLAIN, "--armor")),
    ):
        message = _signed(bench, name, options)
        found = bench.measure("open", message, bench.decrypt(message), rounds=ROUNDS["100 MB"])
        yield _line(f"decrypt and verify 100 MB, {case}", "gpg --decrypt to a file", found, 0.9)


def _warm(bench: _Bench) -> Iterator[Line]:
    message = _signed(bench, "10 KB", PLAIN, keys="rsa4096")
    decrypt = bench.decrypt(message)
    found = bench.measure("open", message, decrypt, rounds=25, keys="rsa4096")
    limit = _Figures(found.ours, WARM_SECONDS, found.mb)
    yield _line("decrypt and verify 10 KB, RSA-4096", "20 ms", limit, 1.0)


def _sealing(bench: _Bench) -> Iterator[Line]:
    for size in ("10 KB", "100 MB", "1 GB"):
        found = bench.measure("seal", size, bench.encrypt(size), rounds=ROUNDS[size])
        yield _line(f"seal {size}", "gpg --encrypt", found, 1.5)
    yield _memory("seal 1 GB", found)
    bench.file("ours.out").rename(bench.file("sealed"))
    again = bench.decrypt_and_encrypt("sealed")
    for operation, case in (
        ("rewrap", "rewrap 1 GB, session key beside the object"),
        ("rewrap whole", "rewrap 1 GB into an object of its own"),
    ):
        found = bench.measure(operation, "sealed", again, rounds=3)
        yield _line(case, "gpg --decrypt, then --encrypt", found, 0.05)
    found = bench.measure("unseal", "sealed", bench.decrypt("sealed"), rounds=3)
    yield _line("unseal 1 GB", "gpg --decrypt to a file", found, 1.5)
    yield _memory("unseal 1 GB", found)


def _prepared(folder: Path, gnupg: Gnupg) -> _Bench:
    """Keys and plaintexts: random octets, as packages are compressed already, and text."""
    bench = _Bench(folder, gnupg)
    for algorithm in ("rsa3072", "rsa4096"):
        keys = bench.file(algorithm)
        keys.mkdir()
        for party, name in (("gateway", "secret.asc"), ("sender", "sender.asc")):
            secret = gnupg.generate_pair(f"{party}-{algorithm}", algorithm)
            exported = secret if party == "gateway" else gnupg.export(f"{party}-{algorithm}")
            (keys / name).write_bytes(exported)
    for name, size in SIZES.items():
        _fill(bench.file(name), size, lambda: os.urandom(MB))
    row = b"2026-04-01,POL-E23000020,CSE,F,13,referred\n"
    _fill(
        bench.file("text"),
        100 * MB,
        lambda: b"".join(row + os.urandom(6).hex().encode() for _ in range(MB // 55)),
    )
    return bench


def _signed(bench: _Bench, name: str, options: Sequence[str], *, keys: str = "rsa3072") -> str:
    """Sign and encrypt a plaintext with gpg; answer the message's name."""
    message = f"{name} {' '.join(options)} {keys}.pgp"
    to = ("--sign", "--encrypt", "--local-user", f"sender-{keys}", "--recipient", f"gateway-{keys}")
    bench.gnupg.run(
        *QUIET, "--yes", *to, *options, "--output", str(bench.file(message)), str(bench.file(name))
    )
    return message


def _fill(path: Path, size: int, make: Callable[[], bytes]) -> None:
    with path.open("wb") as stream:
        while (left := size - stream.tell()) > 0:
            stream.write(make()[:left])


def _line(case: str, against: str, found: _Figures, target: float) -> Line:
    return Line(
        case=case,
        against=against,
        ours=found.ours * 1000,
        theirs=found.theirs * 1000,
        unit="ms",
        better="lower",
        target=target,
        peak_mb=found.mb,
    )


def _memory(case: str, found: _Figures) -> Line:
    return Line(
        case=f"memory above the start, {case}",
        against=f"{MEMORY_MB} MB",
        ours=found.mb,
        theirs=MEMORY_MB,
        unit="MB",
        better="lower",
        target=1.0,
        peak_mb=found.mb,
    )


def _ask(engine: "subprocess.Popen[str]") -> dict[str, float]:
    assert engine.stdin is not None
    assert engine.stdout is not None
    engine.stdin.write("again\n")
    engine.stdin.flush()
    answer: dict[str, float] = json.loads(engine.stdout.readline())
    return answer


def _timed(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main() -> int:
    """Print every line; whether a target is met is in the line, not in the exit status."""
    # Not /tmp, which is memory on many systems: gigabytes are written.
    with TemporaryDirectory(prefix="gateway-bench-", dir="/var/tmp") as folder:
        print("measuring the OpenPGP engine against gpg, a few minutes", file=sys.stderr)
        for line in bench_messages(Path(folder)):
            print(line.to_json(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
