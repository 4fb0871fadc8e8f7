"""GnuPG: what most senders use."""

from hashlib import sha256
from itertools import count

from tests.crypto.gnupg import Gnupg
from tests.crypto.peers.peer import ALGORITHMS


class Gpg:
    """One home that learns keys as they are needed."""

    name = "gpg"
    makes = frozenset(ALGORITHMS)
    compresses = True

    def __init__(self, gpg: Gnupg) -> None:
        self._gpg = gpg
        self._known: dict[str, str] = {}
        self._numbers = count()

    def new_key(self, algorithm: str) -> bytes:
        address = f"{algorithm}-{next(self._numbers)}@peer.example"
        return self._gpg.export_secret(self._gpg.new_key(f"Peer <{address}>", algorithm=algorithm))

    def encrypt(
        self,
        plaintext: bytes,
        *,
        signer: bytes,
        recipients: list[bytes],
        compressed: bool,
        armored: bool,
    ) -> bytes:
        to = [part for one in recipients for part in ("--recipient", self._import(one))]
        form = ("--armor",) if armored else ()
        packing = ("--compress-algo", "zlib" if compressed else "none")
        user = ("--local-user", self._import(signer))
        return self._gpg("--sign", "--encrypt", *form, *packing, *user, *to, given=plaintext)

    def decrypt(self, message: bytes, *, key: bytes, signer: bytes | None) -> bytes:
        self._import(key)
        if signer:
            sender = self._import(signer)
            status = self._gpg("--status-fd", "1", "--output", "-", "--decrypt", given=message)
            assert f"VALIDSIG {sender}".encode() in status
        return self._gpg("--decrypt", given=message)

    def _import(self, key: bytes) -> str:
        """The fingerprint of a key that the home then has."""
        name = sha256(key).hexdigest()
        if name not in self._known:
            listed = self._gpg("--with-colons", "--show-keys", given=key).decode().splitlines()
            self._gpg("--import", given=key)
            self._known[name] = next(
                line.split(":")[9] for line in listed if line.startswith("fpr:")
            )
        return self._known[name]
