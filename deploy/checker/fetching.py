"""What the page is made of and we did not write: Pyodide from npm, wheels from PyPI, both pinned.

npm holds its archive against the digest in `package-lock.json`, pip each wheel against those in
`wheels.txt`. What is there already and fits is not fetched again, so a build needs no network then.
"""

import hashlib
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"
MODULES = HERE / "node_modules"
PINS = HERE / "wheels.txt"
WHEELS = HERE / "wheels"

CORE = (
    *("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"),
    *("python_stdlib.zip", "pyodide-lock.json"),
)
"""The files of Pyodide that a page needs; the rest of the package is for programmers."""

_PIN = re.compile(r"--hash=sha256:([0-9a-f]{64})")
# The platforms in whose wheels the packages of the page come; all else is pure Python.
_PLATFORMS = ("pyemscripten_2026_0_wasm32", "manylinux2014_x86_64")


class NotFetched(Exception):
    """npm or pip could not fetch what is missing; the message is theirs."""


def core() -> dict[str, bytes]:
    """Return the files of Pyodide by name, fetched with npm where they are missing."""
    # npm writes this file when it has installed a lock file's packages.
    installed = MODULES / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < LOCK.stat().st_mtime:
        npm = ["npm", "ci", "--prefix", str(HERE), "--ignore-scripts", "--no-audit", "--no-fund"]
        _run("npm", [*npm, "--loglevel=error"])
    return {name: (MODULES / "pyodide" / name).read_bytes() for name in CORE}


def wheels() -> dict[str, bytes]:
    """Return the wheels by name, fetched with pip where one is missing."""
    pinned = set(_PIN.findall(PINS.read_text("ascii")))
    found = _at_hand(pinned)
    if len(found) < len(pinned):
        _fetch_wheels()
        found = _at_hand(pinned)
    if len(found) < len(pinned):
        raise NotFetched(f"pip did not fetch every wheel of {PINS.name}")
    return found


def _at_hand(pinned: set[str]) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in sorted(WHEELS.glob("*.whl"))}
    return {name: data for name, data in found.items() if _digest(data) in pinned}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fetch_wheels() -> None:
    platforms = [word for name in _PLATFORMS for word in ("--platform", name)]
    target = ["--python-version", "314", "--implementation", "cp", "--abi", "cp314"]
    exactly = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(PINS)]
    pip = [sys.executable, "-m", "pip", "download", "--no-input", "--quiet"]
    _run("pip", [*pip, *exactly, *platforms, *target, "--dest", str(WHEELS)])


def _run(name: str, command: Sequence[str]) -> None:
    # A network that answers nothing may take minutes to say so.
    print(f"Fetching with {name} what the page that checks is made of", file=sys.stderr)
    try:
        done = subprocess.run(  # noqa: S603 - npm and pip, with arguments of our own
            command, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as missing:
        raise NotFetched(f"{name} is not installed") from missing
    if done.returncode:
        raise NotFetched(f"{name} failed:\n{done.stderr}")
