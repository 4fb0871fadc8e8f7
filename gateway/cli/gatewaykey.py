"""The gateway's own key: an offline part that certifies, an online part whose subkeys change."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from crypto import (
    SplitKey,
    encryption_key,
    generate_split_key,
    load_certificate,
    retire,
    rotate,
)
from gateway.cli.environment import environment
from gateway.cli.failures import Failure
from gateway.cli.files import read_passphrase, write_new, write_secret
from gateway.cli.options import EXISTING, FOLDER, json_option
from gateway.cli.output import print_facts, print_json

LOCAL_PART = "submissions"
"""As in gateway.wiring, which belongs to the server part and may not be installed here."""

PRIMARY_VALID_FOR = timedelta(days=5 * 365)
SUBKEY_VALID_FOR = timedelta(days=365)


def gateway_user_id(domain: str | None) -> str:
    """The gateway's user id, with the address under which Web Key Directory publishes the key."""
    host = domain or urlsplit(environment().get("PUBLIC_URL", "")).hostname
    if not host:
        # gpg --locate-keys takes a key only if a user id has the very address it looked up.
        raise click.UsageError("Name the gateway's host with --domain or PUBLIC_URL.")
    return f"CTDS gateway <{LOCAL_PART}@{host}>"


def make_gateway_key(out: Path, *, user_id: str, passphrase: str | None = None) -> dict[str, str]:
    """Write the gateway's key in three parts; return where, and the fingerprint."""
    parts = generate_split_key(
        user_id,
        now=datetime.now(UTC),
        valid_for=PRIMARY_VALID_FOR,
        subkey_valid_for=SUBKEY_VALID_FOR,
        passphrase=passphrase,
    )
    primary = out / "gateway-primary.asc"
    write_secret(primary, parts.primary)
    fingerprint = load_certificate(parts.certificate).fingerprint
    return {"primary": str(primary), **_write_parts(parts, out), "fingerprint": fingerprint}


def split_key(command: Callable[..., None]) -> Callable[..., None]:
    """The options of what changes the gateway's key, which it gets as `parts`."""

    @click.option("--primary", type=EXISTING, required=True, help="The offline part.")
    @click.option("--key", type=EXISTING, required=True, help="The gateway's own part.")
    @click.option("--certificate", type=EXISTING, required=True, help="The certificate so far.")
    @click.option("--passphrase-file", type=EXISTING, help="A file with the primary's passphrase.")
    @click.option("--out", type=FOLDER, required=True, help="An empty folder for the new files.")
    @wraps(command)
    def given(
        *, primary: Path, key: Path, certificate: Path, passphrase_file: Path | None, **rest: Any
    ) -> None:
        parts = SplitKey(primary.read_bytes(), key.read_bytes(), certificate.read_bytes())
        command(parts=parts, passphrase=read_passphrase(passphrase_file), **rest)

    return given


@click.command("rotate")
@split_key
@click.option(
    "--valid-for",
    type=click.IntRange(min=1),
    default=SUBKEY_VALID_FOR.days,
    show_default=True,
    help="How many days the new subkey is valid for.",
)
@json_option
def rotate_key(
    *, parts: SplitKey, passphrase: str | None, out: Path, valid_for: int, as_json: bool
) -> None:
    """Give the gateway's key a new subkey to encrypt to. Runs where the offline part is.

    The old subkeys still decrypt until `keys retire`. Put both files in place of the old ones, and
    restart workers and web; senders who fetch the certificate anew use the new subkey.
    """
    turned = rotate(
        parts, now=datetime.now(UTC), valid_for=timedelta(days=valid_for), passphrase=passphrase
    )
    written = _write_parts(turned, out)
    newest = encryption_key(load_certificate(turned.certificate), now=datetime.now(UTC))
    facts = {**written, "new": newest.fingerprint}
    print_json(facts) if as_json else print_facts(facts)


@click.command("retire")
@split_key
@click.option(
    "--grace",
    type=click.IntRange(min=0),
    default=90,
    show_default=True,
    help="How many days a subkey still decrypts after it was replaced.",
)
@json_option
def retire_keys(
    *, parts: SplitKey, passphrase: str | None, out: Path, grace: int, as_json: bool
) -> None:
    """Revoke the gateway's subkeys that were replaced long ago, and leave their secrets out.

    What was encrypted to them can then never be opened again. Put both files in place, restart, and
    destroy every copy of the old gateway-key.asc: as long as one is left, nothing is retired.
    """
    left, gone = retire(
        parts, now=datetime.now(UTC), grace=timedelta(days=grace), passphrase=passphrase
    )
    if not gone:
        raise Failure(
            f"No subkey was replaced more than {grace} days ago.",
            "Rotate first, or wait; nothing was written.",
        )
    facts = {**_write_parts(left, out), "retired": ", ".join(gone)}
    print_json(facts) if as_json else print_facts(facts)


def _write_parts(parts: SplitKey, out: Path) -> dict[str, str]:
    """Write the parts that change, into a folder where they are not yet."""
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    key, certificate = out / "gateway-key.asc", out / "gateway-certificate.asc"
    write_secret(key, parts.online)
    write_new(certificate, parts.certificate)
    return {"key": str(key), "certificate": str(certificate)}
