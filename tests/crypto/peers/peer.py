"""What the tests ask of another OpenPGP program."""

from typing import Protocol

ALGORITHMS = ("rsa3072", "rsa4096", "ed25519", "nistp256")


class Peer(Protocol):
    """One program. Keys, certificates and messages are binary, unless a message is armored."""

    name: str
    makes: frozenset[str]
    """The algorithms that it makes keys of; it uses the others' keys for the rest."""
    compresses: bool

    def new_key(self, algorithm: str) -> bytes:
        """A secret key without passphrase, to sign with and to encrypt to."""

    def encrypt(
        self,
        plaintext: bytes,
        *,
        signer: bytes,
        recipients: list[bytes],
        compressed: bool,
        armored: bool,
    ) -> bytes:
        """Sign with a secret key and encrypt to certificates."""

    def decrypt(self, message: bytes, *, key: bytes, signer: bytes | None) -> bytes:
        """Decrypt with a secret key; where a signer's certificate is given, verify or fail."""
