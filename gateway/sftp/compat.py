"""Two clients that agencies have and asyncssh would refuse, and what it would keep for any of them.

rclone before 1.62 (Debian 12 has 1.60) puts octets after the data of a write request; OpenSSH's
server ignores them, and so do we. scp of OpenSSH 9 and later ends in an error where the server
closes a session without an exit status; `Tree.exit` sends one. And of every environment variable
that a client names asyncssh takes a note, however many and however large; nobody reads it here.
What a client lets it send it gives to the line, however much waits there already.
"""

from asyncssh import SSHServerChannel, SSHServerConnection
from asyncssh.constants import FXP_WRITE
from asyncssh.packet import SSHPacket
from asyncssh.sftp import SFTPServerHandler


def tolerate_octets_after_a_write() -> None:
    """Teach asyncssh; once for the process, and safe to repeat."""
    strict = SFTPServerHandler._process_write
    if getattr(strict, "tolerant", False):
        return

    async def tolerant(handler: SFTPServerHandler, packet: SSHPacket) -> int:
        return await strict(handler, _Lenient(packet.get_remaining_payload()))

    # asyncssh has no place for this, so its types know of none.
    tolerant.tolerant = True  # type: ignore[attr-defined]
    SFTPServerHandler._process_write = tolerant  # type: ignore[method-assign,assignment]
    SFTPServerHandler._packet_handlers[FXP_WRITE] = tolerant


def take_no_environment() -> None:
    """Refuse what asyncssh would keep in memory without limit."""
    SSHServerChannel._process_env_request = _refuse_environment  # type: ignore[method-assign,assignment]


def _refuse_environment(channel: SSHServerChannel[bytes], packet: SSHPacket) -> bool:
    del channel, packet
    return False


def waiting_to_leave(connection: SSHServerConnection) -> int:
    """Octets that the line has not taken yet; asyncssh does not look how many there are."""
    transport = connection._transport
    return 0 if transport is None else int(transport.get_write_buffer_size())


class _Lenient(SSHPacket):
    """A packet after whose last field something may follow."""

    def check_end(self) -> None:
        """Not look."""
