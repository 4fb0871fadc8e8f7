"""How fast an auditor verifies, and what it costs beside a plain hash chain.

The chain is what a log without a tree would have: SHA-256(what came before || entry), over the same
bundles read from the same folder. It is measured twice. `checked`: it also checks that each entry
is canonical and no event comes twice, as a verifier of any log must; against it stands the whole
`audit.replay` (which compares every tile and judges the times besides). `bare`: it hashes and
nothing else; against it stands the tree alone, leaves to root. Times are of the process, one core.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from statistics import median

from audit.checkpoint import claimed_checkpoint
from audit.edge import RightEdge
from audit.entry import skim
from audit.replay import replay
from audit.seen import SeenEvents
from audit.tilepath import tile_paths
from audit.tiles import FolderSource, read_entries
from audit.tree import TileTree
from tests.audit.samples import SIGNER
from tests.bench.audit.made import write_log
from tests.bench.measure import Line

LEAVES = 1_000_000
ROUNDS = 3
RATE = 250_000
OF_A_CHAIN = 0.55
MOST_MB = 100
PROOFS = 200


def bench_verification(folder: Path) -> Iterator[Line]:
    """Every case of this module."""
    large, small = write_log(folder / "large", LEAVES), write_log(folder / "small", 1_000)
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way in WAYS:
            runs[way].append(_run(way, large))
    rate = {way: LEAVES / median(run["seconds"] for run in runs[way]) for way in WAYS}
    peak = max(run["mb"] for run in runs["replay"])
    case = f"full verification, {LEAVES:,} leaves"
    against = f"{RATE:,} leaves/s"
    yield Line(case, against, rate["replay"], RATE, "leaves/s", "higher", 1.0, peak)
    for ours, theirs, what in (
        ("replay", "checked", "hash chain with canonical entries and no event twice"),
        ("tree", "bare", "bare hash chain, and of ours the tree alone"),
    ):
        yield Line(
            *(case, what, rate[ours], rate[theirs], "leaves/s", "higher", OF_A_CHAIN), peak_mb=peak
        )
    yield Line(f"{case}, memory", f"{MOST_MB} MB", peak, MOST_MB, "MB", "lower", 1.0, peak)
    yield _proofs(small, large)


def _run(way: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.audit.verification", way, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout)
    print(f"{way}: {found}", file=sys.stderr)
    return found


def _proofs(small: Path, large: Path) -> Line:
    took: dict[Path, list[float]] = {small: [], large: []}
    for round_ in range(PROOFS):
        for folder, measured in took.items():
            source = FolderSource(folder)
            size = claimed_checkpoint(source.read("checkpoint")).size
            began = time.perf_counter()
            TileTree(size, source).inclusion(round_ * size // PROOFS)
            measured.append((time.perf_counter() - began) * 1e6)
    case = f"inclusion proof from tiles, {LEAVES:,} leaves"
    ours, theirs = median(took[large]), median(took[small])
    return Line(case, "the same at 1,000 leaves", ours, theirs, "us", "lower", 2.0, 0.0)


def _replay(folder: Path) -> None:
    replay(FolderSource(folder), verifier=SIGNER.verifier)


def _tree(folder: Path) -> None:
    edge = RightEdge()
    for entries in _bundles(folder):
        for _ in edge.extend([sha256(b"\x00" + entry).digest() for entry in entries]):
            pass
    edge.root()


def _bare(folder: Path) -> None:
    link = bytes(32)
    for entries in _bundles(folder):
        for entry in entries:
            link = sha256(link + entry).digest()


def _checked(folder: Path) -> None:
    link, seen = bytes(32), SeenEvents(LEAVES)
    for entries in _bundles(folder):
        if list(seen.add(skim(entries).event_ids)):
            raise SystemExit("an event stands in the log twice")
        for entry in entries:
            link = sha256(link + entry).digest()


def _bundles(folder: Path) -> Iterator[list[bytes]]:
    source = FolderSource(folder)
    for path in tile_paths(None, claimed_checkpoint(source.read("checkpoint")).size):
        yield read_entries(source, path)


WAYS: dict[str, Callable[[Path], None]] = {
    "replay": _replay,
    "checked": _checked,
    "tree": _tree,
    "bare": _bare,
}


def _high_water() -> float:
    """This process's own; ru_maxrss would be that of the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _measured(way: str, folder: Path) -> None:
    began = time.process_time()
    WAYS[way](folder)
    seconds = time.process_time() - began
    print(json.dumps({"seconds": seconds, "mb": _high_water()}))


if __name__ == "__main__":
    _measured(sys.argv[1], Path(sys.argv[2]))
