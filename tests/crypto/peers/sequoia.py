"""Sequoia's two programs: sq, with all its choices, and sqop, the Stateless OpenPGP interface."""

from itertools import count
from pathlib import Path

from tests.crypto.peers.programs import require, run


class _Files:
    """Both programs take keys as files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()

    def keep(self, data: bytes) -> Path:
        path = self._folder / f"{next(self._numbers)}.pgp"
        path.write_bytes(data)
        return path


class Sq:
    """`sq`."""

    name = "sq"
    makes = frozenset({"rsa3072", "rsa4096", "ed25519"})
    compresses = True

    def __init__(self, folder: Path) -> None:
        self._sq = require("sq", "sq")
        self._files = _Files(folder)

    def new_key(self, algorithm: str) -> bytes:
        suite = {"rsa3072": "rsa3k", "rsa4096": "rsa4k", "ed25519": "cv25519"}[algorithm]
        key = self._files.keep(b"")
        command = ("key", "generate", "--cipher-suite", suite, "--userid", "<sq@example.org>")
        key.unlink()
        run(self._sq, *command, "--export", key)
        return run(self._sq, "dearmor", key)

    def encrypt(
        self,
        plaintext: bytes,
        *,
        signer: bytes,
        recipients: list[bytes],
        compressed: bool,
        armored: bool,
    ) -> bytes:
        to = [part for one in recipients for part in ("--recipient-cert", self._files.keep(one))]
        form = () if armored else ("--binary",)
        packing = ("--compression", "zip" if compressed else "none")
        signing = ("--signer-key", self._files.keep(signer))
        return run(self._sq, "encrypt", *form, *packing, *signing, *to, given=plaintext)

    def encrypt_padded(self, plaintext: bytes, *, signer: bytes, recipient: bytes) -> bytes:
        """As sq does by default: padded, so that the length of the message tells less."""
        to = ("--recipient-cert", self._files.keep(recipient))
        signing = ("--signer-key", self._files.keep(signer))
        return run(self._sq, "encrypt", "--binary", *signing, *to, given=plaintext)

    def decrypt(self, message: bytes, *, key: bytes, signer: bytes | None) -> bytes:
        verifying = ("-n", "1", "--signer-cert", self._files.keep(signer)) if signer else ()
        own = ("--recipient-key", self._files.keep(key))
        return run(self._sq, "decrypt", *own, *verifying, given=message)


class Sqop:
    """`sqop`. It decides on compression itself, and never does compress."""

    name = "sqop"
    makes = frozenset({"ed25519"})
    compresses = False

    def __init__(self, folder: Path) -> None:
        self._sqop = require("sqop", "sqop")
        self._files = _Files(folder)

    def new_key(self, algorithm: str) -> bytes:
        assert algorithm in self.makes
        return run(self._sqop, "generate-key", "--no-armor", "<sqop@example.org>")

    def encrypt(
        self,
        plaintext: bytes,
        *,
        signer: bytes,
        recipients: list[bytes],
        compressed: bool,
        armored: bool,
    ) -> bytes:
        assert not compressed
        to = [self._files.keep(one) for one in recipients]
        form = () if armored else ("--no-armor",)
        signing = ("--sign-with", self._files.keep(signer))
        return run(self._sqop, "encrypt", *form, *signing, "--", *to, given=plaintext)

    def decrypt(self, message: bytes, *, key: bytes, signer: bytes | None) -> bytes:
        verified = self._files.keep(b"")
        verified.unlink()
        verifying: tuple[str | Path, ...] = ()
        if signer:
            verifying = ("--verify-with", self._files.keep(signer), "--verify-out", verified)
        plaintext = run(
            self._sqop, "decrypt", *verifying, "--", self._files.keep(key), given=message
        )
        assert signer is None or verified.read_text().strip()
        return plaintext
