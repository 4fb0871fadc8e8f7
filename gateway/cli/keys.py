"""`gateway keys`: make and look at keys. Private parts are readable by their owner only."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from audit.keys import Signer
from audit.promise import delegated
from crypto import (
    CertificateRefused,
    generate_key,
    load_certificate,
    public_part,
    read_certificate,
)
from gateway.cli.files import read_passphrase, read_private_text, write_new, write_secret
from gateway.cli.gatewaykey import gateway_user_id, make_gateway_key, retire_keys, rotate_key
from gateway.cli.nouns import Noun
from gateway.cli.options import EXISTING
from gateway.cli.output import print_facts, print_json, say

VALID_FOR = timedelta(days=2 * 365)

NOTICES = {
    "vault": (
        "This is the vault's private key. It belongs on the Commissioner's own machine, offline, "
        "and never on the gateway: copy only vault-certificate.asc there."
    ),
    "gateway": (
        "gateway-primary.asc certifies the gateway's subkeys. It belongs on a medium in a safe and "
        "never on the gateway: copy only gateway-key.asc and gateway-certificate.asc there."
    ),
    "pepper": (
        "Only workers may read it. Keep a copy offline, away from the database's backups: without "
        "it no child is known again, and with it and the database a stolen token can be looked up."
    ),
}


@click.group(cls=Noun)
def keys() -> None:
    """Make keys, and look at them."""


@keys.command()
@click.argument(
    "kind",
    type=click.Choice(
        ["gateway", "vault", "agency", "log", "promise", "pseudonym", "pepper", "salt"]
    ),
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="here",
    help="The folder to write into; made where it is missing.",
)
@click.option("--user-id", help="Whose key it is, such as 'Leeds Council <data@leeds.gov.uk>'.")
@click.option(
    "--domain", help="The gateway's host, for its address; for KIND gateway. [host of PUBLIC_URL]"
)
@click.option("--name", help="The name of the log, such as log.gateway.example; for KIND log.")
@click.option(
    "--log-key", type=EXISTING, help="The log's signing key, which delegates; for KIND promise."
)
@click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Protect the private key with the first line of this file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def init(
    kind: str,
    *,
    out: Path,
    user_id: str | None,
    domain: str | None,
    name: str | None,
    log_key: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Make the key of a KIND: gateway, vault, agency, log, promise, pseudonym, pepper or salt.

    Overwrites nothing. A promise key acknowledges submissions in the log's name. A pepper is the
    gateway's, for linkage. A salt is an agency's own, for `gateway pseudonymise`: keep it as long
    as you send data.
    """
    if kind == "gateway":
        user_id = user_id or gateway_user_id(domain)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    passphrase = read_passphrase(passphrase_file)
    if kind == "promise":
        made = make_promise_key(out, log_key)
    elif kind in MAKERS:
        made = MAKERS[kind](out, name)
    elif kind == "gateway":
        made = make_gateway_key(out, user_id=user_id or "", passphrase=passphrase)
    else:
        made = make_openpgp(out, kind, user_id=user_id, passphrase=passphrase)
    print_json(made) if as_json else print_facts(made)
    if kind in NOTICES:
        say(NOTICES[kind])


keys.add_command(rotate_key)
keys.add_command(retire_keys)


@keys.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(file: Path, *, as_json: bool) -> None:
    """Show a certificate, or the public part of a key, and whether the gateway would take it."""
    data = file.read_bytes()
    if b"PRIVATE KEY BLOCK" in data[:200]:
        data = public_part(data)
    certificate = load_certificate(data)
    try:
        weaknesses: list[str] = []
        read_certificate(data, now=datetime.now(UTC))
    except CertificateRefused as refused:
        weaknesses = [weakness.sentence for weakness in refused.weaknesses]
    facts: dict[str, Any] = {
        "fingerprint": certificate.fingerprint,
        "user_ids": list(certificate.user_ids),
        "created": certificate.created_at.isoformat(),
        "expires": certificate.expires_at.isoformat() if certificate.expires_at else None,
        "signing_keys": list(certificate.signing_keys),
        "encryption_keys": list(certificate.encryption_keys),
        "acceptable": not weaknesses,
        "weaknesses": weaknesses,
    }
    if as_json:
        print_json(facts)
        return
    print_facts({name: _line(value) for name, value in facts.items()})


def make_openpgp(
    out: Path, kind: str, *, user_id: str | None = None, passphrase: str | None = None
) -> dict[str, str]:
    """Write `<kind>-key.asc` and `<kind>-certificate.asc`; return where, and the fingerprint."""
    secret = generate_key(
        user_id or f"CTDS {kind}",
        now=datetime.now(UTC),
        # The vault must open what was sealed to it for as long as data is kept.
        valid_for=None if kind == "vault" else VALID_FOR,
        passphrase=passphrase,
    )
    key, certificate = out / f"{kind}-key.asc", out / f"{kind}-certificate.asc"
    write_secret(key, secret)
    write_new(certificate, public_part(secret))
    fingerprint = load_certificate(public_part(secret)).fingerprint
    return {"key": str(key), "certificate": str(certificate), "fingerprint": fingerprint}


def make_log_key(out: Path, name: str | None) -> dict[str, str]:
    """Write `log.skey` and `log.vkey` (C2SP signed-note)."""
    if not name:
        raise click.UsageError("A log needs a --name, which is in every checkpoint for ever.")
    signer = Signer.generate(name)
    key, verifier = out / "log.skey", out / "log.vkey"
    write_secret(key, f"{signer.skey()}\n".encode())
    write_new(verifier, f"{signer.vkey}\n".encode())
    return {"key": str(key), "verifier": str(verifier), "vkey": signer.vkey}


def make_promise_key(out: Path, log_key: Path | None) -> dict[str, str]:
    """Write `promise.key`: a signing key, and the word of the log's key for it."""
    if log_key is None:
        raise click.UsageError("A promise key is made by the log's: name it with --log-key.")
    log = Signer.from_skey(read_private_text(log_key).strip())
    file, key = out / "promise.key", Signer.generate(f"{log.name}/promises")
    write_secret(file, delegated(log, key).encode())
    return {"key": str(file), "vkey": key.vkey}


def make_pseudonym_key(out: Path, _: str | None) -> dict[str, str]:
    """Write `pseudonym.key`: 32 random bytes, hexadecimal."""
    return _make_random(out / "pseudonym.key")


def make_pepper(out: Path, _: str | None) -> dict[str, str]:
    """Write `linkage.pepper`: 32 random bytes, hexadecimal."""
    return _make_random(out / "linkage.pepper")


def make_salt(out: Path, _: str | None) -> dict[str, str]:
    """Write `person-ref.salt`: 32 random bytes, hexadecimal."""
    return _make_random(out / "person-ref.salt")


def make_ssh_host_key(out: Path) -> None:
    """Write `ssh-host-key`, an Ed25519 key as OpenSSH keeps it; `ssh-keygen` does the same."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    write_secret(out / "ssh-host-key", private)


def _make_random(file: Path) -> dict[str, str]:
    write_secret(file, f"{token_hex(32)}\n".encode())
    return {"key": str(file)}


MAKERS: dict[str, Callable[[Path, str | None], dict[str, str]]] = {
    "log": make_log_key,
    "pseudonym": make_pseudonym_key,
    "pepper": make_pepper,
    "salt": make_salt,
}


def _line(value: object) -> object:
    return ", ".join(value) or None if isinstance(value, list) else value
