"""Signing with the user's own gpg: the key may be on a card, and the agent asks for its PIN."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from crypto import Certificate
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


def _run(data: bytes, *arguments: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - arguments, no shell; gpg is the user's own
            [*QUIET, *arguments], input=data, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise Failure(
            "gpg is not installed.", "Install GnuPG, or use --key.", status=USAGE
        ) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Failure(f"gpg: {said[-1] if said else 'failed'}.", "Mend that, then try again.")
    return done.stdout
