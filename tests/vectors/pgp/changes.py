"""Cuts and turned bits of the good message, at every place that means something."""

from collections.abc import Iterator

LENGTH_CODES = ["malformed", "mdc-failed", "trailing-data", "truncated", "unsupported"]
HEADER_CODES = [*LENGTH_CODES, "no-integrity", "not-encrypted", "wrong-recipient"]

Change = tuple[dict[str, object], list[str]]


def places(message: bytes) -> dict[str, range]:
    """Where the parts of the good message are: one session key over Cv25519, one data packet."""
    assert message[0] == 0xC1
    assert message[1] < 192
    key = 2
    data = key + message[1]
    assert message[data] == 0xD2
    size = 1 if message[data + 1] < 192 else 2
    body = data + 1 + size
    return {
        "key header": range(key),
        "key version": range(key, key + 1),
        "key id": range(key + 1, key + 9),
        "key algorithm": range(key + 9, key + 10),
        "key fields": range(key + 10, data),
        "data header": range(data, body),
        "data version": range(body, body + 1),
        "ciphertext": range(body + 1, len(message) - 22),
        "modification check": range(len(message) - 22, len(message)),
    }


def cuts(message: bytes) -> Iterator[Change]:
    """The message ends within each part, and at each border."""
    at = {0, 1, len(message) - 1}
    for part in places(message).values():
        at |= {part.start, part.start + 1, (part.start + part.stop) // 2, part.stop - 1}
    for count in sorted(count for count in at if count < len(message)):
        yield {"cut": count}, ["truncated"]


def flips(message: bytes) -> Iterator[Change]:
    """A bit of every octet, but of the ciphertext's, of which every eighth is enough."""
    for name, part in places(message).items():
        step = 8 if name == "ciphertext" else 1
        for at in part[::step]:
            yield {"flip": [at, at % 8]}, _codes(name)


def _codes(name: str) -> list[str]:
    if name in {"key header", "data header"}:
        return HEADER_CODES
    return {
        "key version": ["wrong-recipient"],
        "key id": ["wrong-recipient"],
        "key algorithm": ["wrong-recipient"],
        "key fields": ["malformed", "mdc-failed"],
        "data version": ["unsupported"],
    }.get(name, ["mdc-failed"])
