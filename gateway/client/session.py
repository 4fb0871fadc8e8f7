"""The HTTPS API as an agency, an analyst or an auditor meets it. Needs no server part installed.

Keeps three promises: the token never leaves over plain HTTP to another machine and never follows a
redirect; an upload is repeated only with the same bytes; every refusal arrives as `Refused`, with
the gateway's own code and sentences.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests

from gateway.client.answers import (
    NOT_JSON,
    Busy,
    ClientError,
    Unreachable,
    asks_for_time,
    refused,
    seconds,
    unexplained,
)
from gateway.client.files import BLOCK, Counted, Progress, Upload
from gateway.client.resumable import send_resumably

TIMEOUT = (10, 120)
TRIES = 6
MOST_WAIT = 30.0
RETRIED = frozenset({502, 503, 504})
LARGE = 16 << 20
"""Bytes from which on a message is sent so that a broken connection costs little."""


class GatewayClient:
    """One gateway, seen with one token or none."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        tries: int = TRIES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = _safe(url)
        self._tries = tries
        self._sleep = sleep
        self._session = requests.Session()
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def another(self) -> "GatewayClient":
        """A client of the same gateway with the same token, for another thread."""
        client = GatewayClient(self.url, tries=self._tries, sleep=self._sleep)
        client._session.headers.update(self._session.headers)
        return client

    def close(self) -> None:
        """Give up the connection."""
        self._session.close()

    def submit(
        self, upload: Upload, *, replaces: str | None = None, progress: Progress = lambda _: None
    ) -> dict[str, Any]:
        """Send a message; safe to repeat, since the same bytes are the same submission.

        A large one goes up so that it is continued, not begun again, when the connection breaks.
        """
        if upload.size >= LARGE:
            return self.get(
                send_resumably(
                    self._send, upload, replaces=replaces, progress=progress, sleep=self._sleep
                )
            )
        path = "/v1/submissions" if replaces is None else f"/v1/submissions/{replaces}/replacement"
        return self._upload(path, upload, progress)

    def try_out(self, upload: Upload, *, progress: Progress = lambda _: None) -> dict[str, Any]:
        """Send a message that is judged and never counted; as safe to repeat."""
        return self._upload("/v1/dry-runs", upload, progress)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """A JSON document."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._json(self._patiently(lambda: self._send("GET", path, params=given)))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A question whose repetition would be another question: sent once."""
        try:
            return self._json(self._send("POST", path, json=body))
        except Busy as busy:
            raise busy.refused from None

    def text(self, path: str, *, accept: str = "text/plain") -> str:
        """A document as text."""
        return self.data(path, accept=accept).decode()

    def data(self, path: str, *, accept: str = "*/*") -> bytes:
        """A small document."""
        headers = {"Accept": accept}
        return self._patiently(lambda: self._send("GET", path, headers=headers)).content

    def download(self, path: str) -> Iterator[bytes]:
        """A large document in blocks."""
        answer = self._patiently(lambda: self._send("GET", path, stream=True))
        with answer:
            try:
                yield from answer.iter_content(BLOCK)
            except requests.RequestException as error:
                raise Unreachable(self.url, type(error).__name__) from error

    def _upload(self, path: str, upload: Upload, progress: Progress) -> dict[str, Any]:
        headers = {
            "Content-Type": "application/pgp-encrypted",
            "Content-Digest": f"sha-256=:{b64encode(upload.sha256).decode()}:",
            "Idempotency-Key": upload.sha256.hex(),
        }

        def send() -> requests.Response:
            with upload.path.open("rb") as stream:
                body = Counted(stream, upload.size, progress)
                return self._send("POST", path, data=body, headers=headers)

        return self._json(self._patiently(send))

    def _patiently(self, send: Callable[[], requests.Response]) -> requests.Response:
        """Try again while the gateway is away or asks for time; the last answer counts."""
        for attempt in range(self._tries):
            last = attempt == self._tries - 1
            try:
                return send()
            except Unreachable:
                if last:
                    raise
                self._sleep(min(2.0**attempt, MOST_WAIT))
            except Busy as busy:
                if last:
                    raise busy.refused from None
                self._sleep(min(busy.seconds, MOST_WAIT))
        raise AssertionError("the last try returns or raises")

    def _send(self, method: str, path: str, **request: Any) -> requests.Response:
        try:
            answer = self._session.request(
                method, self.url + path, timeout=TIMEOUT, allow_redirects=False, **request
            )
        except requests.RequestException as error:
            raise Unreachable(self.url, type(error).__name__) from error
        if answer.status_code < 300:
            return answer
        refusal = refused(answer)
        answer.close()
        if (answer.status_code in RETRIED and method == "GET") or asks_for_time(answer):
            raise Busy(refusal, seconds(answer))
        raise refusal

    def _json(self, answer: requests.Response) -> dict[str, Any]:
        """The answer's object; a portal or proxy that answers in the gateway's place has none."""
        try:
            found = answer.json()
        except NOT_JSON:
            found = None
        if not isinstance(found, dict):
            raise unexplained(answer)
        return found


def _safe(url: str) -> str:
    """The address without a slash at its end; refuses plain HTTP to another machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname)):
        return url.rstrip("/")
    raise ClientError(
        "unsafe-address",
        f"{url} is not an https:// address.",
        "Tokens and submissions go over HTTPS only; plain HTTP is allowed to this machine alone.",
    )


def _loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
