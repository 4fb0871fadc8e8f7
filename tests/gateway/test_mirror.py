"""The mirror over a real PostgreSQL and a real bucket under Object Lock, attacked on both sides."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import text
from structlog.testing import capture_logs

from audit.checkpoint import claimed_checkpoint
from audit.errors import AuditError, LogDoesNotFit
from audit.keyring import LogKeys
from audit.mirror import Mirror
from audit.tilepath import checkpoint_path
from gateway.cli import failures
from gateway.embedded.objects import EmbeddedObjects
from gateway.errors import ServiceFailed, Unlocked
from gateway.mirror import mirror_once
from gateway.records import Role
from gateway.settings import Process
from gateway.store.log import PostgresLog
from gateway.store.logbucket import LogBucket
from gateway.store.objects import Bucket, ObjectStore
from gateway.wiring.mirror import MirrorServices, mirror_services
from tests.audit.careless import sequence
from tests.gateway.cli.shell import Shell
from tests.gateway.stand import Stand
from tests.gateway.test_tampering import as_owner, forged, rewritten

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

SIZE = 300  # a full tile and a partial one


@pytest.fixture(scope="module")
def log(stand: Stand) -> PostgresLog:
    """A log of some hundred entries."""
    grow(stand, SIZE)
    return PostgresLog(stand.database)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command line."""
    return Shell(monkeypatch, capsys)


@pytest.fixture
def objects(stand: Stand, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """Buckets of this test's own."""
    monkeypatch.setitem(environ, "S3_BUCKET_PREFIX", f"test-{token_hex(4)}")
    store = objects_at(environ, environ["S3_ENDPOINT_URL"])
    store.prepare()
    return store


def objects_at(environ: Mapping[str, str], endpoint: str) -> ObjectStore:
    return ObjectStore(
        endpoint_url=endpoint,
        access_key_id=environ["S3_ACCESS_KEY_ID"],
        secret_access_key=environ["S3_SECRET_ACCESS_KEY"],
        region=environ["S3_REGION"],
        bucket_prefix=environ["S3_BUCKET_PREFIX"],
        retention_days=1,
    )


@contextmanager
def mirroring(stand: Stand) -> Iterator[MirrorServices]:
    """One mirror, as its process has it."""
    services = mirror_services(stand.settings(Process.MIRROR))
    try:
        yield services
    finally:
        services.database.dispose()


def grow(stand: Stand, size: int) -> None:
    """Until the log has so many entries, signed."""
    stand.sequence()
    while (head := stand.sequencer.log.head()) is None or claimed_checkpoint(head).size < size:
        for _ in range(min(100, size)):
            stand.token(Role.AUDITOR)
        stand.sequence()


def s3(objects: ObjectStore) -> tuple["S3Client", str]:
    return objects._client, objects._name(Bucket.LOG)


def downloaded(objects: ObjectStore, folder: Path) -> Path:
    """A copy, as `aws s3 sync` makes it."""
    client, bucket = s3(objects)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            file = folder / found["Key"]
            file.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, found["Key"], str(file))
    return folder


def verified(shell: Shell, stand: Stand, objects: ObjectStore, folder: Path) -> int:
    """How many entries the copy has, held to every checkpoint that was ever mirrored."""
    copy = downloaded(objects, folder)
    key = stand.keys.folder / "log.vkey"
    command = ("audit", "verify", "--folder", copy, "--log-key", key, "--json")
    told = shell.well(*command, "--since", copy / "checkpoints").json()
    assert told["verified"] is True
    return int(told["entries"])


def head_size(log: PostgresLog) -> int:
    return claimed_checkpoint(log.head() or b"").size


def test_an_auditor_verifies_the_copy_offline_as_it_grows(
    stand: Stand, log: PostgresLog, objects: ObjectStore, shell: Shell, tmp_path: Path
) -> None:
    with mirroring(stand) as services:
        for run in range(3):
            grow(stand, head_size(log) + 1)
            mirror_once(services)
            assert verified(shell, stand, objects, tmp_path / str(run)) == head_size(log)
        assert services.mirror.catch_up() is None


def test_nobody_can_delete_it(stand: Stand, log: PostgresLog, objects: ObjectStore) -> None:
    with mirroring(stand) as services:
        services.mirror.catch_up()
        grow(stand, head_size(log) + 1)
        services.mirror.catch_up()
    client, bucket = s3(objects)
    versions = client.list_object_versions(Bucket=bucket)["Versions"]
    assert len([each for each in versions if each["Key"] == "checkpoint"]) == 2
    for each in versions:
        with pytest.raises(ClientError, match=r"AccessDenied|Forbidden|WORM|retention"):
            client.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    assert len(client.list_object_versions(Bucket=bucket)["Versions"]) == len(versions)


