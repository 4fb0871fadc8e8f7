"""A real S3 object store of our own, SeaweedFS from a wheel, in one folder, on loopback.

Promises: an acknowledged object survives `kill -9` (chunks are fsynced before the answer); only
the generated key opens the S3 port; nothing else of it can be used (`seaweed.py`). Refuses: other
hosts, buckets made in passing, two servers on one folder. It does not promise to survive a loss of
power: SeaweedFS keeps its directory in a database that it does not sync. For one machine; point
S3_ENDPOINT_URL at a managed store for more.
"""

import json
import re
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random, SystemRandom
from secrets import token_hex
from typing import TYPE_CHECKING

from gateway.embedded import ports, seaweed, statefile
from gateway.embedded.errors import DidNotStart, FolderNotOurs
from gateway.embedded.kept import Kept, Program
from gateway.embedded.once import run_once

if TYPE_CHECKING:
    import subprocess

NAME = "object store"
REGION = "us-east-1"
"""SeaweedFS knows no regions; this is the one for which CreateBucket needs no location."""

START_SECONDS = 60.0
ATTEMPTS = 3
SYNC_BEFORE_ANSWER = "fs.configure -locationPrefix=/buckets/ -fsync=true -apply\n"
LIST_VOLUMES = "volume.list\n"
VOLUMES_ARE_THERE = re.compile(r"^Topology .*\(volume:\d+/[1-9]", re.MULTILINE)
"""S3 answers before the part that keeps the data has joined, which may take seconds on a busy
machine; until then every read of an object fails. The second figure, its room, shows it there."""


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class EmbeddedObjects:
    """One SeaweedFS server on one folder."""

    region = REGION

    def __init__(
        self,
        folder: Path,
        *,
        token: Callable[[], str] = token_hex,
        random: Random | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.folder = folder.absolute()
        self._token = token
        self._random = random or SystemRandom()
        self._clock = clock
        self._server: Kept | None = None
        self._state: dict[str, str] = {}
        self._inner: dict[str, str] = {}

    @property
    def endpoint_url(self) -> str:
        """Where S3 answers."""
        return f"http://{ports.LOOPBACK}:{self._ports.s3}"

    @property
    def access_key(self) -> str:
        """The id of the generated key."""
        return self._state["access_key"]

    @property
    def secret_key(self) -> str:
        """The secret of the generated key."""
        return self._state["secret_key"]

    @property
    def pid(self) -> int | None:
        """The process id of the server while it runs."""
        return self._server.pid if self._server and self._server.running() else None

    def start(self) -> None:
        """Start and wait until it answers; a second call does nothing. Raise EmbeddedError."""
        self.launch()
        self.await_answer()

    def launch(self) -> None:
        """Start without waiting, so that something else can start meanwhile."""
        if self.pid is not None:
            return
        self.stop()
        self._prepare()
        self._choose_ports()
        self._server = Kept(
            Program(
                name=NAME,
                command=seaweed.command(self.folder, self._ports),
                folder=self.folder,
                stop_signal=signal.SIGTERM,
                environ=self._inner,
            )
        )

    def await_answer(self) -> None:
        """Wait until a launched server answers and syncs what it stores."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._await_health()
                self._await_volumes()
                self._sync_before_answer()
                return
            except DidNotStart:
                self.stop()
                # Only a port that somebody took in the meantime is worth another try.
                if attempt == ATTEMPTS or self._ports.free():
                    raise
                self.launch()

    def stop(self) -> None:
        """End it politely and return when it is gone."""
        if self._server is not None:
            self._server.stop()
            self._clear_away()

    def kill(self) -> None:
        """End it as `kill -9` would. `start` recovers."""
        if self._server is not None:
            self._server.kill()
            self._clear_away()

    def __enter__(self) -> "EmbeddedObjects":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _clear_away(self) -> None:
        self._server = None
        for socket in self._ports.stray_sockets():
            socket.unlink(missing_ok=True)

    @property
    def _ports(self) -> seaweed.Ports:
        return seaweed.Ports.parse(self._state["ports"])

    def _prepare(self) -> None:
        try:
            (self.folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            self._state = statefile.read(self.folder / "objects.json")
        except PermissionError as error:
            raise FolderNotOurs(self.folder) from error
        if "secret_key" not in self._state:
            self._keep(access_key=self._token(), secret_key=self._token())
        self._write_configuration()

    def _write_configuration(self) -> None:
        identity = {
            "name": "gateway",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        statefile.write_private(self.folder / "s3.json", json.dumps({"identities": [identity]}))
        certificate, key = seaweed.make_certificate(self._clock())
        statefile.write_private(self.folder / "inner.crt", certificate)
        statefile.write_private(self.folder / "inner.key", key)
        self._inner = seaweed.inner_secrets(self.folder, self._token)
        # SeaweedFS writes its flags here and reads them at the next start; ours alone must count.
        (self.folder / "data" / "mini.options").unlink(missing_ok=True)

    def _keep(self, **values: str) -> None:
        self._state = {**self._state, **values}
        statefile.write(self.folder / "objects.json", self._state)

    def _choose_ports(self) -> None:
        if "ports" not in self._state or not self._ports.free():
            self._keep(ports=str(seaweed.Ports.choose(self._random)))

    def _await_health(self) -> None:
        self._await(lambda: _healthy(self._ports.s3))

    def _await_volumes(self) -> None:
        self._await(lambda: VOLUMES_ARE_THERE.search(self._shell(LIST_VOLUMES).stdout) is not None)

    def _await(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.pid is not None and time.monotonic() < deadline:
            if ready():
                return
            time.sleep(0.05)
        raise DidNotStart(NAME, self.folder / "server.log")

    def _sync_before_answer(self) -> None:
        """Without this SeaweedFS answers while the object is only in memory."""
        done = self._shell(SYNC_BEFORE_ANSWER)
        if '"fsync":  true' not in done.stdout:
            raise DidNotStart(NAME, self.folder / "server.log", detail=done.stdout + done.stderr)

    def _shell(self, said: str) -> "subprocess.CompletedProcess[str]":
        """What the server's own administration answers."""
        return run_once(
            seaweed.shell_command(self._ports),
            said=said,
            environ={"HOME": str(self.folder), **self._inner},
            folder=self.folder,
        )


def _healthy(port: int) -> bool:
    connection = HTTPConnection(ports.LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
