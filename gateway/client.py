"""The HTTPS API as an agency, an analyst or an auditor meets it. Needs no server part installed.

Keeps three promises: the token never leaves over plain HTTP to another machine and never follows a
redirect; an upload is repeated only with the same bytes; every refusal arrives as `Refused`, with
the gateway's own code and sentences.

    ClientError             code, message, mend
    ├── Refused             the gateway answered with a problem (RFC 9457); has `status`
    └── Unreachable         no answer, after all tries
"""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import requests

TIMEOUT = (10, 120)
TRIES = 6
MOST_WAIT = 30.0
RETRIED = frozenset({502, 503, 504})
BLOCK = 1 << 16

Progress = Callable[[int], None]
"""Called with the number of bytes that have just passed."""


class ClientError(Exception):
    """Root of what can go wrong between here and the gateway."""

    def __init__(self, code: str, message: str, mend: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.mend = mend


class Refused(ClientError):
    """The gateway says no, and says why."""

    def __init__(self, status: int, code: str, message: str, mend: str) -> None:
        super().__init__(code, message, mend)
        self.status = status


class Unreachable(ClientError):
    """No answer from the gateway."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            "unreachable",
            f"The gateway at {url} does not answer ({reason}).",
            "Check the address and the network, then run the same command again: nothing is "
            "counted twice.",
        )


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send, and what its bytes are."""

    path: Path
    size: int
    sha256: bytes

    @classmethod
    def of(cls, path: Path) -> "Upload":
        """Measure a file."""
        digest, size = sha256(), 0
        with path.open("rb") as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
                size += len(block)
        return cls(path, size, digest.digest())


class GatewayClient:
    """One gateway, seen with one token or none."""

    def __init__(
        self, url: str, token: str | None = None, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.url = _safe(url)
        self._sleep = sleep
        self._session = requests.Session()
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def another(self) -> "GatewayClient":
        """A client of the same gateway with the same token, for another thread."""
        client = GatewayClient(self.url, sleep=self._sleep)
        client._session.headers.update(self._session.headers)
        return client

    def close(self) -> None:
        """Give up the connection."""
        self._session.close()

    def submit(
        self, upload: Upload, *, replaces: str | None = None, progress: Progress = lambda _: None
    ) -> dict[str, Any]:
        """Send a message; safe to repeat, since the key of the request is the message's digest."""
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
        except _Busy as busy:
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
                body = _Counted(stream, upload.size, progress)
                return self._send("POST", path, data=body, headers=headers)

        return self._json(self._patiently(send))

    def _patiently(self, send: Callable[[], requests.Response]) -> requests.Response:
        """Try again while the gateway is away or asks for time; the last answer counts."""
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            try:
                return send()
            except Unreachable:
                if last:
                    raise
                self._sleep(min(2.0**attempt, MOST_WAIT))
            except _Busy as busy:
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
        refused = _refused(answer)
        answer.close()
        if (answer.status_code in RETRIED and method == "GET") or _asks_for_time(answer):
            raise _Busy(refused, _seconds(answer))
        raise refused

    def _json(self, answer: requests.Response) -> dict[str, Any]:
        """The answer's object; a portal or proxy that answers in the gateway's place has none."""
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise _unexplained(answer)
        return found


class _Busy(Exception):
    """The gateway asks to be asked again."""

    def __init__(self, refused: Refused, seconds: float) -> None:
        super().__init__(refused.message)
        self.refused = refused
        self.seconds = seconds


class _Counted:
    """A file that tells how much of it was read; its length makes the request's header."""

    def __init__(self, stream: BinaryIO, size: int, progress: Progress) -> None:
        self._stream = stream
        self._size = size
        self._progress = progress

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(BLOCK if size < 0 else size)
        self._progress(len(block))
        return block

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(BLOCK):
            yield block


def _asks_for_time(answer: requests.Response) -> bool:
    # nginx limits the rate without saying for how long.
    return answer.status_code == 429 or (
        answer.status_code == 503 and "Retry-After" in answer.headers
    )


def _seconds(answer: requests.Response) -> float:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 1.0


def _refused(answer: requests.Response) -> Refused:
    try:
        problem = answer.json()
        return Refused(answer.status_code, problem["code"], problem["title"], problem["mend"])
    except (ValueError, KeyError, TypeError):
        return _unexplained(answer)


def _unexplained(answer: requests.Response) -> Refused:
    return Refused(
        answer.status_code,
        f"http-{answer.status_code}",
        f"The gateway answered with status {answer.status_code} and no explanation.",
        "Check that the address is that of the gateway itself.",
    )


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