def test_what_is_put_in_front_hides_nothing_for_good(
    stand: Stand, log: PostgresLog, objects: ObjectStore, shell: Shell, tmp_path: Path
) -> None:
    """Whoever has the mirror's key puts rubbish over a tile: the first version is still there."""
    with mirroring(stand) as services:
        services.mirror.catch_up()
    client, bucket = s3(objects)
    client.put_object(Bucket=bucket, Key="tile/entries/000", Body=b"rubbish")
    copy = downloaded(objects, tmp_path / "copy")
    command = ("audit", "verify", "--folder", copy, "--log-key", stand.keys.folder / "log.vkey")
    shell.fails(failures.UNTRUSTED, *command)
    found = client.list_object_versions(Bucket=bucket, Prefix="tile/entries/000")["Versions"]
    (first,) = [
        each for each in found if each["Key"] == "tile/entries/000" and not each["IsLatest"]
    ]
    body = client.get_object(Bucket=bucket, Key=first["Key"], VersionId=first["VersionId"])["Body"]
    (copy / "tile/entries/000").write_bytes(body.read())
    shell.well(*command)


# One mirror that is killed at its n-th write: before it, or after it and before anything else.
KILLED = """
import os, signal, sys
from gateway.settings import Process, Settings
from gateway.wiring.mirror import mirror_services
services, left = mirror_services(Settings.load(os.environ, Process.MIRROR)), int(sys.argv[1])
bucket = services.bucket
def dying(write):
    def put(path, data):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        kept = write(path, data)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return kept
    return put
bucket.add, bucket.replace = dying(bucket.add), dying(bucket.replace)
services.mirror.catch_up()
"""


def test_it_is_killed_at_each_step_and_goes_on(
    stand: Stand, log: PostgresLog, objects: ObjectStore, shell: Shell, tmp_path: Path
) -> None:
    """Each run gets a little further than the last; whatever lies there meanwhile verifies."""
    for step in range(100):
        command = [sys.executable, "-c", KILLED, str(step)]
        done = subprocess.run(command, env={**os.environ, **stand.environ}, check=False)
        found = downloaded(objects, tmp_path / str(step))
        if (found / "checkpoints").exists():
            assert verified(shell, stand, objects, found) == head_size(log)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert step > 8
    assert (found / "checkpoint").read_bytes() == log.head()


def refused(services: MirrorServices) -> str:
    """What the process says, each time; it says it loudly."""
    with capture_logs() as said:
        mirror_once(services)
        mirror_once(services)
    assert {line["event"] for line in said} == {"mirror.refuses"}, said
    assert {line["log_level"] for line in said} == {"critical"}
    return str(said[0]["error_code"])


def test_a_row_that_was_edited_is_refused_and_nothing_is_written(
    stand: Stand, log: PostgresLog, objects: ObjectStore, shell: Shell, tmp_path: Path
) -> None:
    with mirroring(stand) as services:
        mirror_once(services)
        before = head_size(log)
        grow(stand, before + 1)
        entry = rewritten(log.entries(before, before + 1)[0])
        edit = "UPDATE log_leaf SET entry = :entry WHERE index = :at"
        with as_owner(stand, (edit, {"entry": entry, "at": before})):
            assert refused(services) == "log-does-not-fit"
            assert verified(shell, stand, objects, tmp_path / "refused") == before
        # An entry that is mirrored already, in a bundle that grows.
        entry = rewritten(log.entries(before - 1, before)[0])
        with as_owner(stand, (edit, {"entry": entry, "at": before - 1})):
            assert refused(services) == "log-does-not-fit"
        mirror_once(services)
    assert verified(shell, stand, objects, tmp_path / "mended") == head_size(log)


@pytest.mark.parametrize("grown", [False, True])
def test_a_fork_under_the_true_key_is_refused_and_what_is_mirrored_stays(
    stand: Stand,
    log: PostgresLog,
    objects: ObjectStore,
    shell: Shell,
    tmp_path: Path,
    grown: bool,
) -> None:
    """The operator has database and key, and signs another past; later it has grown."""
    with mirroring(stand) as services:
        mirror_once(services)
        before = head_size(log)
        with as_owner(stand, *forged(log, edited=7, signed_by=stand)):
            if grown:
                stand.token(Role.AUDITOR)
                sequence(log, signer=stand.keys.log)
            assert refused(services) == ("log-does-not-fit" if grown else "log-tampered")
            with mirroring(stand) as another:
                refused(another)
            assert verified(shell, stand, objects, tmp_path / "refused") == before


def test_a_database_that_was_put_back_is_refused(
    stand: Stand, log: PostgresLog, objects: ObjectStore, shell: Shell, tmp_path: Path
) -> None:
    grow(stand, head_size(log) + 1)
    with mirroring(stand) as services:
        mirror_once(services)
        size = head_size(log)
        with stand.database.transaction() as session:
            query = "SELECT max(size) FROM log_checkpoint WHERE size < :size"
            older = {"older": session.execute(text(query), {"size": size}).scalar_one()}
        cut = [
            ("DELETE FROM log_leaf WHERE index >= :older", older),
            ("DELETE FROM log_checkpoint WHERE size > :older", older),
        ]
        with as_owner(stand, *cut):
            assert refused(services) == "log-tampered"
            with mirroring(stand) as another:
                assert refused(another) == "log-tampered"
    assert verified(shell, stand, objects, tmp_path / "kept") == size


