"""`gateway agency`: who may send. Runs on the gateway's own machine."""

from pathlib import Path

import click

from gateway.cli.administration import administration, administrator
from gateway.cli.options import EXISTING, json_option
from gateway.cli.output import print_facts, print_json, print_table


@click.group()
def agency() -> None:
    """Enrol, list, suspend and resume agencies; revoke their certificates."""


@agency.command()
@click.argument("agency_id", metavar="AGENCY")
@click.argument("certificate", type=EXISTING)
@json_option
def enrol(agency_id: str, certificate: Path, *, as_json: bool) -> None:
    """Enrol an AGENCY of the register with its OpenPGP CERTIFICATE, or add another certificate.

    Compare the fingerprint with the agency by telephone before you trust it.
    """
    with administration() as services:
        vetted = services.enrolment.enrol(agency_id, certificate.read_bytes(), by=administrator())
    expires = vetted.expires_at.isoformat() if vetted.expires_at else None
    facts = {"agency": agency_id, "fingerprint": vetted.fingerprint, "expires": expires}
    print_json(facts) if as_json else print_facts(facts)


@agency.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """Show every agency that is enrolled."""
    with administration() as services:
        found = services.enrolment.list()
    rows = [
        {
            "agency": each.agency_id,
            "name": each.name,
            "type": each.agency_type,
            "certificates": len(each.certificates),
            "state": "active" if each.active else "suspended",
        }
        for each in found
    ]
    if as_json:
        print_json({"agencies": rows})
        return
    columns = ("agency", "name", "type", "certificates", "state")
    print_table(columns, [[row[name] for name in columns] for row in rows])


@agency.command()
@click.argument("agency_id", metavar="AGENCY")
@json_option
def suspend(agency_id: str, *, as_json: bool) -> None:
    """Stop an AGENCY from sending, at once; what it sent stays."""
    with administration() as services:
        services.enrolment.suspend(agency_id, by=administrator())
    facts = {"agency": agency_id, "state": "suspended"}
    print_json(facts) if as_json else print_facts(facts)


@agency.command()
@click.argument("agency_id", metavar="AGENCY")
@json_option
def resume(agency_id: str, *, as_json: bool) -> None:
    """Let a suspended AGENCY send again."""
    with administration() as services:
        services.enrolment.resume(agency_id, by=administrator())
    facts = {"agency": agency_id, "state": "active"}
    print_json(facts) if as_json else print_facts(facts)


@agency.command()
@click.argument("fingerprint")
@json_option
def revoke(fingerprint: str, *, as_json: bool) -> None:
    """Accept the certificate with this FINGERPRINT no longer, such as that of a stolen key.

    The agency's other certificates stay; enrol a new one before you revoke the last.
    """
    written = fingerprint.replace(" ", "").upper()
    with administration() as services:
        owner = services.enrolment.revoke(written, by=administrator())
    facts = {"agency": owner, "fingerprint": written, "state": "revoked"}
    print_json(facts) if as_json else print_facts(facts)
