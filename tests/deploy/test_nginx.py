"""deploy/nginx/gateway.conf in a real nginx in front of a real gunicorn."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.web.application import MAX_JSON
from tests.deploy.environment import example
from tests.deploy.nginx import CONFIGURATION, NAMES, Nginx

HSTS = b"Strict-Transport-Security: max-age=63072000; includeSubDomains"
HOST = b"Host: gateway.example.org\r\nConnection: close\r\n"
PROBLEM = b"Content-Type: application/problem+json"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """nginx and what stands behind it."""
    prepared = Nginx.prepare(tmp_path_factory.mktemp("nginx"))
    program = str(Path(__file__).with_name("upstream.py"))
    with subprocess.Popen([sys.executable, program, str(prepared.upstream)]) as upstream:
        try:
            _await(prepared.upstream)
            process = prepared.start()
            try:
                yield prepared
            finally:
                process.terminate()
                process.wait(timeout=10)
        finally:
            upstream.terminate()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Nginx]:
    """nginx with nothing behind it."""
    prepared = Nginx.prepare(tmp_path)
    process = prepared.start()
    yield prepared
    process.terminate()
    process.wait(timeout=10)


def test_the_configuration_is_one(tmp_path: Path) -> None:
    checked = Nginx.prepare(tmp_path).check()
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr


def test_http_is_sent_to_https_whatever_host_is_claimed(nginx: Nginx) -> None:
    answer = nginx.talk_plainly(
        b"GET /v1/standards?a=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    )
    assert b" 301 " in answer.splitlines()[0]
    assert b"Location: https://gateway.example.org/v1/standards?a=1" in answer


def test_answers_carry_hsts(nginx: Nginx) -> None:
    for path in (b"/healthz", b"/v1/submissions"):
        assert HSTS in nginx.talk(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")


def test_both_forms_of_web_key_directory_arrive(nginx: Nginx) -> None:
    direct = nginx.talk(b"GET /.well-known/openpgpkey/hu/abc HTTP/1.1\r\n" + HOST + b"\r\n")
    assert _seen(direct)["path"] == "/.well-known/openpgpkey/hu/abc"
    advanced = nginx.talk(
        b"GET /.well-known/openpgpkey/gateway.example.org/hu/abc HTTP/1.1\r\n"
        b"Host: openpgpkey.gateway.example.org\r\nConnection: close\r\n\r\n",
        name=NAMES[1],
    )
    assert _seen(advanced)["path"] == "/.well-known/openpgpkey/gateway.example.org/hu/abc"


def test_another_name_gets_no_certificate(nginx: Nginx) -> None:
    with pytest.raises(OSError, match=r"(?i)unrecognized"):
        nginx.talk(b"GET / HTTP/1.1\r\n\r\n", name="other.example.org")


def test_what_callers_claim_of_themselves_is_removed(nginx: Nginx) -> None:
    claimed = (
        b"X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: evil\r\n"
        b"X-Forwarded-Prefix: /evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Server: evil\r\n"
        b"X-Real-IP: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\nProxy: evil\r\n"
        b"X_Forwarded_For: 10.0.0.1\r\n"
    )
    headers = _seen(nginx.talk(b"GET / HTTP/1.1\r\n" + HOST + claimed + b"\r\n"))["headers"]
    assert headers["HTTP_X_FORWARDED_FOR"] == "127.0.0.1"
    assert headers["HTTP_X_FORWARDED_PROTO"] == "https"
    assert headers["HTTP_HOST"] == "gateway.example.org"
    forwarded = {name for name in headers if "FORWARDED" in name}
    assert forwarded == {"HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"}
    assert not {"HTTP_X_REAL_IP", "HTTP_PROXY"} & headers.keys()


@pytest.mark.parametrize(
    ("framing", "status"),
    [
        (b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", b"400"),
        (b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", b"400"),
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", b"501"),
        (b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", b"501"),
        (b"Content-Length: +5\r\n\r\nhello", b"400"),
        (b"Content-Length: 5 5\r\n\r\nhello", b"400"),
    ],
)
def test_a_body_framed_in_two_ways_is_refused(nginx: Nginx, framing: bytes, status: bytes) -> None:
    answer = nginx.talk(b"POST /v1/submissions HTTP/1.1\r\n" + HOST + framing)
    assert answer.splitlines()[0].split()[1] == status
    assert b'"path"' not in answer


def test_a_chunked_body_arrives_whole(nginx: Nginx) -> None:
    answer = nginx.talk(
        b"POST /v1/submissions HTTP/1.1\r\n"
        + HOST
        + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n"
    )
    assert _seen(answer)["body"] == 8


def test_the_page_that_checks_is_compressed_and_nothing_else_is(nginx: Nginx) -> None:
    """What mixes a secret with what a caller sent could be guessed by its compressed size."""
    asked = HOST + b"Accept-Encoding: gzip\r\nX-Long: " + b"x" * 2000 + b"\r\n\r\n"
    page = nginx.talk(b"GET /check/1/pyodide.asm.wasm HTTP/1.1\r\n" + asked)
    assert b"Content-Encoding: gzip" in page
    assert HSTS in page
    assert b"Content-Encoding" not in nginx.talk(b"GET /v1/standards HTTP/1.1\r\n" + asked)


UPLOADS = (
    b"/v1/submissions",
    b"/v1/submissions/" + b"0" * 36 + b"/replacement",
    b"/v1/dry-runs",
    b"/v1/uploads",
)


def test_an_upload_may_be_large(nginx: Nginx) -> None:
    body = b"x" * (MAX_JSON + 1)
    for path in UPLOADS:
        head = b"POST " + path + b" HTTP/1.1\r\n" + HOST
        answer = nginx.talk(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert _seen(answer)["body"] == len(body)


def test_an_upload_over_the_limit_is_refused_before_it_is_sent(nginx: Nginx) -> None:
    limit = int(example("web")["MAX_UPLOAD_BYTES"])
    for path in UPLOADS:
        answer = nginx.talk(
            b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % (limit + 1)
        )
        assert answer.startswith(b"HTTP/1.1 413")
        assert PROBLEM in answer
        assert _problem(answer)["code"] == "too-large"


def test_everything_else_is_small(nginx: Nginx) -> None:
    head = b"POST /v1/releases HTTP/1.1\r\n" + HOST
    taken = nginx.talk(head + b"Content-Length: %d\r\n\r\n" % MAX_JSON + b"x" * MAX_JSON)
    assert _seen(taken)["body"] == MAX_JSON
    refused = nginx.talk(head + b"Content-Length: %d\r\n\r\n" % (MAX_JSON + 1))
    assert refused.startswith(b"HTTP/1.1 413")


def test_headers_without_end_are_refused(nginx: Nginx) -> None:
    answer = nginx.talk(b"GET / HTTP/1.1\r\n" + HOST + b"X-Long: " + b"x" * 9000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert _problem(answer)["code"] == "bad-request"


@pytest.mark.parametrize("line", [b"Gx", b"\0\0\0", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_what_is_no_request_is_said_so(nginx: Nginx, line: bytes) -> None:
    answer = nginx.talk(line + b"\r\n\r\n")
    assert answer.split()[1] in (b"400", b"505")
    if answer.split()[1] == b"400":
        assert _problem(answer)["code"] == "bad-request"


def test_where_problems_are_kept_nobody_asks(nginx: Nginx) -> None:
    answer = nginx.talk(b"GET /.problems/bad-request HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 404")


def test_ten_thousand_headers_are_refused(nginx: Nginx) -> None:
    many = b"".join(b"X-%d: a\r\n" % number for number in range(10_000))
    answer = nginx.talk(b"GET / HTTP/1.1\r\n" + HOST + many + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert _problem(answer)["code"] == "bad-request"


def test_a_head_that_comes_by_the_octet_is_not_waited_for(nginx: Nginx) -> None:
    """Ten seconds are for all of it, whatever comes in between."""
    began = time.monotonic()
    with nginx.line() as line:
        line.settimeout(0.5)
        for octet in b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 10:
            try:
                line.sendall(bytes([octet]))
                assert line.recv(4096) == b""
                break
            except TimeoutError:
                continue
            except OSError:
                break
        assert 9 < time.monotonic() - began < 20


def test_readiness_is_for_this_machine(nginx: Nginx) -> None:
    assert nginx.talk(b"GET /readyz HTTP/1.1\r\n" + HOST + b"\r\n").startswith(b"HTTP/1.1 200")
    text = CONFIGURATION.read_text()
    block = re.search(r"location = /readyz \{(.*?)\}", text, re.DOTALL)
    assert block
    assert re.findall(r"(?:allow|deny) .*;", block[1]) == [
        "allow 127.0.0.1;",
        "allow ::1;",
        "deny all;",
    ]


def test_the_access_log_holds_neither_query_nor_path_nor_address(nginx: Nginx) -> None:
    nginx.talk(b"GET /v1/submissions/secret-path?name=secret-query HTTP/1.1\r\n" + HOST + b"\r\n")
    time.sleep(0.2)
    text = nginx.access_log.read_text()
    assert "secret" not in text
    assert "127.0.0.1" not in text
    last = json.loads(text.splitlines()[-1])
    assert (last["route"], last["request"]) == ("submissions", "0123456789abcdef")


def test_a_gateway_that_is_down_is_said_so(alone: Nginx) -> None:
    answer = alone.talk(b"GET /v1/standards HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 503")
    assert _problem(answer)["code"] == "unavailable"
    assert b"Retry-After: 10" in answer
    assert HSTS in answer


def test_limits_agree_with_the_settings() -> None:
    text = CONFIGURATION.read_text()
    limits = {_octets(found) for found in re.findall(r"client_max_body_size (\w+);", text)}
    assert limits == {int(example("web")["MAX_UPLOAD_BYTES"]), MAX_JSON, 1024}


def _octets(text: str) -> int:
    return int(text[:-1]) << {"k": 10, "m": 20}[text[-1]]


def _seen(answer: bytes) -> dict[str, Any]:
    assert answer.startswith(b"HTTP/1.1 200"), answer
    found: dict[str, Any] = json.loads(re.search(rb"\{.*\}", answer, re.DOTALL)[0])  # type: ignore[index]
    return found


def _problem(answer: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert {"type", "title", "status", "code", "mend"} == found.keys()
    return found


def _await(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)