def test_two_at_once_do_no_harm(
    stand: Stand, log: PostgresLog, objects: ObjectStore, shell: Shell, tmp_path: Path
) -> None:
    def run(_: int) -> None:
        with mirroring(stand) as services:
            for _ in range(3):
                services.mirror.catch_up()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, range(3)))
        grow(stand, head_size(log) + 1)
        list(pool.map(run, range(3)))
    assert verified(shell, stand, objects, tmp_path) == head_size(log)
    client, bucket = s3(objects)
    versions = client.list_object_versions(Bucket=bucket)["Versions"]
    keys = [each["Key"] for each in versions if each["Key"] != "checkpoint"]
    assert len(keys) == len(set(keys))


def test_a_bucket_that_would_let_go_is_given_nothing(
    stand: Stand, log: PostgresLog, environ: dict[str, str], objects: ObjectStore
) -> None:
    client, _ = s3(objects)
    for locked in (False, True):
        name = f"test-{token_hex(4)}"
        client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
        bucket = LogBucket(client, name)
        with pytest.raises(Unlocked):
            bucket.require_lock()
        with mirroring(stand) as services:
            keys = LogKeys((stand.keys.log.verifier,))
            loose = replace(services, bucket=bucket, mirror=Mirror(log, bucket, keys))
            assert refused(loose) == "bucket-not-locked"
        assert "Contents" not in client.list_objects_v2(Bucket=name)
    client.put_object_lock_configuration(
        Bucket=name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
        },
    )
    with pytest.raises(Unlocked):
        bucket.require_lock()


def test_a_name_that_is_no_checkpoints_and_a_file_too_large_stop_it(
    stand: Stand, log: PostgresLog, objects: ObjectStore
) -> None:
    client, bucket = s3(objects)
    client.put_object(Bucket=bucket, Key="checkpoints/zzz", Body=b"")
    client.put_object(Bucket=bucket, Key="large", Body=bytes(3 << 20))
    with mirroring(stand) as services:
        with pytest.raises(LogDoesNotFit):
            services.mirror.catch_up()
        with pytest.raises(LogDoesNotFit):
            services.bucket.read("large")
        # The lock keeps it; hidden, it does not stand in the way.
        client.delete_object(Bucket=bucket, Key="checkpoints/zzz")
        client.put_object(Bucket=bucket, Key=checkpoint_path(10**6), Body=b"rubbish")
        with pytest.raises(AuditError):
            services.mirror.catch_up()
        client.delete_object(Bucket=bucket, Key=checkpoint_path(10**6))
        assert services.mirror.catch_up() is not None


def _await(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@contextmanager
def running(environ: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """`gateway mirror`, as a supervisor runs it."""
    command = [sys.executable, "-m", "gateway", "mirror"]
    changed = {**os.environ, **environ, "MIRROR_SECONDS": "1"}
    with subprocess.Popen(command, env=changed, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                assert process.wait(20) == 0
            finally:
                process.kill()


def test_a_store_that_is_away_and_back_needs_no_hand(
    stand: Stand,
    log: PostgresLog,
    environ: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with EmbeddedObjects(tmp_path_factory.mktemp("objects")) as store:
        changed = {
            **environ,
            "S3_ENDPOINT_URL": store.endpoint_url,
            "S3_ACCESS_KEY_ID": store.access_key,
            "S3_SECRET_ACCESS_KEY": store.secret_key,
        }
        objects = objects_at(changed, store.endpoint_url)
        objects.prepare()
        bucket = objects.log()
        with running(changed) as process:
            _await(lambda: bucket.newest(0) == head_size(log))
            store.kill()
            grow(stand, head_size(log) + 1)
            with pytest.raises(ServiceFailed):
                bucket.newest(0)
            time.sleep(3)
            assert process.poll() is None
            store.start()
            _await(lambda: bucket.newest(0) == head_size(log), seconds=60)


@pytest.mark.usefixtures("objects")
def test_a_database_that_is_away_is_waited_for(stand: Stand) -> None:
    environ = {**stand.environ, "DATABASE_URL": "postgresql+psycopg://x@127.0.0.1:9/x"}
    with running(environ) as process:
        assert process.stderr is not None
        said = process.stderr.readline() + process.stderr.readline()
    assert said.count(b"mirror.waits") == 2
    assert b"database-unavailable" in said


def test_what_witnesses_have_not_seen_is_not_mirrored(
    stand: Stand, log: PostgresLog, objects: ObjectStore
) -> None:
    """The last test: from here on this log is published by a step of its own."""
    published = log.head() or b""
    log.publish(claimed_checkpoint(published).size, published)
    grow(stand, head_size(log) + 1)
    with mirroring(stand) as services:
        found = services.mirror.catch_up()
    assert found is not None
    assert found.size == claimed_checkpoint(published).size < head_size(log)
