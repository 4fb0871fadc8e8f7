"""What a server must find again at its next start (secrets, ports), in one private JSON file.

Written whole, then renamed: a crash leaves the old state or the new one, never half of it, which
would lock everybody out of the database. Readable by its owner only, from the first byte.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def read(path: Path) -> dict[str, str]:
    """The values kept in `path`; empty where nothing was kept yet."""
    try:
        kept = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return {str(name): str(value) for name, value in kept.items()}


def write(path: Path, values: Mapping[str, str]) -> None:
    """Keep `values` in `path`, durably."""
    write_private(path.with_suffix(".new"), json.dumps(dict(values), indent=1))
    path.with_suffix(".new").replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, replacing any leftover of the same name."""
    path.unlink(missing_ok=True)
    # O_EXCL: a link that somebody planted under this name is refused, not followed.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
