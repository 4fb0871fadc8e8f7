"""`gateway serve`: the whole gateway on one machine, with its own PostgreSQL and object store.

For trying out, demonstrations and development. Everything lies in one folder; nothing is left
running afterwards. In production each process runs by itself (deploy/systemd).
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import click
import requests
from asyncssh import read_private_key

from crypto import load_certificate
from gateway.cli.environment import environment
from gateway.cli.failures import Failure
from gateway.cli.files import write_secret
from gateway.cli.gatewaykey import make_gateway_key
from gateway.cli.keys import (
    make_log_key,
    make_openpgp,
    make_pepper,
    make_promise_key,
    make_pseudonym_key,
    make_ssh_host_key,
)
from gateway.cli.output import say
from gateway.cli.stopping import told_to_stop
from gateway.embedded import EmbeddedServers
from gateway.settings import Process, Settings
from gateway.wiring import LOCAL_PART
from gateway.wiring.admin import admin_services

LOG_NAME = "log.gateway.localhost"
READY_SECONDS = 60
WATCH_SECONDS = 0.2
GRACE_SECONDS = 20

NEXT = """The gateway is ready at {url}

Stop it with Ctrl-C. In another terminal:
  export GATEWAY_URL={url}
  {program} --env-file {env} agency enrol AGENCY CERTIFICATE
  {program} --env-file {env} token issue NAME --role submitter --agency AGENCY
  {program} --env-file {env} sshkey add AGENCY KEY.pub --subject NAME
