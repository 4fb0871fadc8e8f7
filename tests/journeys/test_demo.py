"""`make demo` as a whole: every act comes out as it must, and nothing keeps running."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.journey
def test_the_demonstration_comes_out_as_it_must(tmp_path: Path) -> None:
    done = subprocess.run(
        (sys.executable, "-m", "deploy.demo"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All as it must be" in done.stdout
    assert "5,774, equal in all" in done.stdout
    running = map(_command, psutil.process_iter())
    assert [command for command in running if str(tmp_path) in command] == []


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
