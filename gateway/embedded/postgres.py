"""A real PostgreSQL of our own, from a wheel, in one folder, on loopback.

Promises: what a transaction committed survives `kill -9` and loss of power (fsync, full_page_writes
and data checksums stay on); no other user of the machine gets in (SCRAM passwords on 127.0.0.1, no
Unix socket); no statement or value reaches its log. Refuses: other hosts, two servers on one
folder. For one machine; point DATABASE_URL at a managed PostgreSQL for more.
"""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random, SystemRandom
from secrets import token_urlsafe

import psycopg
from psycopg import sql

from gateway.embedded import ports, statefile
from gateway.embedded.account import Account, service_account
from gateway.embedded.cluster import NAME, SUPERUSER, ensure_cluster, programs
from gateway.embedded.errors import DidNotStart, FolderNotOurs
from gateway.embedded.kept import Kept, Program
from gateway.embedded.passage import grant_passage

DATABASE = "gateway"
ROLE = "gateway"
START_SECONDS = 60.0  # recovery after a crash replays the write-ahead log first
ATTEMPTS = 3

SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failing statement and its DETAIL ("Key (email)=(...) already exists") would carry values
    # into the log; the gateway reports errors itself, without them.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}


class EmbeddedPostgres:
    """One PostgreSQL server on one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        token: Callable[[], str] = token_urlsafe,
        random: Random | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self._token = token
        self._random = random or SystemRandom()
        self._server: Kept | None = None
        self._state: dict[str, str] = {}

    @property
    def url(self) -> str:
        """The gateway's own database, as its own role, which owns it and may create others."""
        return self._url(ROLE, self._state["password"], DATABASE)

    @property
    def admin_url(self) -> str:
        """The superuser, for tests and repairs; the gateway never uses it."""
        return self._url(SUPERUSER, self._state["superuser_password"], "postgres")

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster while it runs."""
        return self._server.pid if self._server and self._server.running() else None

    def start(self) -> None:
        """Start and wait until it answers; a second call does nothing. Raise EmbeddedError."""
        if self.pid is not None:
            return
        self.stop()  # a server that ended by itself still has a handle to close
        account = service_account()
        self._prepare(account)
        for attempt in range(1, ATTEMPTS + 1):
            self._choose_port()
            try:
                self._run(account)
                return
            except DidNotStart:
                self.stop()
                # Only a port that somebody took in the meantime is worth another try.
                if attempt == ATTEMPTS or ports.free((self._port,)):
                    raise

    def stop(self) -> None:
        """End every connection, write everything out, and return when no process is left."""
        if self._server is not None:
            self._server.stop()
        self._server = None

    def kill(self) -> None:
        """End it as a power cut would. `start` recovers."""
        if self._server is not None:
            self._server.kill()
        self._server = None

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _port(self) -> int:
        return int(self._state["port"])

    def _prepare(self, account: Account | None) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._state = statefile.read(self.folder / "postgres.json")
            if "password" not in self._state:
                self._keep(superuser_password=self._token(), password=self._token())
        except PermissionError as error:
            raise FolderNotOurs(self.folder) from error
        if account is not None:
            grant_passage(self.folder / "data", account)
            grant_passage(programs() / "postgres", account)

    def _keep(self, **values: str) -> None:
        self._state = {**self._state, **values}
        statefile.write(self.folder / "postgres.json", self._state)

    def _choose_port(self) -> None:
        if "port" not in self._state or not ports.free((self._port,)):
            (port,) = ports.choose(1, self._random)
            self._keep(port=str(port))

    def _run(self, account: Account | None) -> None:
        password = self._state["superuser_password"]
        data = ensure_cluster(self.folder, superuser_password=password, account=account)
        settings = {**SETTINGS, "port": str(self._port)}
        flags = (f"--{name}={value}" for name, value in settings.items())
        self._server = Kept(
            Program(
                name=NAME,
                command=(str(programs() / "postgres"), "-D", str(data), *flags),
                folder=self.folder,
                stop_signal=signal.SIGINT,  # "fast": end the sessions, write a checkpoint
                account=account,
            )
        )
        self._await_answer(self._server)

    def _await_answer(self, server: Kept) -> None:
        deadline = time.monotonic() + START_SECONDS
        while server.running() and time.monotonic() < deadline:
            try:
                with psycopg.connect(_plain(self.admin_url), autocommit=True) as connection:
                    self._ensure_database(connection)
                    return
            except psycopg.OperationalError:
                time.sleep(0.03)
        raise DidNotStart(NAME, self.folder / "server.log")

    def _ensure_database(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
            password = sql.Literal(self._state["password"])
            create = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
            connection.execute(create.format(role, password))
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if not known.fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))

    def _url(self, role: str, password: str, database: str) -> str:
        # require_auth: should another program take our port while the server is down, it learns
        # nothing by asking for the password in the clear.
        return (
            f"postgresql+psycopg://{role}:{password}@{ports.LOOPBACK}:{self._port}"
            f"/{database}?require_auth=scram-sha-256"
        )


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1) + "&connect_timeout=5"