SFTP answers at sftp://127.0.0.1:{sftp}, with the host key {host_key}
The gateway's fingerprint, which agencies are told, is {fingerprint}
Receipts are verified with the log's key, {log_key}
The vault's private key is in {staff}; a real one never comes near the gateway.
The interface is described at {url}/v1/openapi.json
{page}"""
PAGE = "Check a return in the browser, the data never leaving it, at {url}/check/"
NO_PAGE = (
    "The page that checks in a browser is not offered: CHECKER_FOLDER names none. "
    "`make checker` builds it."
)


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".gateway"),
    show_default=True,
    help="Where everything is kept.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--sftp-port",
    type=click.IntRange(0, 65535),
    help="For SFTP; 2222, or any that is free where --port is 0.",
)
@click.option("--workers", type=click.IntRange(1, 16), default=1, show_default=True)
def serve(*, folder: Path, port: int, sftp_port: int | None, workers: int) -> None:
    """Run the whole gateway here, with servers and keys of its own. Not for real data."""
    stop = told_to_stop()
    folder = folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _pid_file(folder / "serve.pid"), EmbeddedServers(folder / "servers") as servers:
        url = f"http://127.0.0.1:{_usable(port)}"
        sftp = _usable((2222 if port else 0) if sftp_port is None else sftp_port)
        settings = prepare(folder, servers.environ(), url=url)
        with _Children(folder, settings, url=url, sftp=sftp, workers=workers) as children:
            children.await_ready(stop)
            if not stop.is_set():
                say(_next(folder, url, sftp=sftp))
            children.watch(stop)


def prepare(folder: Path, servers: Mapping[str, str], *, url: str) -> dict[str, str]:
    """Make what is missing: keys, settings, tables and buckets. Return the settings."""
    keys, staff = folder / "keys", folder / "staff"
    for each in (keys, staff):
        each.mkdir(mode=0o700, exist_ok=True)
    if not (keys / "gateway-key.asc").exists():
        make_gateway_key(keys, user_id=f"CTDS gateway <{LOCAL_PART}@gateway.localhost>")
        make_openpgp(staff, "vault", user_id="CTDS vault")
        make_log_key(keys, LOG_NAME)
        make_pseudonym_key(keys, None)
    if not (keys / "linkage.pepper").exists():  # a folder of an earlier version has none
        make_pepper(keys, None)
    if not (keys / "ssh-host-key").exists():  # likewise
        make_ssh_host_key(keys)
    if not (keys / "promise.key").exists():  # likewise
        make_promise_key(keys, keys / "log.skey")
    spool = folder / "spool"
    spool.mkdir(mode=0o700, exist_ok=True)
    settings = {
        **servers,
        "GATEWAY_ENV": "development",
        "PUBLIC_URL": url,
        "S3_BUCKET_PREFIX": "ctds",
        # COMPLIANCE means that nobody can remove it: not for ten years while trying out.
        "VAULT_RETENTION_DAYS": "1",
        "PSEUDONYM_KEY_FILE": str(keys / "pseudonym.key"),
        "GATEWAY_CERTIFICATE_FILE": str(keys / "gateway-certificate.asc"),
        "GATEWAY_KEY_FILE": str(keys / "gateway-key.asc"),
        "LINKAGE_PEPPER_FILE": str(keys / "linkage.pepper"),
        "VAULT_CERTIFICATE_FILE": str(staff / "vault-certificate.asc"),
        "PROMISE_KEY_FILE": str(keys / "promise.key"),
        "LOG_KEY_FILE": str(keys / "log.skey"),
        "LOG_VERIFIER_FILE": str(keys / "log.vkey"),
        "LOG_MEMORY_FILE": str(folder / "log-memory"),
        "SIGNER_SOCKET": str(folder / "signer"),
        "SFTP_HOST_KEY_FILE": str(keys / "ssh-host-key"),
        "SFTP_SPOOL_FOLDER": str(spool),
    }
    file = folder / "gateway.env"
    file.unlink(missing_ok=True)
    write_secret(file, "".join(f"{key}={value}\n" for key, value in settings.items()).encode())
    services = admin_services(Settings.load(settings, Process.ADMIN))
    services.prepare()
    services.database.dispose()
    return settings


def _next(folder: Path, url: str, *, sftp: int) -> str:
    """What to do when it runs."""
    keys = folder / "keys"
    certificate = load_certificate((keys / "gateway-certificate.asc").read_bytes())
    page = PAGE if "CHECKER_FOLDER" in environment() else NO_PAGE
    return NEXT.format(
        url=url,
        program=_program(),
        sftp=sftp,
        host_key=read_private_key(keys / "ssh-host-key").get_fingerprint("sha256"),
        env=folder / "gateway.env",
        fingerprint=certificate.fingerprint,
        staff=folder / "staff",
        log_key=keys / "log.vkey",
        page=page.format(url=url),
    )


def _program() -> str:
    """This program, as another terminal finds it."""
    here = Path(sys.executable).with_name("gateway")
    found = shutil.which("gateway")
    return "gateway" if found is not None and Path(found) == here else str(here)


class _Children:
    """The gateway's processes; one that dies is started again."""

    def __init__(
        self, folder: Path, settings: Mapping[str, str], *, url: str, sftp: int, workers: int
    ) -> None:
        self._folder = folder
        self._url = url
        self._environ = {**environment(), **settings}
        bind = url.removeprefix("http://")
        self._commands = {
            "signer": ("signer", "serve"),
            "web": ("web", "--bind", bind),
            "sftp": ("sftp", "--port", str(sftp)),
            "sequencer": ("sequencer",),
            "mirror": ("mirror",),
            **{f"worker-{n}": ("worker",) for n in range(1, workers + 1)},
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "_Children":
        for name in self._commands:
            self._start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(timeout=GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for name in self._running:
            self._pid_file(name).unlink(missing_ok=True)

    def await_ready(self, stop: Event) -> None:
        """Return when the gateway answers for its database and its object store."""
        for _ in range(int(READY_SECONDS / WATCH_SECONDS)):
            if stop.wait(WATCH_SECONDS) or self._ready():
                return
        raise Failure(
            f"The gateway did not become ready within {READY_SECONDS} seconds.",
            f"Read {self._folder / 'web.log'}.",
        )

    def watch(self, stop: Event) -> None:
        """Start again what died, until told to stop."""
        while not stop.wait(WATCH_SECONDS):
            for name, process in self._running.items():
                if process.poll() is not None:
                    say(f"{name} ended with status {process.returncode}; starting it again.")
                    self._start(name)

    def _start(self, name: str) -> None:
        command = [sys.executable, "-m", "gateway", *self._commands[name]]
        with (self._folder / f"{name}.log").open("ab") as log:
            # A session of its own: Ctrl-C is for us, and we end the children in order.
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own program, no shell
                command, env=self._environ, stdout=log, stderr=log, start_new_session=True
            )
        # `kill -9` of this process leaves the child: `make clean` finds it by this file.
        self._pid_file(name).write_text(f"{self._running[name].pid}\n", "ascii")

    def _pid_file(self, name: str) -> Path:
        return self._folder / f"{name}.pid"

    def _ready(self) -> bool:
        try:
            return requests.get(f"{self._url}/readyz", timeout=2).ok
        except requests.RequestException:
            return False


@contextmanager
def _pid_file(path: Path) -> Iterator[None]:
    path.write_text(f"{os.getpid()}\n", "ascii")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _usable(wanted: int) -> int:
    """The port, or any free one for 0; raises Failure where something listens on it already."""
    with socket.socket() as found:
        try:
            found.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise Failure(
                f"Port {wanted} is taken, perhaps by an earlier gateway.",
                "Choose another with --port, or end what runs there: `make clean` ends ours.",
            ) from error
        port: int = found.getsockname()[1]
        return port
