"""The SFTP process: listens, lets in whoever holds an enrolled key, and gives each a tree.

Several processes may listen on one port (SO_REUSEPORT). There is no password, no shell, no command,
no forwarding and no agent; only algorithms that are held to be good today (RFC 9142).
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from secrets import token_hex
from threading import Event
from time import monotonic

import asyncssh
import structlog
import uvloop
from asyncssh import SSHKey, SSHServer, SSHServerChannel, SSHServerConnection
from asyncssh.kex import get_kex_algs

from gateway.errors import ServiceFailed, Unauthenticated
from gateway.settings import Settings
from gateway.sftp.compat import tolerate_octets_after_a_write
from gateway.sftp.desk import Desk, Taken
from gateway.sftp.shelf import Shelf, standard_files
from gateway.sftp.tree import Tree
from gateway.wiring import SftpServices, sftp_services

log = structlog.get_logger("gateway.sftp")

MOST_SESSIONS = 400
MOST_OF_AN_AGENCY = 50
LOGIN_SECONDS = 30
IDLE_SECONDS = 1800.0
KEEPALIVE_SECONDS = 30
STOP_SECONDS = 0.2
GRACE_SECONDS = 20.0
HOUSE_SECONDS = 60.0
THREADS = 32

KEX = (
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
)
CIPHERS = (
    "chacha20-poly1305@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-gcm@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
)
MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
SIGNATURES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-256",
    "rsa-sha2-512",
)


def run_sftp(settings: Settings, stop: Event, *, host: str, port: int) -> None:
    """Serve until `stop` is set."""
    services = sftp_services(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(services, stop, host=host, port=port))
    services.database.dispose()


async def serve(services: SftpServices, stop: Event, *, host: str, port: int) -> None:
    """Listen, keep house, and let the sessions end when told to stop."""
    tolerate_octets_after_a_write()
    files = {
        **standard_files(),
        "gateway-certificate.asc": services.certificate_text.encode("ascii"),
        "log.vkey": services.log_verifier.encode("ascii"),
    }
    with ThreadPoolExecutor(THREADS, thread_name_prefix="sftp") as threads:
        door = Door(services, Shelf(files), threads)
        acceptor = await asyncssh.listen(
            host,
            port,
            reuse_port=True,
            server_factory=door.guest,
            server_host_keys=[str(each) for each in services.host_key_files],
            sftp_factory=door.tree,
            sftp_version=3,
            allow_scp=True,
            allow_pty=False,
            agent_forwarding=False,
            x11_forwarding=False,
            # Without ML-KEM where the OpenSSL at hand is too old for it.
            kex_algs=[each for each in KEX if each.encode() in get_kex_algs()],
            encryption_algs=CIPHERS,
            mac_algs=MACS,
            signature_algs=SIGNATURES,
            compression_algs=None,
            login_timeout=LOGIN_SECONDS,
            keepalive_interval=KEEPALIVE_SECONDS,
            gss_host=None,
            server_version="gateway",
        )
        log.info("sftp.listens", port=acceptor.get_port())
        kept = monotonic()
        while not stop.is_set():
            await asyncio.sleep(STOP_SECONDS)
            door.end_the_idle()
            if monotonic() - kept > HOUSE_SECONDS:
                kept = monotonic()
                await asyncio.to_thread(_keep_house, services)
        acceptor.close()
        await door.end_all()


def _keep_house(services: SftpServices) -> None:
    with suppress(OSError):
        services.spool.remove_expired(now=datetime.now(UTC))


class Door:
    """Everybody who is in, and how many of each agency."""

    def __init__(self, services: SftpServices, shelf: Shelf, threads: ThreadPoolExecutor) -> None:
        self.services = services
        self.threads = threads
        self.guests: set[Guest] = set()
        self._shelf = shelf
        self._taken = Taken()

    def guest(self) -> "Guest":
        """Whoever knocks."""
        return Guest(self)

    def tree(self, channel: SSHServerChannel[bytes]) -> Tree:
        """A tree for one session of somebody who was let in."""
        guest: Guest = channel.get_connection().get_extra_info("guest")
        desk = Desk(
            services=self.services,
            fingerprint=guest.fingerprint,
            agency_id=guest.agency_id,
            source=guest.source,
            request_id=token_hex(8),
            taken=self._taken,
        )
        tree = Tree(channel, desk=desk, shelf=self._shelf, threads=self.threads)
        guest.trees.append(tree)
        return tree

    def has_room(self, agency_id: str) -> bool:
        """Whether one more of an agency may come in."""
        return sum(each.agency_id == agency_id for each in self.guests) < MOST_OF_AN_AGENCY

    def end_the_idle(self) -> None:
        """Send away who has done nothing for half an hour."""
        for guest in list(self.guests):
            if guest.idle_seconds() > IDLE_SECONDS:
                guest.send_away()

    async def end_all(self) -> None:
        """Send everybody away, and give what is being handed over time to end."""
        for guest in list(self.guests):
            guest.send_away()
        deadline = monotonic() + GRACE_SECONDS
        while self.guests and monotonic() < deadline:
            await asyncio.sleep(STOP_SECONDS)


class Guest(SSHServer):
    """One connection."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._connection: SSHServerConnection | None = None
        self._came = monotonic()
        self.fingerprint = ""
        self.agency_id = ""
        self.source: str | None = None
        self.trees: list[Tree] = []

    def connection_made(self, conn: SSHServerConnection) -> None:
        """Somebody connects; beyond what one process holds they are turned away at once."""
        self._connection = conn
        peer = conn.get_extra_info("peername")
        self.source = str(peer[0]) if peer else None
        conn.set_extra_info(guest=self)
        if len(self._door.guests) >= MOST_SESSIONS:
            log.warning("sftp.full", sessions=MOST_SESSIONS)
            conn.abort()
            return
        self._door.guests.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        del exc
        self._door.guests.discard(self)

    def begin_auth(self, username: str) -> bool:
        """A key is always asked for; the name says nothing."""
        del username
        return True

    def password_auth_supported(self) -> bool:
        """There are no passwords."""
        return False

    def kbdint_auth_supported(self) -> bool:
        """Nor anything like them."""
        return False

    def public_key_auth_supported(self) -> bool:
        """Keys are what there is."""
        return True

    async def validate_public_key(self, username: str, key: SSHKey) -> bool:
        """Whether this key may come in; the last one asked about is the one that signs."""
        del username
        fingerprint = key.get_fingerprint("sha256")
        loop, threads = asyncio.get_running_loop(), self._door.threads
        try:
            agency_id = await loop.run_in_executor(threads, self._agency, fingerprint)
        except Unauthenticated:
            return False
        except ServiceFailed as error:
            log.warning("trouble", error=error.code)
            return False
        if not self._door.has_room(agency_id):
            log.warning("sftp.agency_full", agency=agency_id, sessions=MOST_OF_AN_AGENCY)
            return False
        self.fingerprint, self.agency_id = fingerprint, agency_id
        return True

    def auth_completed(self) -> None:
        """They are in."""
        log.info("sftp.session", agency=self.agency_id)

    def idle_seconds(self) -> float:
        """How long nothing was asked."""
        return monotonic() - max([self._came, *(each.last_used for each in self.trees)])

    def send_away(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()

    def _agency(self, fingerprint: str) -> str:
        principal = self._door.services.ssh_keys.authenticate(
            fingerprint, source=self.source, request_id=None
        )
        return principal.agency
