"""Other people's programs send to us and read what we write: every key, form and packing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from itertools import product
from pathlib import Path

import pytest

from crypto import (
    Keyring,
    generate_key,
    load_certificate,
    open_message,
    read_certificate,
    seal,
    sign_and_encrypt,
)
from tests.crypto.gnupg import Gnupg
from tests.crypto.parties import AGENCY
from tests.crypto.peers.gnu import Gpg
from tests.crypto.peers.javascript import OpenPgpJs
from tests.crypto.peers.peer import ALGORITHMS, Peer
from tests.crypto.peers.sequoia import Sq, Sqop

NAMES = ("gpg", "sq", "sqop", "openpgp.js")
TEXT = b"2026-04-01,POL-E23000020,referred\n" * 2000


@pytest.fixture(scope="module")
def peers(gpg: Gnupg, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Peer]]:
    """Every program."""
    folder = tmp_path_factory.mktemp("peers")
    today = replace(gpg, lives_at="")
    javascript = OpenPgpJs()
    both: list[Peer] = [Sq(_folder(folder, "sq")), Sqop(_folder(folder, "sqop"))]
    yield {peer.name: peer for peer in (Gpg(today), *both, javascript)}
    javascript.close()


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


class Keys:
    """A key of each program and algorithm, made once; and the gateway's, of each algorithm."""

    def __init__(self, peers: dict[str, Peer]) -> None:
        self._peers = peers
        self._made: dict[tuple[str, str], bytes] = {}

    def of(self, peer: Peer, algorithm: str) -> bytes:
        """Made by the program itself where it can, and by gpg where it cannot."""
        maker = peer if algorithm in peer.makes else self._peers["gpg"]
        return self._kept(maker, algorithm, maker.name)

    def gateway(self, algorithm: str) -> bytes:
        """Made by ourselves where we can, and by gpg where we cannot."""
        if algorithm != "ed25519":
            return self._kept(self._peers["gpg"], algorithm, "gateway")
        name = ("gateway", algorithm)
        if name not in self._made:
            now = datetime.now(UTC)
            self._made[name] = generate_key("Gateway <g@example.org>", now=now, valid_for=None)
        return self._made[name]

    def _kept(self, maker: Peer, algorithm: str, owner: str) -> bytes:
        name = (owner, algorithm)
        if name not in self._made:
            self._made[name] = maker.new_key(algorithm)
        return self._made[name]


@pytest.fixture(scope="module")
def keys(peers: dict[str, Peer]) -> Keys:
    """All keys."""
    return Keys(peers)


@cache
def keyring(secret: bytes) -> Keyring:
    """Loaded once, as a worker does: OpenSSL checks an RSA key for seconds."""
    return Keyring.load([secret])


def public(secret: bytes) -> bytes:
    return keyring(secret).certificates[0].data


def soon() -> datetime:
    """Keys may have been made within this very second."""
    return datetime.now(UTC) + timedelta(seconds=2)


# sqop has no option for compression; every other combination is there.
SENT = [
    combination
    for combination in product(NAMES, ALGORITHMS, (False, True), (False, True), (1, 2))
    if not (combination[0] == "sqop" and combination[2])
]


@pytest.mark.parametrize(("name", "algorithm", "compressed", "armored", "count"), SENT)
def test_what_they_send_we_open(
    peers: dict[str, Peer],
    keys: Keys,
    name: str,
    algorithm: str,
    compressed: bool,
    armored: bool,
    count: int,
) -> None:
    peer, gateway = peers[name], keys.gateway(algorithm)
    sender = keys.of(peer, algorithm)
    others = [AGENCY.certificate.data] * (count - 1)
    message = peer.encrypt(
        TEXT,
        signer=sender,
        recipients=[*others, public(gateway)],
        compressed=compressed,
        armored=armored,
    )
    assert message.startswith(b"-----BEGIN PGP MESSAGE") == armored
    assert (len(message) < len(TEXT) / 4) == compressed
    opened = open_message(
        BytesIO(message),
        keyring=keyring(gateway),
        senders=[read_certificate(public(sender), now=soon())],
        now=soon(),
    )
    assert opened.plaintext.read() == TEXT
    # The other recipient opens it as well: two were asked for.
    if count == 2:
        assert _opened_by_the_other(message, public(sender)) == TEXT


def _opened_by_the_other(message: bytes, sender: bytes) -> bytes:
    # It is not the gateway, which is why intended recipients, where they are named, include it.
    opened = open_message(
        BytesIO(message),
        keyring=AGENCY.keyring,
        senders=[load_certificate(sender)],
        now=soon(),
    )
    return opened.plaintext.read()


@pytest.mark.parametrize(("name", "algorithm"), list(product(NAMES, ALGORITHMS)))
def test_what_we_seal_they_read(
    peers: dict[str, Peer], keys: Keys, name: str, algorithm: str
) -> None:
    peer = peers[name]
    key, sink = keys.of(peer, algorithm), BytesIO()
    recipients = [AGENCY.certificate, read_certificate(public(key), now=soon())]
    seal(BytesIO(TEXT), sink, recipients=recipients, context="s-1", now=soon())
    assert peer.decrypt(sink.getvalue(), key=key, signer=None) == TEXT


@pytest.mark.parametrize(("name", "algorithm"), list(product(NAMES, ALGORITHMS)))
def test_what_we_sign_and_encrypt_they_verify(
    peers: dict[str, Peer], keys: Keys, name: str, algorithm: str
) -> None:
    peer = peers[name]
    key, signer, sink = keys.of(peer, algorithm), keys.gateway(algorithm), BytesIO()
    sign_and_encrypt(
        BytesIO(TEXT),
        sink,
        signer=keyring(signer),
        recipients=[read_certificate(public(key), now=soon())],
        now=datetime.now(UTC),
    )
    assert peer.decrypt(sink.getvalue(), key=key, signer=public(signer)) == TEXT


@pytest.mark.parametrize("size", [0, 1, 1000, 100_000])
def test_sqs_padding_opens(peers: dict[str, Peer], keys: Keys, size: int) -> None:
    """By default sq hides the length of a message behind the end of a compressed stream."""
    sq, gateway = peers["sq"], keys.gateway("ed25519")
    assert isinstance(sq, Sq)
    sender, plaintext = keys.of(sq, "ed25519"), TEXT * 2
    message = sq.encrypt_padded(plaintext[:size], signer=sender, recipient=public(gateway))
    opened = open_message(
        BytesIO(message),
        keyring=keyring(gateway),
        senders=[read_certificate(public(sender), now=soon())],
        now=soon(),
    )
    assert opened.plaintext.read() == plaintext[:size]
