"""Who opens what is sealed: a private key in a file, or the user's own gpg."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from crypto import KeyHolder
from gateway.cli.files import load_key
from gateway.cli.gnupg import GnupgKeys
from gateway.cli.options import EXISTING

F = TypeVar("F", bound=Callable[..., Any])


def opening_options(whose: str) -> Callable[[F], F]:
    """--key and --passphrase-file, or --gpg; `whose` names the key."""
    key = click.option("--key", type=EXISTING, help=f"{whose[:1].upper()}{whose[1:]}.")
    gpg = click.option(
        "--gpg", is_flag=True, help="Use your own gpg instead; the key may be on a card."
    )
    passphrase = click.option(
        "--passphrase-file", type=EXISTING, help="A file with its passphrase."
    )
    return lambda function: key(gpg(passphrase(function)))


def key_holder(
    whose: str, key: Path | None, passphrase_file: Path | None, *, gpg: bool
) -> KeyHolder:
    """What these options say; raises click.UsageError where it is neither or both."""
    if key is not None and not gpg:
        return load_key(key, passphrase_file)
    if key is None and gpg:
        return GnupgKeys()
    raise click.UsageError(f"Name {whose} with --key, or use --gpg.")
