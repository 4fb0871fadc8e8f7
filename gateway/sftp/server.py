"""The SFTP process: listens, and ends what is to end. `door` lets in whoever holds an enrolled key.

Several processes may listen on one port (SO_REUSEPORT). There is no password, no shell, no command,
no forwarding and no agent; only algorithms that are held to be good today (RFC 9142).
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event
from time import monotonic

import asyncssh
import structlog
import uvloop
from asyncssh.kex import get_kex_algs

from gateway.settings import Settings
from gateway.sftp.compat import bend
from gateway.sftp.door import STOP_SECONDS, THREADS, THREADS_FOR_LOGINS, Door
from gateway.sftp.shelf import Shelf, standard_files
from gateway.sftp.tree import Tree
from gateway.wiring.sftp import SftpServices, sftp_services

log = structlog.get_logger("gateway.sftp")

LOGIN_SECONDS = 30
KEEPALIVE_SECONDS = 30
HOUSE_SECONDS = 60.0

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
    bend(Tree.before_a_request)
    files = {
        **standard_files(),
        "gateway-certificate.asc": services.certificate_text.encode("ascii"),
        "log.vkey": services.log_verifier.encode("ascii"),
    }
    with (
        ThreadPoolExecutor(THREADS, thread_name_prefix="sftp") as threads,
        ThreadPoolExecutor(THREADS_FOR_LOGINS, thread_name_prefix="login") as logins,
    ):
        shelf = Shelf(files)
        door = Door(services, services.sessions, shelf, threads=threads, logins=logins)
        acceptor = await asyncssh.listen(
            host,
            port,
            reuse_port=True,
            server_factory=door.guest,
            server_host_keys=[str(each) for each in services.host_key_files],
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
            door.end_the_deaf()
            if monotonic() - kept > HOUSE_SECONDS:
                kept = monotonic()
                door.tell_of_the_turned_away()
                await asyncio.to_thread(_keep_house, services)
        acceptor.close()
        await door.end_all()


def _keep_house(services: SftpServices) -> None:
    with suppress(OSError):
        services.spool.remove_expired(now=datetime.now(UTC))
