"""A package larger than the memory for it is opened, judged and sealed all the same."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from crypto import Keyring, generate_key, public_part, sign_and_encrypt
from tests.validators import samples
from tests.validators.stories import write_narratives
from validators.standard import load_standard

FIELDS = samples.manifest_fields(load_standard())


def judged(folder: Path, *, megabytes: int) -> dict[str, Any]:
    """What a child process says of a package with attachments of this size."""
    now = datetime.now(UTC)
    folder.mkdir()
    gateway, agency = (
        generate_key(name, now=now - timedelta(days=1), valid_for=None) for name in ("G", "A")
    )
    (folder / "gateway.asc").write_bytes(gateway)
    (folder / "agency.asc").write_bytes(public_part(agency))
    records = folder / "records"
    documents = {
        f"scan-{number}.pdf": b"%PDF-1.7 " + os.urandom(8 << 20) for number in range(megabytes // 8)
    }
    records.mkdir()
    write_narratives(records, documents)
    with ZipFile(BytesIO(samples.package_of(samples.children(3), FIELDS).data)) as bundle:
        for name in ("CASE.csv", "EXPL.csv", "DECN.csv"):
            bundle.extract(name, records)
    with (folder / "message.pgp").open("wb") as sink:
        sign_and_encrypt(
            BytesIO(samples.package_of(records, FIELDS).data),
            sink,
            signer=Keyring.load([agency]),
            recipients=Keyring.load([gateway]).certificates,
            now=now,
        )
    done = subprocess.run(
        [sys.executable, "-m", "tests.gateway.judging", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_memory_does_not_grow_with_the_package(tmp_path: Path) -> None:
    small = judged(tmp_path / "small", megabytes=16)
    large = judged(tmp_path / "large", megabytes=128)
    assert (small["verdict"], large["verdict"]) == ("accepted", "accepted")
    assert large["sealed"] > 128 << 20
    # Scratch holds 8 MiB each of plaintext, archive and sealed object; the rest is pieces.
    assert large["took"] < 64
    assert large["took"] - small["took"] < 16
