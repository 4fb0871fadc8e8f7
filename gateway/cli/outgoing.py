"""What `gateway submit` sends: the package, read or made, checked, signed and encrypted."""

from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from crypto import Certificate, read_certificate, sign_and_encrypt
from gateway.cli import gnupg
from gateway.cli.failures import REJECTED, UNTRUSTED, USAGE, Failure, Stop
from gateway.cli.files import load_key, nothing_to_sign_with
from gateway.cli.output import print_json, say
from gateway.cli.package import build, kind_of, signer
from gateway.client import Channel, Received
from validators.checking import check_package, is_package
from validators.filenames import MANIFEST_NAME
from validators.manifest import read_manifest
from validators.package import open_package
from validators.report import Report, render_text


def recipient(channel: Channel, options: Mapping[str, Any]) -> Certificate:
    """The gateway's certificate; raises Failure unless it is the one that is pinned."""
    file: Path | None = options["gateway_certificate"]
    data = channel.certificate() if file is None else file.read_bytes()
    certificate = read_certificate(data, now=datetime.now(UTC))
    wanted: str | None = options["gateway_fingerprint"]
    if wanted is not None and wanted.replace(" ", "").lower() != certificate.fingerprint.lower():
        raise Failure(
            f"The gateway's key is {certificate.fingerprint}, not {wanted}.",
            "Ask the Commissioner's office which is right, by telephone. Nothing was sent.",
            status=UNTRUSTED,
        )
    if file is None and wanted is None:
        say(
            f"Encrypting to the gateway's key {certificate.fingerprint}; pin it with "
            "--gateway-fingerprint."
        )
    return certificate


def package_of(
    files: tuple[Path, ...],
    gateway: Certificate,
    replaced: Received | None,
    options: Mapping[str, Any],
) -> bytes:
    """The package, read or made; made in memory, as it holds the records in the clear."""
    if len(files) == 1 and is_package(files[0].name):
        return files[0].read_bytes()
    if options["profile"] is None or options["period"] is None:
        raise Failure(
            "Record files alone do not say whose they are and of which quarter.",
            "Add --profile and --period, or make a package with `gateway package` first.",
            status=USAGE,
        )
    package_id = None if replaced is None else UUID(replaced.shown["package_id"])
    further = kind_of(options["submission_type"], package_id)
    further["gateway"] = gateway.fingerprint
    sign = signer(options["key"], options["passphrase_file"], options["gpg_user"])
    return build(files, options["profile"], options["period"], further=further, sign=sign).data


def check_first(data: bytes, *, as_json: bool) -> Report:
    """Judge it here as the gateway will; raises Stop where it would be rejected."""
    report = check_package(data, today=datetime.now(UTC).date())
    if report.verdict == "rejected":
        print_json(report.to_dict()) if as_json else print(render_text(report), end="")
        say("Nothing was sent. Mend the package, or send it as it is with --force.")
        raise Stop(REJECTED)
    return report


def require_replacing(data: bytes, replaced: Received | None) -> None:
    """Raise Failure unless the package names what it is sent to replace: not every channel asks."""
    if replaced is None:
        return
    with open_package(BytesIO(data)).open(MANIFEST_NAME) as stream:
        named = read_manifest(stream.read()).get("replaces")
    if named is None or UUID(named) != UUID(replaced.shown["package_id"]):
        raise Failure(
            f"The package does not say that it replaces {replaced.shown['package_id']}.",
            "Make it anew with `gateway package --replaces`. Nothing was sent.",
            status=REJECTED,
        )


def message_of(data: bytes, gateway: Certificate, options: Mapping[str, Any]) -> bytes:
    """The package, signed and encrypted."""
    if options["gpg_user"]:
        return gnupg.sign_and_encrypt(data, user=options["gpg_user"], recipient=gateway)
    if options["key"] is None:
        raise nothing_to_sign_with()
    sink = BytesIO()
    sign_and_encrypt(
        BytesIO(data),
        sink,
        signer=load_key(options["key"], options["passphrase_file"]),
        recipients=[gateway],
        now=datetime.now(UTC),
    )
    return sink.getvalue()
