"""Both servers together: they end when they must, and several can stand side by side."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import psutil
import psycopg
import pytest

from gateway.embedded import EmbeddedError, EmbeddedPostgres, EmbeddedServers

OWNER = """
import sys, time
from pathlib import Path
from gateway.embedded import EmbeddedPostgres, EmbeddedServers
{what}(Path(sys.argv[1])).start()
print("ready", flush=True)
{then}
"""


def commands_of(folder: Path) -> list[tuple[psutil.Process, list[str]]]:
    """Every process that names `folder` on its command line or works in it, and its command."""
    found = []
    for process in psutil.process_iter():
        try:
            command, gone = process.cmdline(), process.status() == psutil.STATUS_ZOMBIE
            if not gone and str(folder) in " ".join([process.cwd(), *command]):
                found.append((process, command))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def processes_of(folder: Path) -> list[psutil.Process]:
    """Every process that names `folder` on its command line or works in it."""
    return [process for process, _ in commands_of(folder)]


def eventually(condition: Callable[[], bool], *, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def answers(servers: EmbeddedServers) -> bool:
    environ = servers.environ()
    with psycopg.connect(environ["DATABASE_URL"].replace("+psycopg", "")) as connection:
        connection.execute("SELECT 1")
    s3 = boto3.client(
        "s3",
        endpoint_url=environ["S3_ENDPOINT_URL"],
        aws_access_key_id=environ["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["S3_SECRET_ACCESS_KEY"],
        region_name=environ["S3_REGION"],
    )
    return s3.list_buckets()["ResponseMetadata"]["HTTPStatusCode"] == 200


def owner(folder: Path, *, then: str, what: str = "EmbeddedPostgres") -> "subprocess.Popen[str]":
    """Another process that starts a server and goes on with `then`."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(what=what, then=then), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_nothing_is_left_after_stop(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path / "data") as servers:
        assert answers(servers)
        assert len(processes_of(tmp_path)) > 4
    assert processes_of(tmp_path) == []


def test_two_instances_stand_side_by_side(servers: EmbeddedServers, tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path / "other") as other:
        assert answers(servers)
        assert answers(other)
        assert set(servers.environ().values()) & set(other.environ().values()) == {"us-east-1"}


def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path) -> None:
    sleep = "time.sleep(600)"
    with owner(tmp_path / "data", then=sleep, what="EmbeddedServers") as process:
        assert len(processes_of(tmp_path)) > 4
        process.kill()
    assert eventually(lambda: processes_of(tmp_path) == [])


def test_nothing_is_left_when_the_owner_just_ends(tmp_path: Path) -> None:
    with owner(tmp_path / "data", then="sys.exit()"):
        pass
    assert eventually(lambda: processes_of(tmp_path) == [])


def test_a_fork_of_the_owner_does_not_keep_the_servers(tmp_path: Path) -> None:
    """A fork holds the pipe open whose closing tells of the owner's death."""
    fork = "import os\nif os.fork(): os._exit(0)\ntime.sleep(30)"
    with owner(tmp_path / "data", then=fork):
        pass
    # The fork itself carries the command line of the owner, and sleeps on.
    assert eventually(lambda: [command[1:2] for _, command in commands_of(tmp_path)] == [["-c"]])
    (fork_process,) = processes_of(tmp_path)
    fork_process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not tell a child")
def test_nothing_is_left_when_the_keepers_are_killed(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path / "data"):
        found = commands_of(tmp_path)
        keepers = [process for process, command in found if "keeper.py" in " ".join(command)]
        assert len(keepers) == 2
        for keeper in keepers:
            keeper.kill()
        assert eventually(lambda: processes_of(tmp_path) == [])


def test_the_servers_outlive_the_thread_that_started_them(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path / "postgres")
    starter = threading.Thread(target=postgres.start)
    starter.start()
    starter.join()
    time.sleep(0.5)
    assert postgres.pid is not None
    postgres.stop()


def test_ctrl_c_reaches_the_owner_and_not_the_servers(tmp_path: Path) -> None:
    """The application must be able to finish its work with the database before it ends."""
    with EmbeddedPostgres(tmp_path / "postgres"):
        sessions = {os.getsid(process.pid) for process in processes_of(tmp_path)}
        assert os.getsid(0) not in sessions


def test_a_new_owner_waits_for_the_servers_of_one_that_was_just_killed(tmp_path: Path) -> None:
    with owner(tmp_path / "data", then="time.sleep(600)") as process:
        process.kill()
    with EmbeddedPostgres(tmp_path / "data") as postgres:
        assert postgres.pid is not None


def test_a_start_that_fails_leaves_neither_server(tmp_path: Path) -> None:
    (tmp_path / "data" / "postgres" / "data").mkdir(parents=True)  # no database in it
    with pytest.raises(EmbeddedError) as failed:
        EmbeddedServers(tmp_path / "data").start()
    assert failed.value.code == "embedded-did-not-start"
    assert processes_of(tmp_path) == []
