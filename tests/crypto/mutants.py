"""Messages changed in ways that leave some of them good: what a lenient and a strict reader may
see differently.
"""

from collections.abc import Callable, Iterator
from io import BytesIO
from random import Random

from crypto.armor import ArmorKind, armored
from crypto.framing import LITERAL, MARKER, ONE_PASS, SIGNATURE, Octets, next_packet
from crypto.writing import length

DATA = frozenset({8, 11, 18})
Packets = list[tuple[int, bytes]]


def packets(data: bytes) -> Packets:
    """The packets of a message by tag and body."""
    octets, found = Octets(BytesIO(data)), []
    while one := next_packet(octets):
        found.append((one.tag, one.body.whole(1 << 24)))
    return found


def written(found: Packets, random: Random) -> bytes:
    """The packets again, each framed in one of the ways that the RFC knows."""
    return b"".join(_framed(tag, body, random) for tag, body in found)


def mutants(message: bytes, random: Random) -> Iterator[bytes]:
    """One mutant of a message after the other, for ever."""
    while True:
        found = packets(message)
        for _ in range(random.randint(0, 2)):
            random.choice(_CHANGES)(found, random)
        data = written(found, random)
        if random.random() < 0.2:
            data = _turned(data, random)
        yield _armor(data, random) if random.random() < 0.25 else data


def inner_mutants(inner: bytes, random: Random) -> Iterator[bytes]:
    """The same for what stands inside the encryption, without armor."""
    while True:
        found = packets(inner)
        for _ in range(random.randint(0, 2)):
            random.choice(_CHANGES)(found, random)
        data = written(found, random)
        yield _turned(data, random) if random.random() < 0.2 else data


def _framed(tag: int, body: bytes, random: Random) -> bytes:
    match random.randrange(5):
        case 0 if tag < 16:
            return bytes([0x80 | tag << 2 | 2]) + len(body).to_bytes(4, "big") + body
        case 1 if tag < 16 and len(body) < 256:
            return bytes([0x80 | tag << 2, len(body)]) + body
        case 2 if tag in DATA and len(body) >= 512:
            rest = length(len(body) - 512) + body[512:]
            return bytes([0xC0 | tag, 0xE9]) + body[:512] + rest
        case 3:
            return bytes([0xC0 | tag, 255]) + len(body).to_bytes(4, "big") + body
    return bytes([0xC0 | tag]) + length(len(body)) + body


def _insert(found: Packets, random: Random) -> None:
    # No padding and no unknown packets: programs from before RFC 9580 do not pass them over.
    extra = [
        (MARKER, b"PGP"),
        (MARKER, b"pgp"),
        (63, b""),
        (39, b"critical"),
        (LITERAL, b"b\0\0\0\0\0extra"),
        (ONE_PASS, bytes([3, 0, 10, 22]) + bytes(8) + b"\x01"),
        (SIGNATURE, b"\x04\x00\x16\x0a\x00\x00\x00\x00\x00\x00"),
    ]
    found.insert(random.randint(0, len(found)), random.choice(extra))


def _repeat(found: Packets, random: Random) -> None:
    found.insert(random.randint(0, len(found)), random.choice(found))


def _remove(found: Packets, random: Random) -> None:
    if len(found) > 1:
        found.pop(random.randrange(len(found)))


def _exchange(found: Packets, random: Random) -> None:
    first, second = random.randrange(len(found)), random.randrange(len(found))
    found[first], found[second] = found[second], found[first]


def _touch(found: Packets, random: Random) -> None:
    """One octet of one body: names, times, flags, key ids, hash ids."""
    at = random.randrange(len(found))
    tag, body = found[at]
    if body:
        where = random.randrange(min(len(body), 24))
        changed = bytearray(body)
        changed[where] ^= 1 << random.randrange(8)
        found[at] = (tag, bytes(changed))


_CHANGES: tuple[Callable[[Packets, Random], None], ...] = (
    _insert,
    _insert,
    _repeat,
    _remove,
    _exchange,
    _touch,
    _touch,
)


def _turned(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    changed[random.randrange(min(len(data), 160))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _armor(data: bytes, random: Random) -> bytes:
    text = armored(data, kind=ArmorKind.MESSAGE)
    lines = text.split("\n")
    match random.randrange(6):
        case 0:
            text = text.replace("\n", "\r\n")
        case 1:
            text = text.replace("\n\n", "\nComment: one\nVersion: 2\n\n", 1)
        case 2:
            text = "\n".join(line for line in lines if not line.startswith("="))
        case 3:
            text = text.replace("\n", " \n")
        case 4:
            text = "\n\n" + text + "\n \n"
        case _:
            text = "\n".join(line if line.startswith("-") else _cut(line) for line in lines)
    return text.encode()


def _cut(line: str) -> str:
    return f"{line[:30]}\n{line[30:]}" if line[30:] else line
