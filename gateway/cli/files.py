"""Files of commands: nothing is overwritten, private ones are readable by their owner only."""

import os
import re
from pathlib import Path
from shutil import copyfileobj
from typing import IO, BinaryIO

from crypto import Keyring
from gateway.cli.failures import USAGE, Failure
from validators.linkage import KEY_BYTES

_HEX = re.compile(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}")


def read_text(file: Path, *, status: int = USAGE) -> str:
    """A file that must be text; raises Failure, since a wrong file is a person's slip."""
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Failure(
            f"{file} is not a text file.", "Check that it is the file you meant.", status=status
        ) from error


def read_private_text(file: Path) -> str:
    """A text file that nobody but its owner may read; raises Failure where others may."""
    if os.name == "posix" and file.stat().st_mode & 0o077:
        raise Failure(
            f"{file} can be read by others on this machine.",
            f"Make it yours alone: chmod 600 {file}",
        )
    return read_text(file)


def read_hex_key(file: Path) -> bytes:
    """A linkage key or salt from a file of its owner's alone; raises Failure for what is none."""
    text = read_private_text(file).strip()
    if not _HEX.fullmatch(text):
        raise Failure(
            f"{file} does not hold a key.",
            f"A key is {2 * KEY_BYTES} hexadecimal digits on one line.",
        )
    return bytes.fromhex(text)


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet; raises FileExistsError."""
    _write(path, data, mode=0o644)


def write_secret(path: Path, data: bytes) -> None:
    """Write a new file that its owner alone can read; raises FileExistsError."""
    _write(path, data, mode=0o600)


def copy_secret(source: IO[bytes], path: Path) -> None:
    """Copy a stream to a new file that its owner alone can read; raises FileExistsError."""
    with _new(path, mode=0o600) as stream:
        copyfileobj(source, stream)


def read_passphrase(file: Path | None) -> str | None:
    """The first line of a file, or None without one."""
    if file is None:
        return None
    lines = read_text(file).splitlines()
    if not lines or not lines[0]:
        raise Failure(f"{file} holds no passphrase.", "Put it on the first line.", status=USAGE)
    return lines[0]


def load_key(file: Path, passphrase_file: Path | None) -> Keyring:
    """A private key from a file; raises crypto.KeyRefused."""
    return Keyring.load([file.read_bytes()], passphrase=read_passphrase(passphrase_file))


def nothing_to_sign_with() -> Failure:
    """The failure of a command that needs a key and was given none."""
    return Failure(
        "There is nothing to sign with.",
        "Name your private key with --key, or your gpg key with --gpg-user.",
        status=USAGE,
    )


def _write(path: Path, data: bytes, *, mode: int) -> None:
    with _new(path, mode=mode) as stream:
        stream.write(data)


def _new(path: Path, *, mode: int) -> BinaryIO:
    # O_EXCL: no race between looking and writing, and no following of a link that waits there.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")
