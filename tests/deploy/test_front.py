"""The shipped nginx in front of the real web process, in production settings, over a socket."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from hmac import digest
from uuid import UUID

import pytest

from crypto import load_certificate, wkd_hash
from gateway.embedded import EmbeddedServers
from gateway.records import State
from tests.deploy.nginx import NAMES, Nginx
from tests.gateway.stand import POLICE, Keys, Sender, Stand


@pytest.fixture(scope="module")
def environ(
    servers: EmbeddedServers, database_url: str, bucket_prefix: str, keys: Keys
) -> dict[str, str]:
    """Settings that production accepts, since all servers are on this machine."""
    return {
        **servers.environ(),
        **keys.environ(),
        "DATABASE_URL": database_url,
        "S3_BUCKET_PREFIX": bucket_prefix,
        "GATEWAY_ENV": "production",
        "PUBLIC_URL": f"https://{NAMES[0]}",
        # Where no clamd listens: nothing here has attachments.
        "MALWARE_SCANNER_SOCKET": "/run/clamav/none",
        "VAULT_RETENTION_DAYS": "1",
    }


@pytest.fixture(scope="module")
def nginx(
    stand: Stand, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nginx]:
    """nginx, with the gateway behind it."""
    prepared = Nginx.prepare(tmp_path_factory.mktemp("nginx"))
    command = [sys.executable, "-m", "gateway", "web", "--bind", f"unix:{prepared.upstream}"]
    with subprocess.Popen(command, env={**os.environ, **environ}) as web:
        process = prepared.start()
        try:
            _await_ready(prepared)
            yield prepared
        finally:
            process.terminate()
            process.wait(timeout=10)
            web.terminate()


def test_a_submission_comes_through_and_its_source_is_what_nginx_saw(
    nginx: Nginx, stand: Stand
) -> None:
    sender = stand.sender(POLICE)
    head, body = _post(nginx, sender, sender.message(1), "X-Forwarded-For: 192.0.2.1")
    assert head.startswith("HTTP/1.1 201"), body
    assert "Strict-Transport-Security" in head
    submission = UUID(json.loads(body)["id"])
    received = next(entry for entry in stand.entries() if entry.object_id == str(submission))
    key = bytes.fromhex((stand.keys.folder / "pseudonym.key").read_text())
    assert received.source == digest(key, b"source\n127.0.0.1", sha256).hex()[:32]
    stand.settle()
    assert stand.state(submission) is State.STORED


@pytest.mark.parametrize("name", NAMES)
def test_the_gateways_key_is_found_in_both_directories(
    nginx: Nginx, stand: Stand, name: str
) -> None:
    middle = "" if name == NAMES[0] else f"/{NAMES[0]}"
    path = f"/.well-known/openpgpkey{middle}/hu/{wkd_hash('submissions')}?l=submissions"
    request = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    head, _, body = nginx.talk(request.encode(), name=name).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert load_certificate(body).fingerprint == stand.keys.gateway.fingerprint


def test_a_large_upload_is_not_spooled_to_disk(nginx: Nginx, stand: Stand) -> None:
    head, body = _post(nginx, stand.sender(POLICE), b"x" * (12 << 20))
    assert head.startswith("HTTP/1.1 201"), body
    assert not list((nginx.folder / "body").rglob("*"))


def _post(nginx: Nginx, sender: Sender, message: bytes, *headers: str) -> tuple[str, str]:
    """Upload a message; return head and body of the answer."""
    lines = [
        "POST /v1/submissions HTTP/1.1",
        f"Host: {NAMES[0]}",
        "Connection: close",
        f"Authorization: Bearer {sender.token}",
        "Content-Type: application/pgp-encrypted",
        f"Content-Length: {len(message)}",
        *headers,
    ]
    answer = nginx.talk("\r\n".join([*lines, "", ""]).encode() + message)
    head, _, body = answer.decode().partition("\r\n\r\n")
    return head, body


def _await_ready(nginx: Nginx) -> None:
    request = f"GET /readyz HTTP/1.1\r\nHost: {NAMES[0]}\r\nConnection: close\r\n\r\n".encode()
    deadline = time.monotonic() + 30
    while not nginx.talk(request).startswith(b"HTTP/1.1 200"):
        assert time.monotonic() < deadline, "the gateway is not ready"
        time.sleep(0.1)
