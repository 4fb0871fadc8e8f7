"""What is fuzzed: each target reads hostile octets, and may end with an error of `crypto` alone."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO

from crypto import CryptoError, Limits, Scratch, open_message, verify_detached
from crypto.armor import binary
from crypto.certificate import parse_certificate
from crypto.contents import read_contents
from crypto.framing import Octets, next_packet
from crypto.signature import parse_signature
from tests.crypto.corpus import key, sender

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SMALL = Limits(plaintext_octets=1 << 20, ciphertext_octets=1 << 20, ratio_from_octets=1 << 16)
GATEWAY, AGENCY = key("gateway"), sender("good")


def framing(data: bytes) -> None:
    """Armor or binary, then packets, of any kind and length."""
    octets = Octets(binary(BytesIO(data)))
    while packet := next_packet(octets):
        packet.body.whole(1 << 20)


def message(data: bytes) -> None:
    """A whole message as it is received."""
    opened = open_message(BytesIO(data), keyring=GATEWAY, senders=[AGENCY], now=NOW, limits=SMALL)
    opened.plaintext.close()


def contents(data: bytes) -> None:
    """What stands inside the encryption; a fuzzer cannot find a modification check that fits."""
    with Scratch(memory=1 << 10) as scratch:
        found = read_contents(BytesIO(data), scratch, limits=SMALL, taken=lambda: len(data))
        assert found.plaintext.size <= SMALL.plaintext_octets


def signature(data: bytes) -> None:
    """The body of a signature packet."""
    found = parse_signature(data)
    assert data.startswith(found.hashed)


def certificate(data: bytes) -> None:
    """A certificate to be enrolled."""
    parse_certificate(data)


def detached(data: bytes) -> None:
    """A detached signature, over a document that is not the one it was made for."""
    verify_detached(b"a manifest", data, senders=[AGENCY], now=NOW)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (framing, message, contents, signature, certificate, detached)
}


def run(name: str, data: bytes) -> None:
    """Give the data to a target; whatever but an error of `crypto` comes out is a fault."""
    with suppress(CryptoError):
        TARGETS[name](data)
