"""The kept inputs, and a little fuzzing of each target on every run."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.crypto.peers.programs import missing
from tests.fuzz.targets import TARGETS, run

CORPUS = Path(__file__).parent / "corpus"
RUNS = 5000
SEED = 20261101


@pytest.mark.parametrize("name", TARGETS)
def test_the_kept_inputs(name: str) -> None:
    kept = sorted((CORPUS / name).iterdir())
    assert len(kept) > 5
    for path in kept:
        run(name, path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_a_little_fuzzing(name: str, tmp_path: Path) -> None:
    if find_spec("atheris") is None:
        missing("atheris is not installed: it has no wheel for this system")
    options = (f"-runs={RUNS}", f"-seed={SEED}", "-max_total_time=8", "-timeout=10")
    limits = ("-max_len=4096", "-rss_limit_mb=1024", f"-artifact_prefix={tmp_path}/")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", name, *options, *limits],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    # libFuzzer prints the input that did it as Base64.
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    assert "Done" in done.stderr
