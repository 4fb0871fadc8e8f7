"""The real nginx with the project's own configuration, on ports and paths of a test.

Only addresses and paths are replaced; everything else runs as it is shipped.
"""

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.selfsigned import self_signed

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx" / "gateway.conf"
NAMES = ("gateway.example.org", "openpgpkey.gateway.example.org")
MAIN = """
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/main.log error;
events {{ worker_connections 128; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/gateway.conf;
}}
"""


def require_nginx() -> str:
    """The path of nginx. Without it a build fails; on a laptop the tests say why they skip."""
    path = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if path:
        return path
    reason = "nginx is not installed, and these tests are of the real one's configuration"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass(frozen=True)
class Nginx:
    """One nginx on a folder; `upstream` is the socket that it passes requests to."""

    program: str
    folder: Path
    http: int
    https: int

    @classmethod
    def prepare(cls, folder: Path) -> "Nginx":
        """Write configuration and certificate."""
        made = cls(require_nginx(), folder, free_port(), free_port())
        certificate, key = self_signed(NAMES)
        (folder / "gateway.crt").write_bytes(certificate)
        (folder / "gateway.key").write_bytes(key)
        (folder / "gateway.conf").write_text(made._adapted(CONFIGURATION.read_text()))
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=_user()))
        return made

    @property
    def upstream(self) -> Path:
        """Where the gateway listens."""
        return self.folder / "web.sock"

    @property
    def access_log(self) -> Path:
        """What nginx wrote of each request."""
        return self.folder / "gateway.access.log"

    def check(self) -> subprocess.CompletedProcess[str]:
        """`nginx -t`."""
        return subprocess.run(
            self._command("-t"), capture_output=True, text=True, check=False, timeout=30
        )

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it in the foreground and wait until it answers."""
        process = subprocess.Popen(self._command("-g", "daemon off;"), stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.https), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return process
        process.kill()
        process.wait()
        raise TimeoutError((self.folder / "main.log").read_text())

    @contextmanager
    def before(
        self, command: list[str], *, answers: Callable[[], bool]
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """It and a gateway behind it, which `command` starts; from when it answers."""
        with subprocess.Popen(command) as web, self.start() as front:
            deadline = time.monotonic() + 30
            while not answers():
                assert time.monotonic() < deadline
                time.sleep(0.1)
            try:
                yield web
            finally:
                front.terminate()
                web.terminate()

    def talk(self, request: bytes, *, name: str = NAMES[0]) -> bytes:
        """Send raw bytes over TLS and return all that comes back until the connection ends."""
        with self.line(name) as connection:
            connection.sendall(request)
            return _all(connection)

    def line(self, name: str = NAMES[0]) -> ssl.SSLSocket:
        """A connection over TLS."""
        context = ssl.create_default_context(cafile=str(self.folder / "gateway.crt"))
        plain = socket.create_connection(("127.0.0.1", self.https), timeout=10)
        try:
            return context.wrap_socket(plain, server_hostname=name)
        except OSError:
            plain.close()
            raise

    def talk_plainly(self, request: bytes) -> bytes:
        """The same without TLS, on the other port."""
        with socket.create_connection(("127.0.0.1", self.http), timeout=10) as connection:
            connection.sendall(request)
            return _all(connection)

    def _command(self, *arguments: str) -> list[str]:
        return [
            self.program,
            "-p",
            str(self.folder),
            "-c",
            str(self.folder / "nginx.conf"),
            *arguments,
        ]

    def _adapted(self, text: str) -> str:
        changes = {
            "unix:/run/gateway-web/web.sock": f"unix:{self.upstream}",
            "/etc/nginx/tls": str(self.folder),
            "/var/log/nginx": str(self.folder),
            "/var/lib/nginx": str(self.folder),
            "listen 80": f"listen 127.0.0.1:{self.http}",
            "listen 443": f"listen 127.0.0.1:{self.https}",
        }
        for ours, tested in changes.items():
            assert ours in text, ours
            text = text.replace(ours, tested)
        return re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)


def _user() -> str:
    # As root it would give up its rights, and could not enter the folder of a test.
    return "user root root;" if os.geteuid() == 0 else ""


def _all(connection: socket.socket) -> bytes:
    """Until the end, or until the answer is whole: nginx waits for the rest of a refused body."""
    received = b""
    while not _whole(received) and (block := connection.recv(65536)):
        received += block
    return received


def _whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return bool(end and length and len(body) >= int(length[1]))
