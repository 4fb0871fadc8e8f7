"""`gateway agency`: who may send. Runs on the gateway's own machine."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from audit.entry import Reason
from crypto import CertificateRefused, Weakness
from gateway.cli.administration import administration, administrator, reason_option
from gateway.cli.nouns import Noun
from gateway.cli.options import EXISTING, json_option
from gateway.cli.output import print_facts, print_json, print_table, say
from gateway.flow.lifespan import CertificateState, Standing


@click.group(cls=Noun)
def agency() -> None:
    """Enrol, list, suspend and resume agencies; their certificates, and where their mail goes."""


@agency.command()
@click.argument("agency_id", metavar="AGENCY")
@click.argument("certificate", type=EXISTING)
@json_option
def enrol(agency_id: str, certificate: Path, *, as_json: bool) -> None:
    """Enrol an AGENCY of the register with its OpenPGP CERTIFICATE, or add another certificate.

    Compare the fingerprint with the agency by telephone before you trust it.

    Give a certificate that the agency has already, and what its owner changed is added to it: a
    later expiry date, new subkeys, a revocation. Nothing is removed, so that an older copy does no
    harm; RESULT is then updated or unchanged. What the owner revokes is refused from that moment.
    """
    data = certificate.read_bytes()
    try:
        with administration() as services:
            enrolled = services.enrolment.enrol(agency_id, data, by=administrator())
    except CertificateRefused as refused:
        if as_json:
            print_json({"code": refused.code, "weaknesses": _listed(refused.weaknesses)})
        raise
    for weakness in enrolled.weaknesses:
        say(f"From now on refused: {weakness.sentence}")
    facts: dict[str, Any] = {
        "agency": agency_id,
        "fingerprint": enrolled.certificate.fingerprint,
        "expires": _moment(enrolled.certificate.expires_at),
        "result": str(enrolled.change),
    }
    if as_json:
        print_json({**facts, "weaknesses": _listed(enrolled.weaknesses)})
    else:
        print_facts(facts)


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
@reason_option
@json_option
def suspend(agency_id: str, *, reason: Reason | None, as_json: bool) -> None:
    """Stop an AGENCY from sending, at once; what it sent stays."""
    with administration() as services:
        services.enrolment.suspend(agency_id, by=administrator(), reason=reason)
    facts = {"agency": agency_id, "state": "suspended"}
    print_json(facts) if as_json else print_facts(facts)


@agency.command()
@click.argument("agency_id", metavar="AGENCY")
@reason_option
@json_option
def resume(agency_id: str, *, reason: Reason | None, as_json: bool) -> None:
    """Let a suspended AGENCY send again."""
    with administration() as services:
        services.enrolment.resume(agency_id, by=administrator(), reason=reason)
    facts = {"agency": agency_id, "state": "active"}
    print_json(facts) if as_json else print_facts(facts)


@agency.command()
@click.argument("agency_id", metavar="AGENCY")
@click.argument("address", metavar="[ADDRESS]", required=False)
@click.option("--remove", is_flag=True, help="Mail the agency nothing any more.")
@reason_option
@json_option
def mailbox(
    agency_id: str, address: str | None, *, remove: bool, reason: Reason | None, as_json: bool
) -> None:
    """Have receipts and reports of an AGENCY mailed to ADDRESS, or show where they go.

    It must be the mailbox of an office, never a person's: what becomes of each submission is
    mailed there, and whoever holds the office later must find it. Ask for it by telephone, when
    you compare the fingerprint. The address stands in no log.
    """
    if remove and address is not None:
        raise click.UsageError("Give either an ADDRESS or --remove.")
    with administration() as services:
        if remove:
            services.mailboxes.remove(agency_id, by=administrator(), reason=reason)
        elif address is not None:
            services.mailboxes.set(agency_id, address, by=administrator(), reason=reason)
        set_now = services.mailboxes.find(agency_id)
    if as_json:
        print_json({"agency": agency_id, "mailbox": set_now})
    else:
        print_facts({"agency": agency_id, "mailbox": set_now or "none"})


@agency.command()
@click.argument("agency_id", metavar="[AGENCY]", required=False)
@click.option(
    "--expiring",
    type=click.IntRange(1, 3650),
    metavar="DAYS",
    help="Only those that end within so many days.",
)
@json_option
def certificates(agency_id: str | None, *, expiring: int | None, as_json: bool) -> None:
    """Show the certificates of an AGENCY, or of all, and where each stands.

    A certificate ends when it can no longer both sign and receive: with the key itself, or with its
    last subkey for one of the two. STATE is accepted, expires in so many days (from 60 days
    ahead), expired, or revoked, be it by its owner or here.
    """
    within = None if expiring is None else timedelta(days=expiring)
    with administration() as services:
        found = services.certificates.list(agency_id, within=within)
    rows = [
        {
            "fingerprint": each.fingerprint,
            "agency": each.agency_id,
            "created": _moment(each.created_at),
            "expires": _moment(each.expires_at),
            "state": str(each.standing),
            "days_left": each.days_left,
        }
        for each in found
    ]
    if as_json:
        print_json({"certificates": rows})
        return
    columns = ("fingerprint", "agency", "created", "expires")
    table = [
        [*(row[name] for name in columns), _state(each)]
        for row, each in zip(rows, found, strict=True)
    ]
    print_table([*columns, "state"], table)


@agency.command()
@click.argument("fingerprint")
@reason_option
@json_option
def revoke(fingerprint: str, *, reason: Reason | None, as_json: bool) -> None:
    """Accept the certificate with this FINGERPRINT no longer, such as that of a stolen key.

    The agency's other certificates stay; enrol a new one before you revoke the last.
    """
    written = fingerprint.replace(" ", "").upper()
    with administration() as services:
        owner = services.enrolment.revoke(written, by=administrator(), reason=reason)
    facts = {"agency": owner, "fingerprint": written, "state": "revoked"}
    print_json(facts) if as_json else print_facts(facts)


def _listed(weaknesses: Sequence[Weakness]) -> list[dict[str, str]]:
    return [{"code": each.code, "sentence": each.sentence} for each in weaknesses]


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _state(certificate: CertificateState) -> str:
    if certificate.standing is Standing.EXPIRING:
        return f"expires in {certificate.days_left} days"
    return str(certificate.standing)
