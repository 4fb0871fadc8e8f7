"""The shipped nginx in front of the real web process, in production settings, over a socket."""

import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from hmac import digest
from uuid import UUID

import pytest

from crypto import load_certificate, wkd_hash
from gateway.embedded import EmbeddedServers
from gateway.records import State
from tests.deploy.nginx import NAMES, Nginx
from tests.gateway.stand import OTHER_POLICE, POLICE, Keys, Sender, Stand


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
    head, body = _post(nginx, stand.sender(POLICE), b"\xc1" * (12 << 20))
    assert head.startswith("HTTP/1.1 201"), body
    assert not list((nginx.folder / "body").rglob("*"))


@contextmanager
def _slow(nginx: Nginx, token: str, count: int) -> Iterator[list[ssl.SSLSocket]]:
    """Uploads of which one octet has come, and the rest never will."""
    request = _head(token, 1_000_000) + b"\x85"
    with ExitStack() as lines:
        slow = [lines.enter_context(nginx.line()) for _ in range(count)]
        for line in slow:
            line.sendall(request)
        time.sleep(2)
        yield slow


def test_an_agency_of_slow_senders_leaves_room_for_the_others(nginx: Nginx, stand: Stand) -> None:
    """Sixteen threads: without its share one agency would hold them all."""
    sender, other = stand.sender(POLICE), stand.sender(OTHER_POLICE)
    with _slow(nginx, sender.token, 30):
        began = time.monotonic()
        head, body = _post(nginx, other, other.message(1))
        assert head.startswith("HTTP/1.1 201"), body
        assert time.monotonic() - began < 10
        head, body = _post(nginx, sender, sender.message(1))
        assert head.startswith("HTTP/1.1 429")
        assert json.loads(body)["code"] == "too-many-at-once"
        assert "Retry-After: 1" in head
    deadline = time.monotonic() + 20
    while not _post(nginx, sender, sender.message(1))[0].startswith("HTTP/1.1 201"):
        assert time.monotonic() < deadline, "the agency is still held out"
        time.sleep(0.2)


def test_slow_bodies_of_strangers_hold_nobody_up(nginx: Nginx, stand: Stand) -> None:
    """They are told at once that nobody knows them, whatever of their body is still to come."""
    sender = stand.sender(POLICE)
    with _slow(nginx, "ctds_" + "x" * 43, 40) as slow:
        began = time.monotonic()
        head, body = _post(nginx, sender, sender.message(1))
        assert head.startswith("HTTP/1.1 201"), body
        assert time.monotonic() - began < 10
        for line in slow:
            assert b" 401 " in line.recv(4096).splitlines()[0]


SMUGGLED = b"GET /readyz HTTP/1.1\r\nHost: gateway.example.org\r\n\r\n"


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        b"X: y\n\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\n\r\n",
        b'Transfer-Encoding: chunked\r\n\r\n0;x="\n"\r\n\r\n',
        b"Transfer-Encoding: chunked\r\n\r\n0\n\r\n",
    ],
)
def test_no_request_is_hidden_in_the_body_of_another(
    nginx: Nginx, stand: Stand, framing: bytes
) -> None:
    """Both read one request where there is one: no answer is left over for whoever comes next."""
    token = stand.sender(POLICE).token.encode()
    head = b"POST /v1/releases HTTP/1.1\r\nHost: gateway.example.org\r\n"
    for _ in range(3):
        with nginx.line() as line:
            line.sendall(head + b"Authorization: Bearer " + token + b"\r\n" + framing + SMUGGLED)
            line.settimeout(1)
            with suppress(TimeoutError):
                while line.recv(65536):
                    pass
        answer = nginx.talk(_get(b"/v1/certificate"))
        assert b"BEGIN PGP PUBLIC KEY BLOCK" in answer


def _get(path: bytes) -> bytes:
    host = NAMES[0].encode()
    return b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"


def _head(token: str, length: int) -> bytes:
    lines = [
        "POST /v1/submissions HTTP/1.1",
        f"Host: {NAMES[0]}",
        f"Authorization: Bearer {token}",
        "Content-Type: application/pgp-encrypted",
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


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
