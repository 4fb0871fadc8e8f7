"""What is sent: messages that every channel takes and no worker could open."""

import os


def message(size: int) -> bytes:
    """The framing of a message of so many octets, around noise."""
    body = b"\1" + os.urandom(size - 20)
    return b"\xc1\x0a" + bytes(10) + b"\xd2\xff" + len(body).to_bytes(4, "big") + body
