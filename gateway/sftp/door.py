"""Who is in, and how many may be: nobody takes the room that is for others.

Whoever connects is a stranger until a signature has been verified. Strangers have room of their
own, so that ten thousand silent connections take no session of an agency; where it is full, the
oldest of the address that has the most gives way, so that one address pushes out itself. An agency
has its share of the sessions, counted once its key has signed: that somebody shows a public key,
which is no secret, takes nothing from whose it is. So has it of the threads, and logins have some
that are nobody else's. All of this is counted in each process.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from secrets import token_hex
from time import monotonic
from typing import cast

import structlog
from asyncssh import (
    DISC_NO_MORE_AUTH_METHODS_AVAILABLE,
    DISC_TOO_MANY_CONNECTIONS,
    SSHKey,
    SSHServer,
    SSHServerChannel,
    SSHServerConnection,
)
from asyncssh.channel import SSHChannel
from asyncssh.stream import SSHServerStreamSession

from gateway.errors import GatewayError, ServiceFailed, TooMany, Unauthenticated
from gateway.sftp.compat import is_agreeing_on_keys, on_the_line, waiting_to_leave
from gateway.sftp.desk import Desk, Taken
from gateway.sftp.reading import Reading
from gateway.sftp.shelf import Shelf
from gateway.sftp.tree import Tree
from gateway.wiring.sftp import Sessions, SftpServices

log = structlog.get_logger("gateway.sftp")

SFTP_VERSION = 3
MOST_STRANGERS = 300
MOST_KEYS = 10
MOST_CHANNELS = 10
STOP_SECONDS = 0.2
GRACE_SECONDS = 20.0
MOST_WAITING = 16 << 20
"""Octets that may wait for one connection; well-behaved sessions stop asking long before."""
THREADS = 32
THREADS_OF_AN_AGENCY = 8
THREADS_FOR_LOGINS = 4


class Door:
    """Everybody who is in, and who waits to be let in."""

    def __init__(
        self,
        services: SftpServices,
        room: Sessions,
        shelf: Shelf,
        *,
        threads: ThreadPoolExecutor,
        logins: ThreadPoolExecutor,
    ) -> None:
        self.services = services
        self.logins = logins
        self._threads = threads
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(THREADS_OF_AN_AGENCY)
        )
        self._turned_away = 0
        self._room = room
        self._guests: set[Guest] = set()
        self._strangers: dict[Guest, None] = {}  # in the order in which they came
        self._shelf = shelf
        self._taken = Taken()
        self._reading = Reading()

    def guest(self) -> "Guest":
        """Whoever knocks."""
        return Guest(self)

    def knock(self, guest: "Guest") -> None:
        """Let somebody say who they are; where too many do, one who has not yet gives way."""
        self._strangers[guest] = None
        if len(self._strangers) > MOST_STRANGERS:
            self._turned_away += 1
            self._in_the_way().abort()

    def _in_the_way(self) -> "Guest":
        counts = Counter(each.source for each in self._strangers)
        [(crowded, _)] = counts.most_common(1)
        found = next(each for each in self._strangers if each.source == crowded)
        del self._strangers[found]
        return found

    def let_in(self, guest: "Guest") -> GatewayError | None:
        """Count somebody who has proved who they are; answer why they may not come in."""
        self._strangers.pop(guest, None)
        if len(self._guests) >= self._room.all_agencies:
            return ServiceFailed(
                "sessions-full",
                "As many sessions are open as the gateway can hold.",
                "Try again in a minute.",
            )
        of_agency = sum(each.agency_id == guest.agency_id for each in self._guests)
        if of_agency >= self._room.one_agency:
            return TooMany(
                "too-many-sessions",
                f"{of_agency} sessions of your agency are open, and there may be no more.",
                "Close some, or wait until they have ended.",
            )
        self._guests.add(guest)
        return None

    def leave(self, guest: "Guest") -> None:
        """They are gone."""
        self._strangers.pop(guest, None)
        self._guests.discard(guest)

    def tree(self, channel: SSHChannel[bytes]) -> Tree:
        """A tree for one session of somebody who was let in."""
        guest: Guest = channel.get_connection().get_extra_info("guest")
        desk = Desk(
            services=self.services,
            fingerprint=guest.fingerprint,
            agency_id=guest.agency_id,
            source=guest.source,
            request_id=token_hex(8),
            taken=self._taken,
            reading=self._reading,
        )
        return Tree(
            cast("SSHServerChannel[bytes]", channel),
            desk=desk,
            shelf=self._shelf,
            threads=self._threads,
            turn=self._turns[guest.agency_id],
            asked=guest.asks,
            acting=guest.acting,
            unread=lambda: self._unread(guest.agency_id),
        )

    def _unread(self, agency_id: str) -> int:
        """Octets of answers that an agency has asked for and not taken yet."""
        return sum(each.unread() for each in self._guests if each.agency_id == agency_id)

    def tell_of_the_turned_away(self) -> None:
        """One line for all of them; a line each would be theirs to fill a disk with."""
        if self._turned_away:
            log.warning("sftp.crowded", turned_away=self._turned_away)
            self._turned_away = 0

    def end_the_idle(self) -> None:
        """Send away who has asked for nothing for so long."""
        for guest in list(self._guests):
            if guest.idle_seconds() > self._room.idle_seconds:
                log.info("sftp.idle", agency=guest.agency_id)
                guest.send_away()

    def end_the_deaf(self) -> None:
        """Send away for whom too much waits, and who does not go on with new keys."""
        for guest in [*self._guests, *self._strangers]:
            deaf = guest.silent_seconds() > self._room.agree_seconds
            if deaf or guest.waiting() > MOST_WAITING:
                log.warning("sftp.deaf", agency=guest.agency_id)
                guest.abort()

    async def end_all(self) -> None:
        """Send everybody away, and give what is being handed over time to end."""
        for guest in [*self._guests, *self._strangers]:
            guest.send_away()
        deadline = monotonic() + GRACE_SECONDS
        while self._guests and monotonic() < deadline:
            await asyncio.sleep(STOP_SECONDS)


class Guest(SSHServer):
    """One connection."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._connection: SSHServerConnection | None = None
        self._last_acted = self._last_agreed = monotonic()
        self._under_way = 0
        self._keys = 0
        self.fingerprint = ""
        self.agency_id = ""
        self.source: str | None = None
        self.sessions: set[Session] = set()

    def connection_made(self, conn: SSHServerConnection) -> None:
        """Somebody connects, of whom nothing is known."""
        self._connection = conn
        peer = conn.get_extra_info("peername")
        self.source = str(peer[0]) if peer else None
        conn.set_extra_info(guest=self)
        self._door.knock(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        del exc
        self._door.leave(self)

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
        self._keys += 1
        if self._keys > MOST_KEYS:
            # Each is looked up in the database, for somebody who has proved nothing.
            self._disconnect(DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "Too many keys. Offer one.")
            return False
        fingerprint = key.get_fingerprint("sha256")
        loop, threads = asyncio.get_running_loop(), self._door.logins
        try:
            agency_id = await loop.run_in_executor(threads, self._agency, fingerprint)
        except Unauthenticated:
            return False
        except ServiceFailed as error:
            log.warning("trouble", error=error.code)
            return False
        self.fingerprint, self.agency_id = fingerprint, agency_id
        return True

    def auth_completed(self) -> None:
        """They are who they say; whether there is room for them is seen now."""
        refusal = self._door.let_in(self)
        if refusal is None:
            log.info("sftp.session", agency=self.agency_id)
            return
        log.warning("sftp.refused", agency=self.agency_id, error=refusal.code)
        told = f"{refusal.message} {refusal.mend} [{refusal.code}]"
        self._disconnect(DISC_TOO_MANY_CONNECTIONS, told)
        self._door.logins.submit(self._record, refusal.code)

    def session_requested(self) -> "Session | bool":
        """One more tree over the same connection, up to ten."""
        if len(self.sessions) >= MOST_CHANNELS:
            return False
        session = Session(self, self._door.tree)
        self.sessions.add(session)
        return session

    def asks(self) -> None:
        """They asked for something."""
        self._last_acted = monotonic()

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Around what is done for them; to wait until they listen is no part of it."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._last_acted = monotonic()

    def idle_seconds(self) -> float:
        """How long nothing was asked, and nothing done that had been."""
        return 0.0 if self._under_way else monotonic() - self._last_acted

    def unread(self) -> int:
        """Octets of answers that they have not taken yet."""
        return self.waiting() + sum(each.unread() for each in self.sessions)

    def waiting(self) -> int:
        """Octets that they let come, and that are not on their way yet."""
        return 0 if self._connection is None else waiting_to_leave(self._connection)

    def silent_seconds(self) -> float:
        """How long new keys have waited for them alone, seen when it was last looked.

        Not while they still take what was sent before: on a slow line that may be minutes.
        """
        line = self._connection
        if line is None or not is_agreeing_on_keys(line) or on_the_line(line):
            self._last_agreed = monotonic()
        return monotonic() - self._last_agreed

    def send_away(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()

    def abort(self) -> None:
        """End the connection without a word."""
        if self._connection is not None:
            self._connection.abort()

    def _disconnect(self, code: int, reason: str) -> None:
        if self._connection is not None:
            self._connection.disconnect(code, reason)

    def _agency(self, fingerprint: str) -> str:
        principal = self._door.services.ssh_keys.authenticate(
            fingerprint, source=self.source, request_id=None
        )
        return principal.agency

    def _record(self, code: str) -> None:
        with suppress(ServiceFailed, Unauthenticated):
            self._door.services.ssh_keys.turn_away(self.fingerprint, code, source=self.source)


class Session(SSHServerStreamSession[bytes]):
    """One of a connection's sessions; the library would let it have any number."""

    def __init__(self, guest: Guest, tree: Callable[[SSHChannel[bytes]], Tree]) -> None:
        super().__init__(None, self._grow, sftp_version=SFTP_VERSION, allow_scp=True)
        self._guest = guest
        self._plant = tree
        self._tree: Tree | None = None

    def unread(self) -> int:
        """Octets that wait for the client to let them come."""
        return 0 if self._tree is None else self._tree.unread()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self._guest.sessions.discard(self)
        super().connection_lost(exc)
        if self._tree is not None:
            self._tree.abandon()

    def _grow(self, channel: SSHChannel[bytes]) -> Tree:
        self._tree = self._plant(channel)
        return self._tree
