"""Free TCP ports on loopback, kept from one start to the next where possible.

Ports are taken below 32768, where Linux hands none to outgoing connections: a port that a server
gives up for a moment is then still free when it comes back, and clients need no new address.
Nothing is reserved: whoever starts a server must be ready to choose again.
"""

import socket
from random import Random

LOOPBACK = "127.0.0.1"
LOWEST, HIGHEST = 20_000, 32_000


def choose(count: int, random: Random) -> tuple[int, ...]:
    """`count` distinct ports that are free now."""
    chosen: set[int] = set()
    while len(chosen) < count:
        port = random.randint(LOWEST, HIGHEST)
        if port not in chosen and free((port,)):
            chosen.add(port)
    return tuple(chosen)


def free(ports: tuple[int, ...]) -> tuple[int, ...]:
    """`ports` if every one of them can be bound now, otherwise the empty tuple."""
    try:
        for port in ports:
            with socket.socket() as probe:
                # As the servers do: a port in TIME_WAIT counts as free, a listening one does not.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((LOOPBACK, port))
    except OSError:
        return ()
    return ports
