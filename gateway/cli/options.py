"""Options that several commands share, spelled once."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.cli.environment import environment
from gateway.cli.failures import USAGE, Failure
from gateway.cli.files import read_text
from gateway.client import GatewayClient
from gateway.client.session import TRIES

F = TypeVar("F", bound=Callable[..., Any])

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
GIVEN = click.Path(exists=True, path_type=Path)
"""What may turn out to be a folder, and is told so by `require_files`."""
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)

TOKEN = re.compile(r"[!-~]{1,200}")

standard_option = click.option(
    "--standard",
    "version",
    metavar="VERSION",
    help="The version of the standard, such as 1.0; the newest without it.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def client_options(function: F) -> F:
    """--url and --token-file; GATEWAY_URL and GATEWAY_TOKEN stand in for them."""
    url = click.option("--url", help="The gateway's address. [GATEWAY_URL]")
    token = click.option(
        "--token-file",
        type=EXISTING,
        help="A file with your access token on its first line. [GATEWAY_TOKEN]",
    )
    return url(token(function))


def key_options(function: F) -> F:
    """--key and --passphrase-file, or --gpg-user."""
    key = click.option("--key", type=EXISTING, help="Your private OpenPGP key.")
    passphrase = click.option(
        "--passphrase-file", type=EXISTING, help="A file with its passphrase on the first line."
    )
    gpg = click.option("--gpg-user", help="Sign with your gpg and its agent, by fingerprint.")
    return key(passphrase(gpg(function)))


def open_client(url: str | None, token_file: Path | None, *, tries: int = TRIES) -> GatewayClient:
    """The gateway that the options or the environment name."""
    address = url or environment().get("GATEWAY_URL")
    if not address:
        raise click.UsageError("Name the gateway with --url or GATEWAY_URL.")
    if token_file is not None:
        first, _, _ = read_text(token_file).partition("\n")
        return GatewayClient(address, _token(first, of=str(token_file)), tries=tries)
    given = environment().get("GATEWAY_TOKEN")
    token = None if given is None else _token(given, of="GATEWAY_TOKEN")
    return GatewayClient(address, token, tries=tries)


def _token(text: str, *, of: str) -> str:
    """What can stand in a header; the text itself is not repeated, as it may be a secret."""
    token = text.strip()
    if not TOKEN.fullmatch(token):
        raise Failure(
            f"{of} does not hold an access token.",
            "A token is one word beginning with ctds_; copy it again.",
            status=USAGE,
        )
    return token
