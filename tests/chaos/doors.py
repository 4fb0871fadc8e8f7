"""The ways into a gateway as an honest sender uses them: HTTPS in one request, tus, SFTP.

Each attempt either hears that a message is safe, or hears nothing: then the same message is tried
again. Over tus and SFTP a sender asks first how much has arrived, and sends the rest.
"""

import json
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from threading import get_ident

import paramiko
from paramiko.sftp import CMD_CLOSE

from tests.gateway.stand import Sender

SECONDS = 20.0
"""How long a sender waits for an answer."""

ASK_AGAIN = frozenset({409, 423, 429, 503})
"""Another request of ours still writes, or the gateway cannot take anything now."""

UNNAMED = ""
"""What SFTP says of a submission's name: nothing."""

Heard = str | None
"""The id of an acknowledged submission, or None where nothing was heard."""

Way = Callable[[bytes], Heard]


class Surprise(AssertionError):
    """An answer that no honest sender should get."""


def nothing() -> None:
    """What is done between the announcement of a body and the body, where nothing is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Doors:
    """Where the gateway is entered, and by whom. `before_body` is called when a body is next."""

    sender: Sender
    key: paramiko.PKey
    web_port: int
    sftp_port: int
    before_body: Callable[[], None] = nothing
    _begun: dict[bytes, str] = field(default_factory=dict)

    @property
    def ways(self) -> list[Way]:
        """All of them."""
        return [self.over_https, self.over_sftp, self.over_tus]

    def over_https(self, message: bytes) -> Heard:
        """One request."""
        headers = {"Content-Type": "application/pgp-encrypted"}
        answer = self._ask("POST", "/v1/submissions", headers, message)
        if answer is None or not _good(answer):
            return None
        return str(json.loads(answer.body)["id"])

    def over_tus(self, message: bytes) -> Heard:
        """As many requests as it takes; what has arrived is not sent again."""
        name = sha256(message).digest()
        if name not in self._begun:
            length = {"Upload-Length": str(len(message))}
            begun = self._tus("POST", "/v1/uploads", length)
            if begun is None:
                return None
            self._begun[name] = begun.headers["location"]
        path = self._begun[name]
        asked = self._tus("HEAD", path, {})
        if asked is not None and "content-location" not in asked.headers:
            offset = asked.headers["upload-offset"]
            piece = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": offset}
            asked = self._tus("PATCH", path, piece, message[int(offset) :])
        if asked is None or "content-location" not in asked.headers:
            return None
        return asked.headers["content-location"].rpartition("/")[2]

    def over_sftp(self, message: bytes) -> Heard:
        """A file, continued under the same name; its size says what is there."""
        path = f"/inbox/{sha256(message).hexdigest()[:16]}-{get_ident()}.pgp"
        try:
            # paramiko's own connecting would leave the socket open where nobody listens.
            line = socket.create_connection(("127.0.0.1", self.sftp_port), timeout=SECONDS)
            with line, closing(paramiko.Transport(line)) as transport:
                transport.banner_timeout = transport.auth_timeout = SECONDS
                transport.connect(username="ctds", pkey=self.key)
                sftp = paramiko.SFTPClient.from_transport(transport)
                if sftp is None:
                    return None
                sftp.get_channel().settimeout(SECONDS)
                self._put_rest(sftp, path, message)
        except (OSError, EOFError, paramiko.SSHException):
            return None
        return UNNAMED

    def _put_rest(self, sftp: paramiko.SFTPClient, path: str, message: bytes) -> None:
        try:
            there = int(sftp.stat(path).st_size or 0)
        except FileNotFoundError:
            there = 0
        if there == len(message):
            return
        file = sftp.open(path, "r+b" if there else "wb")
        file.seek(there)
        self.before_body()
        file.write(message[there:])
        # Only the answer to this tells that it is safe; paramiko's own files do not listen to it.
        sftp._request(CMD_CLOSE, file.handle)

    def _tus(
        self, method: str, path: str, headers: dict[str, str], body: bytes = b""
    ) -> Answer | None:
        answer = self._ask(method, path, {"Tus-Resumable": "1.0.0"} | headers, body)
        return answer if answer is not None and _good(answer) else None

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer | None:
        line = HTTPConnection("127.0.0.1", self.web_port, timeout=SECONDS)
        try:
            line.putrequest(method, path)
            for name, value in (self.sender.headers | headers).items():
                line.putheader(name, value)
            line.putheader("Content-Length", str(len(body)))
            line.endheaders()
            if body:
                self.before_body()
                line.send(body)
            answer = line.getresponse()
            said = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, said, answer.read())
        except (OSError, HTTPException):
            return None
        finally:
            line.close()


def _good(answer: Answer) -> bool:
    if answer.status not in (200, 201, 204) and answer.status not in ASK_AGAIN:
        raise Surprise(f"{answer.status} {answer.body[:300]!r}")
    return answer.status < 300
