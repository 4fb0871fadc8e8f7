"""Which channel a command takes to the gateway, by what it was given.

A token and an address: HTTPS. An SSH key and an address for SFTP: SFTP. Both: HTTPS, and SFTP where
that is closed, which is said.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.cli.environment import environment
from gateway.cli.failures import USAGE, Failure
from gateway.cli.files import read_passphrase, read_private_text
from gateway.cli.options import EXISTING, client_options, open_client
from gateway.cli.output import say
from gateway.client import Access, Address, Channel, ClientError, Https, Ways

F = TypeVar("F", bound=Callable[..., Any])

TRIES_BEFORE_THE_NEXT = 3
"""How often HTTPS is tried where there is another channel."""


def channel_options(function: F) -> F:
    """Those of HTTPS, and --sftp, --ssh-key, --ssh-passphrase-file, --host-key, --known-hosts."""
    options = (
        click.option(
            "--sftp", help="The gateway's address for SFTP, sftp://HOST:PORT. [GATEWAY_SFTP]"
        ),
        click.option(
            "--ssh-key",
            type=EXISTING,
            help="Your private SSH key, for SFTP. [GATEWAY_SSH_KEY]",
        ),
        click.option(
            "--ssh-passphrase-file",
            type=EXISTING,
            help="A file with its passphrase on the first line.",
        ),
        click.option(
            "--host-key",
            multiple=True,
            metavar="SHA256:…",
            help="The fingerprint of the gateway's SSH host key; any other is refused. "
            "[GATEWAY_HOST_KEY]",
        ),
        click.option(
            "--known-hosts",
            type=EXISTING,
            help="Without --host-key: the file that has the gateway's SSH host key; "
            "~/.ssh/known_hosts if none is named.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return client_options(function)


@contextmanager
def open_channel(options: Mapping[str, Any]) -> Iterator[Channel]:
    """The channel for these options and the environment, which is closed at the end."""
    channel = _channel(options, _access(options))
    try:
        yield channel
    finally:
        channel.close()


def _channel(options: Mapping[str, Any], access: Access | None) -> Channel:
    if access is None:
        return Https(open_client(options["url"], options["token_file"]))
    if not _has_token(options):
        return _sftp(access)

    def say_so(error: ClientError) -> None:
        say(f"{error} Going on over SFTP, at {access.address}.")

    client = open_client(options["url"], options["token_file"], tries=TRIES_BEFORE_THE_NEXT)
    return Ways(Https(client), [partial(_sftp, access)], changed=say_so)


def _has_token(options: Mapping[str, Any]) -> bool:
    token = options["token_file"] or environment().get("GATEWAY_TOKEN")
    return bool(token and (options["url"] or environment().get("GATEWAY_URL")))


def _access(options: Mapping[str, Any]) -> Access | None:
    """What SFTP needs, or None where nothing of it was given."""
    address = options["sftp"] or environment().get("GATEWAY_SFTP")
    key = options["ssh_key"] or environment().get("GATEWAY_SSH_KEY")
    if not address and not key:
        return None
    if not address:
        raise click.UsageError("Name the gateway's address for SFTP with --sftp or GATEWAY_SFTP.")
    if not key:
        raise click.UsageError("Name your SSH key with --ssh-key or GATEWAY_SSH_KEY.")
    return Access(
        address=Address.of(address),
        key=read_private_text(Path(key)),
        passphrase=read_passphrase(options["ssh_passphrase_file"]),
        fingerprints=_pinned(options),
        known_hosts=options["known_hosts"] or Path.home() / ".ssh" / "known_hosts",
    )


def _pinned(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Fingerprints of host keys; the environment's only where the command line says nothing."""
    if options["host_key"] or options["known_hosts"]:
        return tuple(options["host_key"])
    return tuple(environment().get("GATEWAY_HOST_KEY", "").split())


def _sftp(access: Access) -> Channel:
    """Load what SFTP needs, which not everybody has installed."""
    try:
        module = import_module("gateway.client.sftp")
    except ModuleNotFoundError as missing:
        if missing.name != "asyncssh":
            raise
        raise Failure(
            "Sending over SFTP needs a library that is not installed here.",
            "Install it with: pip install 'ctds-gateway[sftp]'",
            status=USAGE,
        ) from missing
    channel: Channel = module.Sftp(access)
    return channel
