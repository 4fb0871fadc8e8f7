"""The object store: any size, checked by the store, locked in the vault, and honest when away."""

from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from secrets import token_bytes, token_hex
from threading import Thread

import pytest
from botocore.exceptions import ClientError

from gateway.embedded import EmbeddedServers
from gateway.errors import ServiceFailed
from gateway.store.objects import PART, Bucket, ObjectStore, Version


def store_at(endpoint: str, servers: EmbeddedServers, prefix: str) -> ObjectStore:
    settings = servers.environ()
    return ObjectStore(
        endpoint_url=endpoint,
        access_key_id=settings["S3_ACCESS_KEY_ID"],
        secret_access_key=settings["S3_SECRET_ACCESS_KEY"],
        region=settings["S3_REGION"],
        bucket_prefix=prefix,
        retention_days=1,
    )


@pytest.fixture(scope="module")
def objects(servers: EmbeddedServers, bucket_prefix: str) -> ObjectStore:
    """Buckets of this module's own."""
    store = store_at(servers.environ()["S3_ENDPOINT_URL"], servers, bucket_prefix)
    store.prepare()
    store.prepare()  # safe to repeat
    return store


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART + 7])
def test_what_was_put_is_what_is_got(objects: ObjectStore, size: int) -> None:
    data, key = token_bytes(size), token_hex(8)
    stored = objects.put(Bucket.QUARANTINE, key, BytesIO(data))
    assert stored.size == size
    assert b"".join(objects.get(Bucket.QUARANTINE, key)) == data
    with objects.open(Bucket.QUARANTINE, key) as stream:
        assert stream.read() == data


class Careless(BaseHTTPRequestHandler):
    """A store that takes no notice of a range, or of a condition."""

    tag, content = '"new"', bytes(1 << 20)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("ETag", self.tag)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(self.content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def careless(servers: EmbeddedServers) -> Iterator[ObjectStore]:
    """The gateway's side of such a store."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        running = Thread(target=server.serve_forever)
        running.start()
        yield store_at(f"http://127.0.0.1:{server.server_port}", servers, "x")
        server.shutdown()
        running.join()


@pytest.mark.parametrize(("size", "tag"), [(1 << 10, '"new"'), (1 << 20, '"old"')])
def test_what_a_store_sends_besides_what_was_asked_for_is_not_taken(
    careless: ObjectStore, size: int, tag: str
) -> None:
    version = Version(Bucket.REPORTS, "a", 1 << 20, tag)
    with pytest.raises(ServiceFailed):
        careless.piece(version, 0, size)


def test_a_piece_is_of_the_version_and_none_after_its_end(objects: ObjectStore) -> None:
    data, key = token_bytes(100), token_hex(8)
    objects.put(Bucket.QUARANTINE, key, BytesIO(data))
    version = objects.version(Bucket.QUARANTINE, key)
    assert objects.piece(version, 0, 10) == data[:10]
    assert objects.piece(version, 95, 10) == data[95:]
    assert objects.piece(version, 100, 10) == objects.piece(version, 1 << 40, 1) == b""


class Failing(BytesIO):
    """A body that breaks off after the first part."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= PART:
            raise ConnectionResetError
        return super().read(size)


def test_an_upload_that_breaks_off_leaves_nothing(objects: ObjectStore) -> None:
    key = token_hex(8)
    with pytest.raises(ConnectionResetError):
        objects.put(Bucket.QUARANTINE, key, Failing(bytes(3 * PART)))
    with pytest.raises(ServiceFailed):
        objects.open(Bucket.QUARANTINE, key)
    listed = objects._client.list_multipart_uploads(Bucket=objects._name(Bucket.QUARANTINE))
    assert listed.get("Uploads", []) == []


def test_the_store_checks_our_checksum(objects: ObjectStore) -> None:
    with pytest.raises(ClientError):
        objects._client.put_object(
            Bucket=objects._name(Bucket.QUARANTINE),
            Key="k",
            Body=b"one",
            ChecksumSHA256="A" * 43 + "=",
        )


def test_the_vault_keeps_what_it_holds(objects: ObjectStore) -> None:
    key, name = token_hex(8), objects._name(Bucket.VAULT)
    objects.put(Bucket.VAULT, key, BytesIO(b"sealed"))
    version = objects._client.head_object(Bucket=name, Key=key)["VersionId"]
    with pytest.raises(ClientError, match=r"AccessDenied|Forbidden|WORM|retention"):
        objects._client.delete_object(Bucket=name, Key=key, VersionId=version)
    assert b"".join(objects.get(Bucket.VAULT, key)) == b"sealed"


def test_removing_twice_is_removing_once(objects: ObjectStore) -> None:
    key = token_hex(8)
    objects.put(Bucket.REPORTS, key, BytesIO(b"x"))
    objects.delete(Bucket.REPORTS, key)
    objects.delete(Bucket.REPORTS, key)


def test_a_store_that_is_away_is_ours_to_mend(servers: EmbeddedServers) -> None:
    away = store_at("http://127.0.0.1:9", servers, "nowhere")
    with pytest.raises(ServiceFailed) as failed:
        away.ping()
    assert failed.value.code == "object-store-unavailable"
    with pytest.raises(ServiceFailed) as failed:
        away.put(Bucket.QUARANTINE, "k", BytesIO(b"x"))
    assert failed.value.code == "object-not-stored"
