"""What the pages tell people to do by hand does what the pages say: the very text is run."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from secrets import token_bytes
from uuid import UUID, uuid4
from zipfile import ZipFile

import pytest
from sqlalchemy import text

from audit.errors import EntryRefused
from crypto import (
    Keyring,
    generate_key,
    generate_split_key,
    load_certificate,
    read_certificate,
    rotate,
)
from deploy.demo.returns import published_returns
from gateway.errors import SettingsRefused
from gateway.flow.linkage import Linkage
from gateway.flow.pepper import Pepper
from gateway.records import State
from tests.crypto.gnupg import require_gpg
from tests.docs.pages import DOCS
from tests.gateway.linking import remembered
from tests.gateway.processes import Processes
from tests.gateway.stand import POLICE, Stand
from tests.validators import samples
from validators.building import build_package


@pytest.fixture
def gnupg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An environment with a gpg home of its own, ended with its agent."""
    require_gpg()
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)
    environ = {**os.environ, "GNUPGHOME": str(home), "LC_ALL": "C.UTF-8"}
    yield environ
    subprocess.run(["gpgconf", "--kill", "all"], env=environ, check=False)


def block(page: str, title: str, starts: str) -> str:
    """The first code block under a heading that begins in this way."""
    _, heading, text = (DOCS / page).read_text().partition(f"\n## {title}\n")
    assert heading, title
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return next(str(found) for found in blocks if found.lstrip().startswith(starts))


def shell(script: str, folder: Path, environ: dict[str, str]) -> str:
    """Run a script as a careful person does: it ends at the first error."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_gpg_and_curl_alone_are_enough(
    stand: Stand, environ: dict[str, str], gnupg: dict[str, str], tmp_path: Path
) -> None:
    secret = generate_key(
        "Police <data@police.test>", now=datetime.now(UTC) - timedelta(hours=1), valid_for=None
    )
    sender = stand.sender(POLICE, keyring=Keyring.load([secret]))
    subprocess.run(["gpg", "--batch", "--quiet", "--import"], input=secret, env=gnupg, check=True)
    desk = _desk(tmp_path / "desk", stand, token=sender.token)
    logs = tmp_path / "logs"
    logs.mkdir()
    with Processes(environ, logs) as processes:
        seen = {
            **gnupg,
            "GATEWAY_URL": processes.url,
            "GATEWAY_KEY": stand.keys.gateway.fingerprint,
            "AGENCY_KEY": sender.keyring.certificates[0].fingerprint,
        }
        script = block(
            "quickstart/agency.md",
            "Without our software: gpg and curl",
            "# The gateway's key",
        )
        said = shell(script, desk, seen)
    assert said.startswith("ACCEPTED."), said


def _desk(folder: Path, stand: Stand, *, token: str) -> Path:
    """What the page presupposes: ACTV.csv, a manifest without its signature, and a token."""
    returned = next(each for each in published_returns() if each.agency_id == POLICE)
    built = build_package(
        {"ACTV": returned.records(stand.standard)},
        samples.manifest_fields(stand.standard, POLICE)
        | {"period_start": returned.period_start, "period_end": returned.period_end},
        sign=lambda _: "",
        now=datetime.now(UTC),
        submission_id=uuid4(),
    )
    with ZipFile(BytesIO(built.data)) as package:
        package.extract("ACTV.csv", folder)
    unsigned = {name: value for name, value in built.manifest.items() if name != "signature"}
    (folder / "manifest.json").write_text(json.dumps(unsigned))
    (folder / "token").write_text(token)
    return folder


def test_a_gateway_key_is_rotated_and_retired_as_the_runbook_says(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    parts = generate_split_key(
        "CTDS gateway <submissions@gateway.test>",
        now=now - timedelta(days=300),
        valid_for=timedelta(days=1825),
        subkey_valid_for=timedelta(days=365),
    )
    turned = rotate(parts, now=now - timedelta(days=100), valid_for=timedelta(days=365))
    for name, data in {
        "gateway-primary.asc": turned.primary,
        "gateway-key.asc": turned.online,
        "gateway-certificate.asc": turned.certificate,
    }.items():
        (tmp_path / name).write_bytes(data)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in ("gateway keys rotate", "gateway keys retire"):
        script = block("runbook.md", "A certificate is expiring", command)
        shell(script, tmp_path, {**os.environ, "PATH": path})
    certificate = read_certificate(
        (tmp_path / "retired" / "gateway-certificate.asc").read_bytes(),
        now=now + timedelta(days=300),
    )
    assert certificate.fingerprint == load_certificate(parts.certificate).fingerprint
    keyring = Keyring.load([(tmp_path / "retired" / "gateway-key.asc").read_bytes()])
    assert keyring.signing_key(now=now + timedelta(days=300))
    # The first subkey was replaced a hundred days ago and is gone; the second opens still.
    assert len(keyring.decrypting) == 2
    assert not set(keyring.decrypting) & set(Keyring.load([parts.online]).decrypting)


def test_a_failed_submission_is_sent_again_as_the_runbook_says(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    package = sender.package(samples.children(1, seed=41)).data
    message = sender.encrypt(package)
    failed = stand.send(sender, message)
    stand.worker.processor.fail(failed, "internal")
    same = stand.post(sender, message)
    assert (same.status_code, same.get_json()["state"]) == (200, "failed")
    assert [each.id for each in stand.admin.repair.failed()] == [failed]
    again = stand.send(sender, sender.encrypt(package))
    stand.settle()
    assert stand.state(again) is State.STORED


def test_a_bad_row_of_the_outbox_is_set_aside_as_the_runbook_says(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    stand.sequence()
    with stand.database.transaction() as session:
        row = session.execute(
            text(
                "INSERT INTO audit_outbox (event_id, entry) VALUES (:id, 'no entry') RETURNING id"
            ),
            {"id": uuid4()},
        ).scalar_one()
    submission: UUID = stand.send(sender, sender.message(1))
    with pytest.raises(EntryRefused, match=f"outbox row {row}"):
        stand.sequence()
    script = block("runbook.md", "The log has stopped", "CREATE TABLE").replace("12345", str(row))
    psql(script, stand)
    stand.sequence()
    assert stand.about(submission) == ["submission.received"]


def test_linkage_begins_again_without_its_pepper_as_the_runbook_says(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    stand.worker.linkage.require_same_pepper()
    submission = stand.send(sender, sender.message(1))
    stand.settle()
    assert remembered(stand, submission) == 1
    pepper = Pepper(token_bytes(32), random_bytes=token_bytes)
    another = Linkage(stand.database, pepper, clock=lambda: datetime.now(UTC))
    with pytest.raises(SettingsRefused):
        another.require_same_pepper()
    psql(block("runbook.md", "The linkage pepper", "BEGIN"), stand)
    another.require_same_pepper()
    assert remembered(stand, submission) == 0
    with pytest.raises(SettingsRefused):
        stand.worker.linkage.require_same_pepper()


def psql(script: str, stand: Stand) -> None:
    """Run several statements, each for itself unless the script says otherwise."""
    with stand.database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.autocommit = True
        driver.execute(script)
