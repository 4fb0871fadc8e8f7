"""Signing and decrypting with the user's own gpg: the key may be on a card, and its agent asks for
the PIN. Of a sealed object gpg sees the wrapped session keys alone, whatever its size.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from secrets import token_bytes
from tempfile import TemporaryDirectory

from crypto import Certificate, SessionKey, Wrapped, packet_of
from gateway.cli.failures import USAGE, Failure

QUIET = ("gpg", "--batch", "--quiet")


def sign_and_encrypt(data: bytes, *, user: str, recipient: Certificate) -> bytes:
    """A message signed by `user` and encrypted to the recipient."""
    with TemporaryDirectory(prefix="gateway-") as folder:
        file = Path(folder) / "recipient.pgp"
        file.write_bytes(recipient.data)
        return _run(
            data, "--sign", "--encrypt", "--local-user", user, "--recipient-file", str(file)
        )


def sign_detached(data: bytes, *, user: str) -> str:
    """An ASCII-armored detached signature by `user`."""
    return _run(data, "--armor", "--detach-sign", "--local-user", user).decode("ascii")


class GnupgKeys:
    """The keys that gpg holds, as a `crypto.KeyHolder`."""

    def unwrap(self, wrapped: Sequence[Wrapped]) -> SessionKey:
        """The session key; raises Failure when gpg has no key for it, or is not let."""
        # gpg tells the session key before it looks at the data, which is therefore only noise.
        noise = b"\xd2\x2b\x01" + token_bytes(42)
        message = b"".join(map(packet_of, wrapped)) + noise
        said = _gpg(message, "--status-fd", "2", "--show-session-key", "--decrypt").stderr
        status = _status(said.decode(errors="replace"))
        if "SESSION_KEY" not in status:
            raise Failure(
                "gpg could not open the object's session key.",
                "Check that your gpg has the vault's private key (gpg --list-secret-keys).",
            )
        cipher, _, key = status["SESSION_KEY"].partition(":")
        by = status.get("DECRYPTION_KEY", "gpg").split()[0]
        return SessionKey(int(cipher), bytes.fromhex(key), by)


def _status(said: str) -> dict[str, str]:
    """The last of each kind of status line (GnuPG, doc/DETAILS)."""
    marked = (line.removeprefix("[GNUPG:] ") for line in said.splitlines() if "[GNUPG:]" in line)
    return {name: rest for name, _, rest in (line.partition(" ") for line in marked)}


def _run(data: bytes, *arguments: str) -> bytes:
    done = _gpg(data, *arguments)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Failure(f"gpg: {said[-1] if said else 'failed'}.", "Mend that, then try again.")
    return done.stdout


def _gpg(data: bytes, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(  # noqa: S603 - arguments, no shell; gpg is the user's own
            [*QUIET, *arguments], input=data, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise Failure(
            "gpg is not installed.", "Install GnuPG, or use --key.", status=USAGE
        ) from error
