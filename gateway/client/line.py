"""An SSH connection to the gateway as something that is simply used: opened, and opened again.

A connection in which anything failed is closed, so that no step meets what an earlier one left. The
host key is judged before the gateway learns which key we come with.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncssh
from asyncssh import (
    SFTPClient,
    SFTPError,
    SSHClient,
    SSHClientConnection,
    SSHKey,
    SSHKnownHosts,
)

from gateway.client.access import Access
from gateway.client.answers import Busy, ClientError, HostKeyRefused, Refused, Unreachable

T = TypeVar("T")

CONNECT_SECONDS = 10
LOGIN_SECONDS = 30
ANSWER_SECONDS = 120
KEEPALIVE_SECONDS = 15

AGAIN = frozenset({"unavailable", "too-far-behind", "too-many-waiting", "file-in-use"})
"""What the gateway says of a step that may go well later."""

_TOLD = re.compile(r"(?P<sentences>.+) \[(?P<code>[a-z][a-z0-9-]*)\]", re.DOTALL)


class Line:
    """One gateway, reached with one key; `do` runs a step and returns what it returns."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._key = _private_key(access)
        self._runner = asyncio.Runner()
        self._connection: SSHClientConnection | None = None
        self._sftp: SFTPClient | None = None

    def do(self, step: Callable[[SFTPClient], Awaitable[T]]) -> T:
        """Run a step; raises Busy, Refused, HostKeyRefused or Unreachable."""
        return self._runner.run(self._done(step))

    def close(self) -> None:
        """Give up the connection."""
        self._runner.run(self._hung_up())
        self._runner.close()

    async def _done(self, step: Callable[[SFTPClient], Awaitable[T]]) -> T:
        try:
            return await step(self._sftp or await self._opened())
        except BaseException as error:
            await self._hung_up()
            told = _told(str(self._access.address), error)
            if told is error:
                raise
            raise told from error

    async def _opened(self) -> SFTPClient:
        access, doorman = self._access, _Doorman(self._access.fingerprints)
        # Where fingerprints are given, no list counts: the doorman is asked about every key.
        pinned = ((), (), ()) if access.fingerprints else _known_hosts(access)
        try:
            self._connection = await asyncssh.connect(
                access.address.host,
                access.address.port,
                username=access.address.user,
                config=None,
                client_factory=lambda: doorman,
                known_hosts=pinned,
                x509_trusted_certs=None,
                client_keys=[self._key],
                agent_path=None,
                preferred_auth="publickey",
                gss_host=None,
                compression_algs=None,
                connect_timeout=CONNECT_SECONDS,
                login_timeout=LOGIN_SECONDS,
                keepalive_interval=KEEPALIVE_SECONDS,
            )
            self._sftp = await answered(self._connection.start_sftp_client())
        except asyncssh.HostKeyNotVerifiable:
            raise HostKeyRefused(str(access.address), doorman.shown) from None
        return self._sftp

    async def _hung_up(self) -> None:
        connection, self._connection, self._sftp = self._connection, None, None
        if connection is None:
            return
        connection.close()
        try:
            await asyncio.wait_for(connection.wait_closed(), CONNECT_SECONDS)
        except (asyncssh.Error, OSError):
            connection.abort()


class _Doorman(SSHClient):
    """Takes the host keys that are pinned by fingerprint, and remembers which one was shown."""

    def __init__(self, fingerprints: tuple[str, ...]) -> None:
        self._fingerprints = fingerprints
        self.shown: str | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: SSHKey) -> bool:
        """Asked about each key that is in no list."""
        del host, addr, port
        self.shown = key.get_fingerprint("sha256")
        return self.shown in self._fingerprints


async def answered(awaited: Awaitable[T]) -> T:
    """What the gateway answers, if it does so in time; raises TimeoutError."""
    return await asyncio.wait_for(awaited, ANSWER_SECONDS)


def _known_hosts(access: Access) -> SSHKnownHosts:
    """The hosts in the file; where there is no file, none."""
    try:
        return asyncssh.read_known_hosts(str(access.known_hosts))
    except FileNotFoundError:
        return asyncssh.import_known_hosts("")
    except ValueError:
        raise ClientError(
            "host-key-malformed",
            f"{access.known_hosts} is no file of known hosts.",
            "Make one with ssh-keyscan and compare it with your letter, or use --host-key.",
        ) from None


def _private_key(access: Access) -> SSHKey:
    try:
        return asyncssh.import_private_key(access.key, access.passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise ClientError(
            "ssh-key-unusable",
            f"The SSH key cannot be used: {error}.",
            "Check that it is the private key, and that the passphrase is its own.",
        ) from None


def _told(where: str, error: BaseException) -> BaseException:
    """The failure as the client's own; what is no failure of the line stays what it is."""
    told = error
    match error:
        case asyncssh.PermissionDenied() | asyncssh.SFTPPermissionDenied():
            told = _key_refused(where)
        case asyncssh.SFTPConnectionLost() | asyncssh.SFTPNoConnection():
            told = Unreachable(where, "the connection broke")
        case asyncssh.KeyExchangeFailed():
            told = _no_agreement(where)
        case SFTPError():
            told = _refused(where, error.reason)
        case OSError() if error.filename is not None:
            pass  # a file on this machine
        case asyncssh.Error() | OSError():  # TimeoutError is an OSError
            told = Unreachable(where, type(error).__name__)
    return told


def _key_refused(where: str) -> Refused:
    return Refused(
        None,
        "ssh-key-refused",
        f"The gateway at {where} does not accept this SSH key.",
        "It may not be enrolled yet, or have ended: ask the gateway's administrators. If it was "
        "accepted before, try again in some minutes.",
    )


def _no_agreement(where: str) -> Refused:
    return Refused(
        None,
        "ssh-no-agreement",
        f"The server at {where} has no host key of the kind that is pinned, or too old ciphers.",
        "Check that the address is that of the gateway itself, and pin the host key that is in "
        "your letter.",
    )


def _refused(where: str, said: str) -> Refused | Busy:
    """What the gateway said, in sentences and with a code at their end."""
    told = _TOLD.fullmatch(said)
    if told is None:
        return Refused(
            None,
            "sftp-unexplained",
            f"The server at {where} answered with a failure and no explanation.",
            "Check that the address is that of the gateway itself.",
        )
    refused = Refused(None, told["code"], told["sentences"], "")
    return Busy(refused, 1.0) if refused.code in AGAIN else refused
