"""`gateway sshkey`: who may come over SFTP. Runs on the gateway's own machine."""

from datetime import timedelta
from pathlib import Path

import click

from audit.entry import Reason
from gateway.cli.administration import administration, administrator, reason_option
from gateway.cli.nouns import Noun
from gateway.cli.options import EXISTING, json_option
from gateway.cli.output import print_facts, print_json, print_records
from gateway.flow.sshkeys import PublicKey
from gateway.store.sshkeys import SshKey

COLUMNS = ("agency", "fingerprint", "subject", "added", "expires", "revoked")


@click.group(cls=Noun)
def sshkey() -> None:
    """Enrol, list and revoke the SSH keys of agencies."""


@sshkey.command()
@click.argument("agency_id", metavar="AGENCY")
@click.argument("public_key", type=EXISTING)
@click.option("--subject", required=True, help="The account or program that holds the key.")
@click.option("--days", type=click.IntRange(1, 1096), default=366, show_default=True)
@json_option
def add(agency_id: str, public_key: Path, *, subject: str, days: int, as_json: bool) -> None:
    """Let the holder of PUBLIC_KEY, a file that ends in .pub, send for AGENCY over SFTP."""
    key = PublicKey.parse(public_key.read_text("utf-8", errors="replace"))
    with administration() as services:
        kept = services.ssh_keys.enrol(
            key,
            agency_id=agency_id,
            subject=subject,
            valid_for=timedelta(days=days),
            by=administrator(),
        )
    facts = _facts(kept)
    print_json(facts) if as_json else print_facts(facts)


@sshkey.command("list")
@click.option("--agency", "agency_id", help="Those of one agency only.")
@json_option
def list_(*, agency_id: str | None, as_json: bool) -> None:
    """Show every key, those that are revoked or have ended as well."""
    with administration() as services:
        found = [_facts(each) for each in services.ssh_keys.list(agency_id)]
    print_json({"ssh_keys": found}) if as_json else print_records(COLUMNS, found)


@sshkey.command()
@click.argument("fingerprint")
@reason_option
@json_option
def revoke(fingerprint: str, *, reason: Reason | None, as_json: bool) -> None:
    """Accept a key no longer, from this moment on; FINGERPRINT as `list` shows it."""
    with administration() as services:
        services.ssh_keys.revoke(fingerprint, by=administrator(), reason=reason)
    facts = {"fingerprint": fingerprint, "state": "revoked"}
    print_json(facts) if as_json else print_facts(facts)


def _facts(key: SshKey) -> dict[str, object]:
    return {
        "agency": key.agency_id,
        "fingerprint": key.fingerprint,
        "subject": key.subject,
        "added": key.added_at.isoformat(),
        "expires": key.expires_at.isoformat(),
        "revoked": None if key.revoked_at is None else key.revoked_at.isoformat(),
    }
