"""Where asyncssh is bent: for two clients that agencies have, and against what it does not limit.

rclone before 1.62 (Debian 12 has 1.60) puts octets after the data of a write request; OpenSSH's
server ignores them, and so do we. scp of OpenSSH 9 and later ends in an error where the server
closes a session without an exit status; `Tree.exit` sends one.

Of every environment variable that a client names asyncssh takes a note, however many and however
large; nobody reads it here. What a client lets it send it gives to the line, however much waits
there already, or keeps it until new keys are agreed, which a client may never do. It cuts answers
into packets as small as a client likes, in one go. Some requests it answers without the tree.
"""

from collections.abc import Awaitable, Callable

from asyncssh import OPEN_RESOURCE_SHORTAGE, SSHServerChannel, SSHServerConnection
from asyncssh.connection import SSHConnection
from asyncssh.constants import DEFAULT_LANG, FXP_WRITE, MSG_CHANNEL_OPEN
from asyncssh.packet import SSHPacket
from asyncssh.sftp import SFTPServer, SFTPServerHandler

LEAST_PACKET = 1 << 10
"""Octets that a client's packets must hold; RFC 4253 section 6.1 has everybody support 32 KiB."""
_COST = 256
"""Octets that a packet takes here besides its own: many small ones are as heavy as few large."""
_LEFT_OUT = frozenset({b"copy-data", b"ranges@asyncssh.com"})
"""A whole report would be fetched for one request; and files be asked for what they cannot tell."""

_process_packet = SFTPServerHandler._process_packet
_process_write = SFTPServerHandler._process_write
_process_channel_open = SSHConnection._process_channel_open


def bend(before_each: Callable[[SFTPServer], Awaitable[None]]) -> None:
    """Teach asyncssh; once for the process, and safe to repeat.

    Before each request of a client `before_each` is waited for, also before those that come to no
    operation of the tree.
    """

    async def process(
        handler: SFTPServerHandler, kind: int, number: int, packet: SSHPacket
    ) -> None:
        await before_each(handler._server)
        await _process_packet(handler, kind, number, packet)

    # asyncssh has no place for any of this, so its types know of none.
    SFTPServerHandler._process_packet = process  # type: ignore[method-assign,assignment]
    SFTPServerHandler._process_write = _tolerant  # type: ignore[method-assign,assignment]
    SFTPServerHandler._packet_handlers[FXP_WRITE] = _tolerant
    for name in _LEFT_OUT:
        SFTPServerHandler._packet_handlers.pop(name, None)
    SFTPServerHandler._extensions = [
        each for each in SFTPServerHandler._extensions if each[0] not in _LEFT_OUT
    ]
    SSHConnection._packet_handlers[MSG_CHANNEL_OPEN] = _open_if_packets_hold_enough
    SSHServerChannel._process_env_request = _refuse_environment  # type: ignore[method-assign,assignment]


async def _tolerant(handler: SFTPServerHandler, packet: SSHPacket) -> int:
    return await _process_write(handler, _Lenient(packet.get_remaining_payload()))


def _refuse_environment(channel: SSHServerChannel[bytes], packet: SSHPacket) -> bool:
    del channel, packet
    return False


def _open_if_packets_hold_enough(
    connection: SSHConnection, kind: int, number: int, packet: SSHPacket
) -> None:
    payload = packet.get_remaining_payload()
    asked = SSHPacket(payload)
    asked.get_string()  # the kind of channel
    theirs, _window, size = asked.get_uint32(), asked.get_uint32(), asked.get_uint32()
    if size < LEAST_PACKET:
        connection.send_channel_open_failure(
            theirs, OPEN_RESOURCE_SHORTAGE, "Your packets are too small.", DEFAULT_LANG
        )
        return
    _process_channel_open(connection, kind, number, SSHPacket(payload))


def is_agreeing_on_keys(connection: SSHServerConnection) -> bool:
    """Whether new keys are being agreed, until when asyncssh keeps whatever it is to send."""
    return not connection._kex_complete


def on_the_line(connection: SSHServerConnection) -> int:
    """Octets that the line has not taken yet; asyncssh does not look how many there are."""
    transport = connection._transport
    return 0 if transport is None else int(transport.get_write_buffer_size())


def waiting_to_leave(connection: SSHServerConnection) -> int:
    """Octets on the line, and those that wait for new keys."""
    kept = connection._deferred_packets
    return on_the_line(connection) + sum(
        _COST + sum(len(each) for each in fields) for _, fields in kept
    )


def waiting_for_room(channel: SSHServerChannel[bytes]) -> int:
    """Octets that a client does not let come."""
    return channel.get_write_buffer_size() + _COST * len(channel._send_buf)


class _Lenient(SSHPacket):
    """A packet after whose last field something may follow."""

    def check_end(self) -> None:
        """Not look."""
